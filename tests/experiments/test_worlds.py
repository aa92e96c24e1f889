"""Several worlds in one pool: in order, bases shared, nothing done twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairaudit.errors import ResultError, UsageError
from fairaudit.experiments.asked_suites import Questions
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.experimenting import experiment
from fairaudit.experiments.grid import Cell, Grid
from fairaudit.experiments.parallel_arms import spread
from fairaudit.experiments.plan_checks import check_plan
from fairaudit.experiments.worlds import ArmOf, needs_of, order_of, run_worlds
from fairaudit.results.loading import load_result

pytestmark = pytest.mark.long


def three(**changes) -> ExperimentPlan:
    """Two worlds with one base, and one with another."""
    return ExperimentPlan.model_validate(
        {
            "name": "three",
            "seeds": 1,
            "axes": ["gender"],
            "arms": ["plain_matched_8", "plain", "dp_8"],
            "base": {"layers": 1, "width": 16, "steps": 3, "text": {"sentences": 300}},
            "text": {"held_out_sentences": 50},
            "audit": {"quick": True},
            "train": {"steps": 2, "batch_size": 30, "max_length": 32, "learning_rate": 1e-3},
            "regime": [
                {"name": "more", "meaning": "More.", "text": {"sentences": 120, "mu": 1.0}},
                {"name": "less", "meaning": "Less.", "text": {"sentences": 120, "mu": -1.0}},
                {
                    "name": "other",
                    "meaning": "Another base.",
                    "base": {"sentences": 200, "mu": 1.0},
                    "text": {"sentences": 120},
                },
            ],
            **changes,
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worlds") / "three"
    told = []
    result = experiment(
        three(), output=folder, processes=2, progress=lambda *step: told.append(step)
    )
    return folder, result, told


def test_every_world_has_its_folder_and_its_runs(finished):
    folder, result, told = finished
    assert result.complete
    assert [(one.name, one.meaning) for one in result.regimes] == [
        ("more", "More."),
        ("less", "Less."),
        ("other", "Another base."),
    ]
    for regime in result.regimes:
        assert [(run.arm, run.status) for run in regime.runs] == [
            (arm, "done") for arm in ("base", "plain", "dp_8", "plain_matched_8")
        ]
        own = folder / "regimes" / regime.name
        assert all((own / run.audit / "result.json").exists() for run in regime.runs)
        assert load_result(own) == regime
        assert (own / "report.html").exists()
    assert ("arms", 12, 12) in told
    assert load_result(folder) == result


def test_each_world_is_measured_against_its_own_text(finished):
    implied = {
        regime.name: level.implied
        for regime in finished[1].regimes
        for level in regime.levels
        if (level.arm, level.name, level.group) == ("plain", "mean_log_odds", None)
    }
    assert implied["more"] - implied["less"] == pytest.approx(2.0)
    assert implied["other"] == pytest.approx((implied["more"] + implied["less"]) / 2)


def test_worlds_with_one_base_share_it(finished):
    folder = finished[0]
    assert len(list((folder / "bases").iterdir())) == 2
    assert len(list((folder / "asked").iterdir())) == 1
    assert not list(folder.glob("regimes/*/base"))


def test_the_page_names_every_regime(finished):
    page = (finished[0] / "report.html").read_text()
    for regime in finished[1].regimes:
        assert f'href="regimes/{regime.name}/report.html"' in page
        assert (finished[0] / "regimes" / regime.name / "report.html").exists()
    assert (finished[0] / "figures" / "regimes.png").exists()


def test_a_second_call_trains_nothing(finished):
    folder, result, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    plan = three()
    again = run_worlds(plan.regimes(), folder, processes=1, whole=plan)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")} == before
    seen = {regime.name: [run.perplexity for run in regime.runs] for regime in result.regimes}
    assert {name: [run.perplexity for run in runs] for name, runs in again.items()} == seen


def test_another_plan_is_refused_with_the_difference(finished):
    other = three(seeds=2)
    with pytest.raises(ResultError, match="seeds = 1, the plan says 2"):
        run_worlds(other.regimes(), finished[0], whole=other)


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    for whole in (None, three()):
        with pytest.raises(ResultError, match="holds no experiment"):
            run_worlds(three().regimes(), tmp_path, whole=whole)


def test_arms_come_seed_by_seed_and_matched_ones_last():
    found = order_of(list(three(seeds=2).regimes().values()))
    assert len(found) == len(set(found)) == 24
    assert [one.cell.seed for one in found] == [0] * 12 + [1] * 12
    assert [one.world for one in found[:12] if one.cell.is_matched] == [0, 1, 2]
    assert all(one.cell.is_matched for one in found[9:12])


def test_an_arm_waits_for_its_own_base_and_partners_only():
    plans = list(three().regimes().values())
    worlds = [
        Grid(plan, Path(plan.name), base, Questions((), None))
        for plan, base in zip(plans, ("one", "one", "two"), strict=True)
    ]
    todo = order_of(plans)
    after = needs_of(worlds, todo, ["two"])
    at = {one: place for place, one in enumerate(todo, start=1)}
    assert after[at[ArmOf(0, Cell("dp_8", 0))]] == set()
    assert after[at[ArmOf(2, Cell("dp_8", 0))]] == {0}
    partners = {at[ArmOf(2, Cell(arm, 0))] for arm in ("base", "plain", "dp_8")}
    assert after[at[ArmOf(2, Cell("plain_matched_8", 0))]] == {0} | partners


def test_work_is_done_in_order_as_soon_as_what_it_needs_is_there(tmp_path):
    """The first of four waits for the third, and then goes before the fourth."""
    log = tmp_path / "log"
    work = [(log, name) for name in "abcd"]
    assert spread(_noted, work, 1, lambda: None, {0: {2}}) == list("abcd")
    assert log.read_text() == "bcad"


def _noted(work):
    log, name = work
    with log.open("a") as stream:
        stream.write(name)
    return name


def test_epsilon_of_regimes_on_one_file_adds_up(tmp_path):
    for name, count in (("train.txt", 200), ("held.txt", 60)):
        (tmp_path / name).write_text("\n".join(f"Line {place}." for place in range(count)))
    text = {"file": str(tmp_path / "train.txt"), "held_out_file": str(tmp_path / "held.txt")}
    regimes = [{"name": name, "meaning": "A base."} for name in ("a", "b", "c")]
    plan = three(text=text, arms=["plain", "dp_8"], regime=regimes)
    with pytest.raises(UsageError, match="the 3 private models of this experiment"):
        run_worlds(plan.regimes(), tmp_path / "out", whole=plan)
    with pytest.raises(UsageError, match="the 1 private models"):
        check_plan(plan.regimes()["a"])
    assert not (tmp_path / "out").exists()
