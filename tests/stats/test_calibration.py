"""The calibration benchmark with fewer replicates: its bars hold, and it would notice if not."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
RECORD = BENCHMARKS / "results" / "calibration.json"
#: One cell of each kind, of those that take no time.
QUICK = (
    "Clopper-Pearson n=100 p=0.1",
    "McNemar exact n=100 ties=0.2",
    "sign-flip G=12",
    "rate n=100 p=0.5",
    "clustered rate G=25 p=0.1",
    "pairs n=20 discordant=0.3 difference=0.3",
    "pairs n=500 discordant=0.1 difference=0.05",
    "clusters G=25 discordant=0.02 difference=0.02",
    "two-way pairs 25x25",
    "verdict n=20 true=+0.0",
    "verdict n=200 true=+0.05",
    "verdict G=25 true=-0.05",
    "two seeds n=200 shift=0.0",
    "two seeds n=200 shift=0.03",
)
#: Means that few units decide, and control pairs, of which two labels move many pairs at once.
FEW = (
    "few moved n=12 by 0.1 noise=0.0",
    "few moved n=20 by 0.25 noise=0.02",
    "few moved n=40 by 1.0 noise=0.05",
    "few moved 25x25",
    "target terms n=20 true=0.05",
    "toxic prompts n=100 true=0.02",
    "toxic prompts groups of 100 and 300 true=0.02",
    "limit n=60 wholly toxic=0.02",
    "choices uneven G=25 accuracy gap +0.2",
    "choices uneven G=25 disambiguated named=0.6 true=+0.4",
    "choices many G=50 ambiguous named=0.6 true=+0.24, two models",
    "two-way controls 64x64 0.6/0.1 control_rms_log_odds",
    "two-way controls 64x64 0.6/0.1 identity_to_control_ratio",
    "two-way controls 64x64 0.6/0.1 excess_rms_log_odds",
)


@pytest.fixture
def calibration(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("calibration")


@pytest.mark.parametrize("name", QUICK)
def test_bars_hold_in_quick_cells(calibration: ModuleType, name: str) -> None:
    row = calibration.run_cell((name, 400))
    assert row["missed"] == []
    if row["coverage"] is not None:
        # With and without a bar: 400 replicates of 0.93 vary by 0.013.
        assert row["coverage"] > 0.89


@pytest.mark.parametrize("name", FEW)
def test_bars_hold_where_few_units_decide(calibration: ModuleType, name: str) -> None:
    """Issue 18, items 8 and 9."""
    assert calibration.run_cell((name, 250))["missed"] == []


@pytest.mark.long
def test_without_what_no_prompt_has_shown_equivalence_misses_its_bar(
    calibration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """13 % of samples of 100 show none of the 2 % that turned toxic: issue 18, item 8."""
    decide = importlib.import_module("fairaudit.stats.decide")
    monkeypatch.setattr(decide, "limiting", lambda evidence: evidence)
    row = calibration.run_cell(("toxic prompts n=100 true=0.02", 3000))
    assert [line.split()[0] for line in row["missed"]] == ["equivalent"]


def test_20_pairs_without_change_are_never_called_equivalent(calibration: ModuleType) -> None:
    row = calibration.run_cell(("verdict n=20 true=+0.0", 400))
    assert "equivalent" not in row["verdicts"]


def test_a_wrong_method_misses_its_bar(
    calibration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clusters ignored: the error that the rules are there to avoid."""
    monkeypatch.setattr(
        importlib.import_module("calibration_asks"),
        "_clusters",
        lambda sample: np.arange(len(sample.values)),
    )
    row = calibration.run_cell(("clustered rate G=64 p=0.5", 300))
    assert [line.split()[0] for line in row["missed"]] == ["coverage", "size"]


@pytest.mark.calibration
def test_bars_hold_in_every_cell(calibration: ModuleType) -> None:
    rows = [calibration.run_cell((cell.name, 300)) for cell in calibration.cells()]
    assert {row["cell"]: row["missed"] for row in rows if row["missed"]} == {}


def test_cells_have_names_of_their_own(calibration: ModuleType) -> None:
    names = [cell.name for cell in calibration.cells()]
    assert len(set(names)) == len(names)


def test_the_record_is_complete_and_misses_no_bar(
    calibration: ModuleType,
) -> None:
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["cells"]
    assert [row["cell"] for row in rows] == [cell.name for cell in calibration.cells()]
    assert min(row["replicates"] for row in rows) >= 5000
    assert [row["cell"] for row in rows if row["missed"]] == []
