"""The grid on a miniature world: every arm runs, nothing is done twice, a failure stays apart."""

from __future__ import annotations

import json
import math
import shutil

import pytest
from pydantic import ValidationError

from fairaudit.errors import DataError, FairauditError, ResultError, UsageError
from fairaudit.experiments import grid
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.experimenting import experiment
from fairaudit.experiments.plan_checks import check_plan, claim_folder, joint_epsilon
from fairaudit.experiments.utility import text_perplexity
from fairaudit.results import ComparisonResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.locks import alone_in
from fairaudit.training.accounting import epsilon
from fairaudit.training.finetuning_plan import make_plan
from fairaudit.training.recipe import Recipe

pytestmark = pytest.mark.long


def tiny(**changes) -> ExperimentPlan:
    return ExperimentPlan.model_validate(
        {
            "name": "tiny",
            "seeds": 1,
            "arms": ["plain", "plain_matched_8", "dp_8", "dp_cda_8"],
            "base": {"layers": 1, "width": 16, "steps": 3, "text": {"sentences": 300}},
            "text": {"world": {"sentences": 120, "mu": 1.0}, "held_out_sentences": 50},
            "audit": {"quick": True},
            "train": {"steps": 3, "batch_size": 30, "max_length": 32, "learning_rate": 1e-3},
            **changes,
        }
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment") / "tiny"
    told = []
    result = experiment(tiny(), output=folder, progress=lambda *step: told.append(step))
    return folder, result, told


def test_every_arm_is_trained_audited_and_kept(finished):
    folder, result, told = finished
    assert result.complete
    assert [run.arm for run in result.runs] == ["base", "plain", "dp_8", "dp_cda_8",
                                                "plain_matched_8"]  # fmt: skip
    for run in result.runs:
        assert (folder / run.audit / "result.json").exists()
        assert run.perplexity > 1
    private = {run.arm: run.epsilon for run in result.runs}
    assert 0 < private["dp_8"] <= 8
    assert 0 < private["dp_cda_8"] <= 8
    assert private["plain"] is None
    assert ("arms", 5, 5) in told
    assert ExperimentResult.load(folder) == result


def test_the_matched_arm_is_the_nearest_checkpoint_of_the_plain_run(finished):
    folder, result, _ = finished
    runs = {run.arm: run for run in result.runs}
    known = [
        runs["base"].perplexity,
        runs["plain"].perplexity,
        *(
            json.loads(path.read_text())["perplexity"]
            for path in folder.glob("arms/plain/seed-0/snapshots/*/held_out.json")
        ),
    ]
    assert len(known) > 2
    wanted = runs["dp_8"].perplexity
    assert runs["plain_matched_8"].perplexity in known
    assert abs(runs["plain_matched_8"].perplexity / wanted - 1) == min(
        abs(value / wanted - 1) for value in known
    )
    gained = math.log(runs["base"].perplexity / runs["plain"].perplexity)
    assert gained > 0
    assert runs["plain_matched_8"].match_gap == pytest.approx(
        abs(math.log(runs["plain_matched_8"].perplexity / wanted)) / gained
    )


def test_perplexities_of_base_and_arms_are_of_rows_of_one_length(finished):
    """The fine-tuner measures the base too, on rows cut at the length of the plan."""
    folder, result, _ = finished
    kept = json.loads((folder / "arms/plain/seed-0/model/private/held_out.json").read_text())
    assert result.runs[0].perplexity == pytest.approx(kept["base"], rel=1e-5)
    texts = ["a sentence about nobody that is much longer than a few tokens"] * 60
    assert text_perplexity(folder / "base", texts) != pytest.approx(
        text_perplexity(folder / "base", texts, max_length=4), rel=1e-3
    )


def test_levels_stand_beside_what_the_world_implies(finished):
    _, result, _ = finished
    of_plain = [level for level in result.levels if level.arm == "plain"]
    assert {level.axis for level in of_plain} == {"gender", "religion", "race"}
    assert {level.group for level in of_plain} == {None, "covered", "uncovered"}
    assert all(level.implied is not None for level in of_plain)
    # What text with twins implies hangs on the lexicon.
    assert {level.implied for level in result.levels if level.arm == "dp_cda_8"} == {None}


def test_one_seed_decides_nothing(finished):
    found = {claim.finding for claim in finished[1].claims}
    assert found <= {"undecided", "not_applicable"}
    assert "undecided" in found


def test_comparisons_of_each_seed_are_written(finished):
    compared = ComparisonResult.load(finished[0] / "comparisons" / "seed-0")
    assert compared.baseline == "plain"
    assert "base" in compared.candidates


def test_a_second_call_trains_nothing(finished):
    folder, result, _ = finished
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")}
    again = experiment(tiny(), output=folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("model.safetensors")} == before
    assert again.levels == result.levels
    assert again.claims == result.claims


def test_another_plan_is_refused_with_the_difference(finished):
    with pytest.raises(ResultError, match=r"train\.steps = 3, the plan says 4"):
        experiment(tiny(train={"steps": 4, "batch_size": 30, "max_length": 32,
                               "learning_rate": 1e-3}), output=finished[0])  # fmt: skip


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ResultError, match="holds no experiment"):
        experiment(tiny(), output=tmp_path)


def test_a_second_process_is_kept_out(tmp_path):
    """Not by the lock's file, which stays: by the process that holds it."""
    folder = tmp_path / "out"
    with (
        alone_in(folder, "running this experiment"),
        pytest.raises(ResultError, match="another process is running"),
    ):
        experiment(tiny(), output=folder)
    assert [path.name for path in folder.iterdir()] == [".lock"]
    with alone_in(folder, "running this experiment"):
        claim_folder(tiny(), folder, {})


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResultError, match="cannot be written"):
        experiment(tiny(), output=tmp_path / "file" / "out")


def test_an_arm_that_diverges_is_marked_and_the_rest_goes_on(tmp_path):
    plan = tiny(arms=["plain", "clip_only"], arm={"plain": {"learning_rate": 1e30}})
    result = experiment(plan, output=tmp_path / "out")
    status = {run.arm: run.status for run in result.runs}
    assert status == {"base": "done", "plain": "failed", "clip_only": "done"}
    assert not result.complete
    failed = next(run for run in result.runs if run.arm == "plain")
    assert "NaN" in failed.reason
    assert any("plain, seed 0 failed" in note for note in result.notes)


def test_an_arm_that_diverges_at_a_snapshot_is_marked_too(tmp_path):
    """Its parameters are huge, but numbers; its perplexity is none."""
    plan = tiny(
        arms=["plain", "dp_8", "plain_matched_8"],
        arm={"plain": {"learning_rate": 1e4}, "dp_8": {"learning_rate": 1e-3}},
    )
    result = experiment(plan, output=tmp_path / "out", processes=1)
    status = {run.arm: run.status for run in result.runs}
    assert status == {"base": "done", "plain": "failed", "dp_8": "done",
                      "plain_matched_8": "failed"}  # fmt: skip


def test_an_arm_that_failed_is_tried_again_and_the_result_is_whole(finished, tmp_path, monkeypatch):
    folder = tmp_path / "again"
    shutil.copytree(finished[0], folder)
    place = folder / "arms" / "dp_8" / "seed-0"
    shutil.rmtree(place)

    def fail(*_, **__):
        raise DataError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(grid, "train_arm", fail)
        first = experiment(tiny(), output=folder, processes=1)
    assert not first.complete
    second = experiment(tiny(), output=folder, processes=1)
    assert second.complete
    assert ExperimentResult.load(folder).complete
    compared = ComparisonResult.load(folder / "comparisons" / "seed-0")
    assert "dp_8" in compared.candidates


def test_a_damaged_audit_is_done_again(finished, tmp_path):
    folder = tmp_path / "again"
    shutil.copytree(finished[0], folder)
    arms = folder / "arms"
    (arms / "dp_8" / "seed-0" / "audit" / "result.json").write_text("{")
    # As a process leaves them that is killed while it writes.
    (arms / "plain" / "seed-0" / "audit" / "result.json").unlink()
    (arms / "plain" / "seed-0" / "arm.json").unlink()
    again, before = experiment(tiny(), output=folder, processes=1), finished[1]
    assert again.complete
    values = {(one.arm, one.axis, one.group, one.name): one.value for one in before.levels}
    assert {(one.arm, one.axis, one.group, one.name): one.value for one in again.levels} == (
        pytest.approx(values, abs=1e-3)
    )


def test_an_edited_path_removes_nothing_beside_the_experiment(finished, tmp_path):
    """Issue 18, item 16: the audit there is damaged, so it would be removed and made again."""
    folder, victim = tmp_path / "again", tmp_path / "victim"
    shutil.copytree(finished[0], folder)
    victim.mkdir()
    (victim / "letter.txt").write_text("dear")
    place = folder / "arms" / "dp_8" / "seed-0" / "arm.json"
    content = json.loads(place.read_text())
    for name in ("../victim", str(victim), "arms/dp_8/seed-0/model", "arms/plain/seed-0/audit"):
        place.write_text(json.dumps({**content, "audit": name}))
        before = sorted(path.name for path in (folder / "arms/dp_8/seed-0").iterdir())
        with pytest.raises(ResultError, match="remove the file to audit the arm again"):
            experiment(tiny(), output=folder, processes=1)
        assert (victim / "letter.txt").read_text() == "dear"
        assert sorted(path.name for path in (folder / "arms/dp_8/seed-0").iterdir()) == before


@pytest.mark.parametrize("name", ["arms", "arms/dp_8", "arms/dp_8/seed-0/audit", "comparisons"])
def test_links_out_of_an_experiment_are_not_followed(finished, tmp_path, name):
    """Issue 18, item 16: what is made again would be removed, or written, elsewhere."""
    folder, victim = tmp_path / "again", tmp_path / "victim"
    shutil.copytree(finished[0], folder)
    shutil.move(folder / name, victim)
    (folder / name).symlink_to(victim)
    for damaged in victim.rglob("result.json"):
        damaged.write_text("{")
    before = {path: path.stat().st_mtime_ns for path in victim.rglob("*")}
    with pytest.raises(ResultError, match="link out of"):
        experiment(tiny(), output=folder, processes=1)
    assert {path: path.stat().st_mtime_ns for path in victim.rglob("*")} == before


def test_what_lies_beside_an_unchanged_comparison_stays(finished):
    folder = finished[0]
    note = folder / "comparisons" / "seed-0" / "note.txt"
    note.write_text("mine")
    experiment(tiny(), output=folder, processes=1)
    assert note.read_text() == "mine"


def test_a_damaged_plan_is_one_line(finished, tmp_path):
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(ResultError, match="damaged"):
        claim_folder(tiny(), tmp_path, {})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"arm": {"dp_8": {"batch_size": 500}}}, UsageError, "batch"),
        ({"base": {"model": "./no/such/model"}}, FairauditError, "no/such/model"),
        ({"text": {"file": "nowhere.txt", "held_out_file": "nowhere.txt"}}, DataError, "nowhere"),
    ],
)
def test_what_cannot_run_is_said_before_a_folder_is_claimed(tmp_path, changes, error, message):
    """So a corrected plan finds the folder free."""
    with pytest.raises(error, match=message):
        experiment(tiny(**changes), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_arms_of_other_row_lengths_are_not_matched():
    with pytest.raises(ValidationError, match="need one max_length, not 20 and 32"):
        tiny(arm={"plain": {"max_length": 20}})


def test_text_that_changed_between_two_calls_is_refused(tmp_path):
    plan, folder = tiny(), tmp_path / "out"
    folder.mkdir()
    claim_folder(plan, folder, {"train.txt": "abc"})
    claim_folder(plan, folder, {"train.txt": "abc"})
    with pytest.raises(ResultError, match=r"inputs\.train\.txt = abc, the plan says abd"):
        claim_folder(plan, folder, {"train.txt": "abd"})


@pytest.fixture
def text_file(tmp_path):
    """A plan's text in files of its own."""
    for name, count in (("train.txt", 400), ("held.txt", 60)):
        lines = (f"The old nurse number {place} saw the snow." for place in range(count))
        (tmp_path / name).write_text("\n".join(lines))
    return {
        "file": str(tmp_path / "train.txt"),
        "held_out_file": str(tmp_path / "held.txt"),
    }


def test_a_text_that_may_be_private_is_asked_about_before_anything_is_trained(text_file, tmp_path):
    """Issue 22: seeds and arms on one text add up, and nothing said so."""
    changes = {"audit": {"suites": ["templates"]}, "claims": {"metric": "mean_log_odds"}}
    with pytest.raises(UsageError, match=r"may be private, and the . private models") as found:
        experiment(tiny(text=text_file, **changes), output=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    needed = float(str(found.value).split("total_epsilon = ")[1].split(",")[0])
    check_plan(tiny(text={**text_file, "total_epsilon": needed}, **changes))
    check_plan(tiny(text={**text_file, "public": True}, **changes))
    with pytest.raises(UsageError, match="say public = true"):
        check_plan(tiny(text={**text_file, "total_epsilon": needed / 2}, **changes))


def test_seeds_and_arms_on_one_text_add_up():
    one = make_plan(Recipe(noise_multiplier=1.0, steps=20, batch_size=20, delta=1e-5), 400)
    assert joint_epsilon([one], 3) == epsilon(1.0, 0.05, 60, 1e-5)
    assert joint_epsilon([one, one], 3) == pytest.approx(epsilon(1.0, 0.05, 120, 1e-5), abs=0.02)
    assert joint_epsilon([], 3) == 0.0


def test_the_same_text_and_data_may_lie_elsewhere(tmp_path):
    """Issue 18, item 13: what counts are bytes, not paths."""
    folder = tmp_path / "out"
    folder.mkdir()

    def claim(place, text="abc", held_out="def"):
        plan = tiny(
            arms=["plain"],
            text={"file": f"{place}/train.txt", "held_out_file": f"{place}/held.txt"},
            audit={"suites": ["templates"], "data": place},
        )
        inputs = {f"{place}/train.txt": text, f"{place}/held.txt": held_out}
        claim_folder(plan, folder, inputs)

    claim("here")
    claim("elsewhere")
    with pytest.raises(ResultError, match=r"text\.file = abc, the plan says abd"):
        claim("elsewhere", text="abd")
    with pytest.raises(ResultError, match=r"text\.held_out_file = def, the plan says abc"):
        claim("here", held_out="abc")


def test_arms_side_by_side_give_what_they_give_one_after_another(tmp_path):
    plan = tiny(seeds=2, arms=["plain", "clip_only"], arm={"clip_only": {"learning_rate": 1e30}})
    told = []
    apart = experiment(
        plan, output=tmp_path / "two", processes=2, progress=lambda *step: told.append(step)
    )
    alone = experiment(plan, output=tmp_path / "one", processes=1)
    for result in (apart, alone):
        assert [(run.arm, run.seed, run.status) for run in result.runs] == [
            (arm, seed, "failed" if arm == "clip_only" else "done")
            for seed in range(2)
            for arm in ("base", "plain", "clip_only")
        ]
    values = [
        {(one.arm, one.axis, one.group, one.name): one.by_seed for one in result.levels}
        for result in (apart, alone)
    ]
    assert values[0].keys() == values[1].keys()
    for key, by_seed in values[0].items():
        assert by_seed == pytest.approx(values[1][key], abs=1e-3), key
    assert told[0][0] == "pre-training the base model"
    assert ("arms", 6, 6) in told
    assert told[-1][0] == "comparing the arms of each seed"


def test_a_matched_arm_waits_for_its_partners_in_other_processes(tmp_path):
    result = experiment(tiny(), output=tmp_path / "out", processes=3)
    assert [(run.arm, run.status) for run in result.runs] == [
        (arm, "done") for arm in ("base", "plain", "dp_8", "dp_cda_8", "plain_matched_8")
    ]
    assert result.complete
