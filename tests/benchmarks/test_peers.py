"""What the benchmarks say of their runs: goals judged, answers compared, the README made of it."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def scripts():
    """Return the scripts of ``benchmarks``, which import each other by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        before = set(sys.modules)

        def script(name: str) -> ModuleType:
            return importlib.import_module(name)

        yield script
        for name in set(sys.modules) - before:
            if str(getattr(sys.modules[name], "__file__", None)).startswith(str(FOLDER)):
                del sys.modules[name]


def runs(ours: list[float], theirs: list[float]) -> list[dict]:
    """Runs of the pairs contest with these seconds, by round."""
    sides = {"fairaudit": ours, "lm-evaluation-harness": theirs}
    return [
        {
            "contest": "pairs",
            "side": side,
            "round": number,
            "wall_seconds": found,
            "cpu_seconds": found,
            "scoring_wall": found,
            "scoring_cpu": found,
        }
        for side, seconds in sides.items()
        for number, found in enumerate(seconds)
    ]


def test_a_goal_is_judged_round_by_round(scripts):
    """A slow hour hits both sides of a round: 3, 3 and 3, not the ratio of unlike hours."""
    judge = scripts("peer_goals").judged
    whole, scoring = judge(runs([1, 10, 2], [3, 30, 6]))
    assert (whole["found"], whole["lowest"], whole["highest"], whole["rounds"]) == (3, 3, 3, 3)
    assert whole["met"] is True
    assert whole["short_by_factor"] is None
    assert scoring["goal"] == "pairs, scoring phase"


def test_a_missed_goal_says_by_how_much(scripts):
    whole, scoring = scripts("peer_goals").judged(runs([2.0], [2.5]))
    assert whole["met"] is False
    assert whole["short_by_factor"] == 2
    assert scoring["met"] is True


def test_only_rounds_that_both_sides_ran_count(scripts):
    whole, _ = scripts("peer_goals").judged(runs([1, 100], [3]))
    assert (whole["found"], whole["rounds"]) == (3, 1)
    assert scripts("peer_goals").judged([]) == []


def compared(scripts, ours, theirs, same="preference"):
    sides = scripts("peer_sides")
    made = [sides.script(name, lambda output: []) for name in ("fairaudit", "other")]
    contest = sides.Contest("pairs", "", tuple(made), same=same)
    (row,) = scripts("peer_goals").agreement(contest, {"fairaudit": ours, "other": theirs})
    return row


def test_preferences_are_compared_where_neither_side_has_a_tie(scripts):
    ours = {"a": [-1.0, -2.0], "b": [-1.0, -1.0001], "c": [-3.0, -2.0]}
    row = compared(scripts, ours, {"a": [-1.0, -2.0], "b": [-1.0001, -1.0], "c": [-3.0, -2.0]})
    assert (row["items"], row["not_tied"], row["same_preference"]) == (3, 2, 2)
    assert row["equal"] is True
    row = compared(scripts, ours, {"a": [-2.0, -1.0], "b": [-1.0, -1.0], "c": [-3.0, -2.0]})
    assert (row["same_preference"], row["equal"]) == (1, False)
    assert not compared(scripts, ours, {"a": [-1.0, -2.0]})["equal"], "other items"


def test_numbers_of_one_protocol_must_be_equal_and_of_another_are_shown(scripts):
    ours = {"value": [0.5, 0.6], "low": [0.4, 0.5], "high": [0.6, 0.7]}
    row = compared(scripts, ours, {**ours, "low": [0.41, 0.5]}, same="numbers")
    assert row["equal"] is True
    assert row["largest_difference_of_interval_ends"] == 0.01
    assert not compared(scripts, ours, {**ours, "value": [0.5, 0.61]}, same="numbers")["equal"]


def test_the_published_masks_are_the_shared_tokens(scripts):
    """Two words for one: what stands after them is paired with its like."""
    first, second = [101, 7, 8, 9, 5, 102], [101, 7, 20, 21, 9, 5, 102]
    assert scripts("masked_script").shared(first, second) == ([0, 1, 3, 4, 5], [0, 1, 4, 5, 6])


def test_a_process_is_measured_and_its_failure_told(scripts, tmp_path):
    machine = scripts("machine")
    used = machine.run([sys.executable, "-c", "x = bytearray(50 << 20)"], tmp_path / "log", {})
    assert used.peak_mib > 50
    with pytest.raises(SystemExit, match="why it failed"):
        machine.run(
            [sys.executable, "-c", "raise SystemExit('why it failed')"], tmp_path / "log", {}
        )


def test_phases_are_those_of_the_outermost_forward_pass(scripts):
    clock = scripts("phases").Clock()
    for _ in range(3):
        clock.begin()
        clock.begin()
        clock.end()
        clock.end()
    found = clock.phases()
    assert found["forward_passes"] == 3
    assert 0 <= found["forward_wall"] <= found["scoring_wall"]


def test_a_power_law_is_found(scripts):
    found = scripts("cost").exponent([10, 100, 1000, 10_000], [2 * 10**1.5, 2e3, 2 * 10**4.5, 2e6])
    assert (found["exponent"], found["low"], found["high"]) == (1.5, 1.5, 1.5)


def test_parameters_that_are_looked_up_are_not_multiplied(scripts):
    """Tied: the table is the head, so it is multiplied; positions never are."""
    cost = scripts("cost")
    model = cost.built((2, 96, 2), 64)
    assert cost.multiplied(model) == sum(p.numel() for p in model.parameters()) - 64 * 96


def test_the_section_of_the_readme_is_that_of_the_records(scripts):
    """After a run that was recorded: ``python benchmarks/tables.py``."""
    tables = scripts("tables")
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tables.written(page) == page
    assert tables.rows()


def test_a_record_beside_the_peers_is_shown_with_what_it_missed(scripts, tmp_path):
    tables, goals = scripts("tables"), scripts("peer_goals")
    content = {
        "goals": goals.judged(runs([2.0], [2.5])),
        "agreement": [
            {"contest": "pairs", "side": "lm-evaluation-harness", "not_tied": 9,
             "same_preference": 9}
        ],
    }  # fmt: skip
    (tmp_path / tables.PEERS).write_text(json.dumps(content))
    shown = tables.section(tmp_path)
    assert "| pairs, end to end | lm-evaluation-harness | 1.25 (1.25 to 1.25); the goal is 2.5 | " \
        "9 of 9 choices the same | `peers.py` |" in shown  # fmt: skip
    assert "| 1.25 (1.25 to 1.25) |" in shown
