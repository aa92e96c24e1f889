"""Plans: what arms mean, and that a typing error is found before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from fairaudit.errors import ResultError, UsageError
from fairaudit.experiments.experiment_plan import BUILT_IN, is_trainable, load_plan
from fairaudit.experiments.plan_checks import claim_folder
from fairaudit.experiments.train_arm import mechanism, snapshot_steps

PLAN = """
name = "tiny"
seeds = 1
arms = ["plain", "dp_3"]
[base]
text = { sentences = 200 }
[text]
world = { sentences = 200 }
[train]
steps = 5
learning_rate = 1e-3
[arm.dp_3]
learning_rate = 2e-3
"""


@pytest.fixture
def plan_file(tmp_path):
    def write(text):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_built_in_plans_are_plans(name):
    plan = load_plan(name)
    assert plan.seeds >= 3
    assert {"plain", "cda", "dp_3", "dp_cda_3"} <= set(plan.arms)


def test_settings_of_an_arm_go_over_those_of_train(plan_file):
    plan = load_plan(plan_file(PLAN))
    assert plan.settings("plain") == {"steps": 5, "learning_rate": 1e-3}
    assert plan.settings("dp_3") == {"steps": 5, "learning_rate": 2e-3}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"dp_3"]', '"dpp_3"]', r"'dpp_3' is no arm; did you mean dp_3\?"),
        ('"dp_3"]', '"plain"]', "named twice"),
        ("seeds = 1", "sedes = 1", r"unknown key 'sedes'; did you mean 'seeds'\?"),
        ("[train]", "[trian]", r"unknown key 'trian'; did you mean 'train'\?"),
        ("[arm.dp_3]", "[arm.dp_8]", r"\[arm\.dp_8\] has settings"),
        ("steps = 5", "steps = 0", "train.steps"),
        ("seeds = 1", "seeds = 1\ndiagnose_every = 2\ndiagnose_times = 2", "not both"),
        ("seeds = 1", "seeds = ", "not TOML"),
        ('"dp_3"]', '"dp_3", "plain_matched_8"]', "needs the arm 'dp_8'"),
        ("seeds = 1", 'seeds = 1\naxes = ["gendr"]', "'gendr' is no axis of the known world"),
        ("[train]", '[claims]\nmetric = "mean_logodds"\n[train]', "did you mean mean_log_odds"),
        ("[train]", "[claims]\nepsilon = 8\n[train]", "no arm is 'dp_8'"),
        (
            "sentences = 200 }\n[train]",
            "sentences = 200, mu = { gendr = 1 } }\n[train]",
            "'gendr' is no axis",
        ),
        ("sentences = 200 }\n[train]", "sentences = 200, people = 0.95 }\n[train]", "leave room"),
        ("text = { sentences = 200 }", "", "base: give either 'model' or 'text'"),
    ],
)
def test_what_is_wrong_with_a_plan_is_named(plan_file, old, new, message):
    assert old in PLAN
    with pytest.raises(UsageError, match=message):
        load_plan(plan_file(PLAN.replace(old, new, 1)))


@pytest.mark.parametrize(
    ("line", "steps", "apart"),
    [
        ("", 40, None),
        ("diagnose_every = 3", 40, 3),
        ("diagnose_times = 4", 40, 10),
        ("diagnose_times = 4", 18, 5),
        ("diagnose_times = 50", 40, 1),
    ],
)
def test_gradients_are_looked_at_in_a_rhythm(plan_file, line, steps, apart):
    plan = load_plan(plan_file(PLAN.replace("seeds = 1", f"seeds = 1\n{line}", 1)))
    assert plan.diagnose_apart(steps) == apart


def test_a_missing_plan_names_the_built_in_ones():
    with pytest.raises(UsageError, match=r"no built-in plan \(demo, full, regimes\)"):
        load_plan("nowhere.toml")


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ("plain", {}),
        ("cda", {"cda": ("gender", "race"), "cda_mode": "averaged"}),
        ("clip_only", {"ablation": "clip_only"}),
        ("noise_only_3", {"ablation": "noise_only", "epsilon": 3.0}),
        ("dp_0.5", {"epsilon": 0.5}),
        ("dp_cda_3", {"epsilon": 3.0, "cda": ("gender", "race"), "cda_mode": "averaged"}),
        ("dp_cda_separate_3", {"epsilon": 3.0, "cda": ("gender", "race"), "cda_mode": "separate"}),
        (
            "dp_cda_row_20",
            {"row_epsilon": 20.0, "cda": ("gender", "race"), "cda_mode": "separate"},
        ),
    ],
)
def test_an_arm_is_what_its_name_says(arm, expected):
    assert mechanism(arm, ("gender", "race")) == expected


@pytest.mark.parametrize("name", ["", "dp", "dp_", "dp_x", "dp_-3", "plain_3", "base", "DP_3"])
def test_other_words_are_no_arms(name):
    assert not is_trainable(name)


def test_snapshots_are_denser_at_the_start():
    marks = snapshot_steps(169)
    assert marks == (1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144)
    assert all(0 < mark < 5 for mark in snapshot_steps(5))


@pytest.mark.parametrize("name", ["distilgpt2-wikitext103", "gpt2-mini"])
def test_the_plans_of_the_paper_are_plans(name):
    folder = Path(__file__).parents[2] / "benchmarks" / "paper"
    found = load_plan(folder / f"{name}.toml")
    assert found.name == name
    assert found.claims.epsilon == 3
    assert {"plain", "cda", "dp_3", "dp_cda_3"} <= set(found.arms)


def test_a_folder_whose_plan_was_not_finished_is_claimed_again(plan_file, tmp_path):
    """Killed while it wrote its plan; found by killing experiments at random points."""
    plan = load_plan(plan_file(PLAN))
    output = tmp_path / "out"
    output.mkdir()
    (output / ".lock").touch()
    (output / ".plan.json.partial").write_text("{")
    claim_folder(plan, output, {})
    assert {path.name for path in output.iterdir()} == {".lock", "plan.json"}


def test_a_folder_of_others_is_not_claimed(plan_file, tmp_path):
    plan = load_plan(plan_file(PLAN))
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(ResultError, match="holds no experiment"):
        claim_folder(plan, tmp_path, {})
