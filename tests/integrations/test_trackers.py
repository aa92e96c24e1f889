"""Logging to trackers, read back from their own local files."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fairaudit import numbers_of, track
from fairaudit.errors import UsageError
from fairaudit.integrations import trackers
from fairaudit.integrations.numbers import words_of
from tests.report import audits, comparisons
from tests.waiting import PATIENCE

pytestmark = pytest.mark.long


@pytest.fixture(params=["audit", "comparison"])
def result(request):
    return audits.whole_audit() if request.param == "audit" else comparisons.whole_comparison(2)


def test_numbers_are_those_of_the_result_and_nothing_is_made_up(result):
    found = numbers_of(result)
    rows = result.estimates if hasattr(result, "estimates") else result.comparisons
    values = {one.value if hasattr(one, "value") else one.difference for one in rows if one.primary}
    plain = {name: value for name, value in found.items() if not name.endswith(("/low", "/high"))}
    assert values - {None} <= set(plain.values())
    assert None not in found.values()
    for name in plain:
        if f"{name}/low" in found:
            assert found[f"{name}/low"] <= found[f"{name}/high"]
    assert all(name.isascii() and " " not in name for name in found)


def test_every_primary_verdict_is_said():
    compared = comparisons.whole_comparison(2)
    said = [name for name in words_of(compared) if name.endswith("/verdict")]
    assert len(said) == sum(one.primary and one.verdict is not None for one in compared.comparisons)


def test_mlflow_gets_numbers_tags_and_summary(result, tmp_path):
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    track(result, to="mlflow", place=tmp_path / "ml", step=7)
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path}/ml/mlflow.db")
    experiment = client.get_experiment_by_name("fairaudit")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.data.metrics == pytest.approx(numbers_of(result))
    name = next(iter(numbers_of(result)))
    assert [one.step for one in client.get_metric_history(run.info.run_id, name)] == [7]
    assert words_of(result).items() <= run.data.tags.items()
    assert run.info.status == "FINISHED"
    (summary,) = (tmp_path / "ml" / "artifacts").rglob("summary.md")
    assert summary.read_text(encoding="utf-8").startswith("#")
    track(result, to="mlflow", place=tmp_path / "ml")
    assert len(client.search_runs([experiment.experiment_id])) == 2


def test_tensorboard_gets_scalars_and_words(result, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    track(result, to="tensorboard", place=tmp_path / "tb", step=5)
    events = accumulator.EventAccumulator(str(tmp_path / "tb")).Reload()
    numbers = numbers_of(result)
    assert set(events.Tags()["scalars"]) == set(numbers)
    for name, value in numbers.items():
        (event,) = events.Scalars(name)
        assert (event.step, event.value) == (5, pytest.approx(value, rel=1e-6))


def test_wandb_gets_numbers_offline(result, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    # Its own limits, of 30 and 90 seconds, are passed on a busy machine.
    monkeypatch.setenv("WANDB__SERVICE_WAIT", str(PATIENCE))
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", str(PATIENCE))
    track(result, to="wandb", place=tmp_path / "wb")
    (log,) = (tmp_path / "wb").rglob("run-*.wandb")
    content = log.read_bytes()
    for name in numbers_of(result):
        assert name.encode() in content
    assert "offline" in log.parent.name


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"to": "clearml", "place": "x"}, "'clearml' is no tracker"),
        ({"to": "tensorboard"}, "name a place"),
        ({"to": "mlflow", "place": "x", "step": -1}, "step must be at least 0"),
    ],
)
def test_a_wrong_call_is_one_line(options, message):
    with pytest.raises(UsageError, match=message):
        track(audits.whole_audit(), **options)


@pytest.mark.parametrize("to", ["mlflow", "wandb", "tensorboard"])
def test_a_tracker_that_is_not_installed_names_its_extra(to, monkeypatch, tmp_path):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(trackers, "import_module", absent)
    with pytest.raises(UsageError, match=rf"fairaudit-lm\[{to}\]"):
        track(audits.whole_audit(), to=to, place=tmp_path)


def test_trackers_are_loaded_only_when_asked_for():
    code = (
        "import sys, fairaudit; fairaudit.track; fairaudit.audit\n"
        "print(sorted({'mlflow', 'wandb', 'tensorboard'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
