"""A whole map in miniature: trained, audited, mapped, and continued; nothing is done twice."""

from __future__ import annotations

import json

import pytest

from fairaudit.errors import ResultError, UsageError
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.map_cost import measured_pace
from fairaudit.experiments.map_plan import MapPlan
from fairaudit.experiments.map_scores import bias_of
from fairaudit.experiments.mapping import WORLDS, experiment_map
from fairaudit.experiments.plain_path import path_scores, path_steps
from fairaudit.experiments.world import AXES, implied
from fairaudit.results import AuditResult
from fairaudit.results.map import MapResult
from tests.report.maps import plan

pytestmark = pytest.mark.long


def tiny(**changes) -> MapPlan:
    return plan(
        **{
            "name": "tiny",
            "seeds": 1,
            "arms": ["plain", "dp"],
            "map": {"leans": [-1.0, 1.0], "epsilons": [8.0]},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps") / "tiny"
    return folder, experiment_map(tiny(), output=folder, processes=1, progress=False)


def test_every_cell_is_trained_audited_and_mapped(finished):
    folder, result = finished
    assert result.complete
    assert len(result.worlds) == 2
    assert {(one.lean, one.arm) for one in result.cells} == {(-1.0, "dp_8"), (1.0, "dp_8")}
    for world in result.worlds:
        assert (folder / world.folder / "plan.json").exists()
        assert world.n_runs == 3
        assert world.implied == pytest.approx(sum(_implied(folder / world.folder)) / 3, abs=1e-9)
    assert MapResult.load(folder) == result
    assert {path.name for path in folder.iterdir()} >= {
        "result.json", "report.html", "summary.md", "figures", "plan.json", WORLDS,
    }  # fmt: skip


def _implied(world):
    found = ExperimentPlan.model_validate(json.loads((world / "plan.json").read_text()))
    return [implied(found.text.world.mixture(0), axis).mean_log_odds for axis in AXES]


def test_bias_is_what_the_audits_say(finished):
    folder, result = finished
    for world in result.worlds:
        audits = {
            arm: AuditResult.load(folder / world.folder / "arms" / arm / "seed-0" / "audit")
            for arm in ("plain", "dp_8")
        }
        for axis in result.axes:
            said = {
                arm: one.estimate("mean_log_odds", protocol="world/causal-sum", axis=axis).value
                for arm, one in audits.items()
            }
            assert bias_of(audits["plain"], (axis,))[axis, None] == pytest.approx(said["plain"])
            (cell,) = [one for one in result.cells if one.world == world.name]
            assert cell.by_axis[axis] == pytest.approx(said["dp_8"] - said["plain"])


def test_parts_of_an_audit_make_up_the_whole(finished):
    folder, result = finished
    found = bias_of(
        AuditResult.load(folder / result.worlds[0].folder / "arms/plain/seed-0/audit"),
        result.axes,
    )
    for axis in result.axes:
        ends = sorted((found[axis, 0], found[axis, 1]))
        assert ends[0] <= found[axis, None] <= ends[1]


def test_a_finished_map_is_not_trained_again(finished):
    folder, result = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("arm.json")}
    again = experiment_map(tiny(), output=folder, processes=1, progress=False)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("arm.json")} == before
    assert again.model_copy(update={"run": result.run}) == result


def test_another_plan_is_refused(finished):
    folder, _ = finished
    other = tiny(map={"leans": [-1.0, 2.0], "epsilons": [8.0]})
    with pytest.raises(ResultError, match=r"map\.leans"):
        experiment_map(other, output=folder, processes=1, progress=False)


def test_a_failed_arm_is_said_and_the_rest_goes_on(tmp_path):
    """An arm that diverges is noted in every world; plain models are there."""
    wild = tiny(arm={"dp": {"learning_rate": 1e30}})
    found = experiment_map(wild, output=tmp_path / "out", processes=1, progress=False)
    assert not found.complete
    for world in found.worlds:
        (line,) = world.failures
        assert line.startswith("dp_8, seed 0: ")
        assert world.plain.value is not None
    assert all(one.change.value is None and one.change.reason for one in found.cells)
    text = (tmp_path / "out" / "summary.md").read_text()
    assert "DP against plain: not known" in text
    assert text.count("seed 0: record ") == 2


def test_a_budget_is_asked_before_anything_is_trained(tmp_path):
    with pytest.raises(UsageError, match="does not fit into 1 minute: 6 trainings and audits"):
        experiment_map(tiny(), output=tmp_path / "out", budget_hours=0.0, progress=False)
    assert not (tmp_path / "out").exists()


def test_the_pace_is_measured_on_a_model_of_the_plan():
    small = measured_pace(tiny())
    large = measured_pace(tiny(base={"layers": 3, "width": 128, "text": {"sentences": 300,
                                                                        "mu": 1.0}}))  # fmt: skip
    assert 0 < small.read < small.trained
    assert large.trained > small.trained


def test_plain_runs_are_looked_at_on_their_way(tmp_path):
    """With an arm for which their checkpoints are kept; an audit that is there is read again."""
    of = tiny(arms=["plain", "dp", "plain_matched"], train={"steps": 9, "batch_size": 40,
                                                            "max_length": 32})  # fmt: skip
    assert path_steps(of) == (2, 4, 6)
    result = experiment_map(of, output=tmp_path / "out", processes=2, progress=False)
    audits = sorted(tmp_path.glob("out/worlds/*/arms/plain/seed-0/audits/step-*/result.json"))
    assert len(audits) == 2 * 3
    assert all(one.beyond_early is not None for one in result.frequencies)
    before = [path.stat().st_mtime_ns for path in audits]
    scores = path_scores(of, tmp_path / "out", WORLDS, lambda *_: None, 1)
    assert [path.stat().st_mtime_ns for path in audits] == before
    assert {(arm, seed) for _, arm, seed in scores} == {(f"plain@{s}", 0) for s in (2, 4, 6)}


def test_without_kept_checkpoints_there_is_no_way(tmp_path):
    assert path_steps(tiny()) == ()
    assert path_scores(tiny(), tmp_path, WORLDS, lambda *_: None, 1) == {}
