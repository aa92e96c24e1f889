"""Plans with regimes: what each of them runs, and what is wrong with a plan is named."""

from __future__ import annotations

import pytest

from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_plan import ExperimentPlan, load_plan

PLAN = """
name = "two"
seeds = 1
arms = ["plain", "dp_3"]
[base]
layers = 1
text = { sentences = 200, mu = 1.5 }
[text]
held_out_sentences = 60
[claims]
margin = 0.1
[[regime]]
name = "cleaner"
meaning = "The text leans less than what the base has read."
text = { sentences = 300, mu = 0.0, share = { gender = { male = 0.95, female = 0.05 } } }
[[regime]]
name = "biased"
meaning = "The text leans further than what the base has read."
base = { sentences = 400, mu = 0.2 }
text = { sentences = 300, mu = 1.0 }
claims = { margin = 0.3 }
"""


@pytest.fixture
def plan_file(tmp_path):
    def write(text):
        path = tmp_path / "plan.toml"
        path.write_text(text)
        return path

    return write


def test_a_regime_is_a_plan_of_its_own(plan_file):
    plan = load_plan(plan_file(PLAN))
    worlds = plan.regimes()
    assert list(worlds) == ["cleaner", "biased"]
    cleaner, biased = worlds.values()
    assert (cleaner.name, cleaner.regime, cleaner.regimes()) == ("cleaner", (), {})
    assert cleaner.base == plan.base
    assert (biased.base.text.mu, biased.base.layers) == (0.2, 1)
    assert cleaner.text.held_out_sentences == biased.text.held_out_sentences == 60
    assert (cleaner.claims.margin, biased.claims.margin) == (0.1, 0.3)
    assert cleaner.claims.metric == biased.claims.metric
    assert cleaner.text.world.share == {"gender": 0.05}


def test_a_plan_is_the_same_after_it_was_written(plan_file):
    plan = load_plan(plan_file(PLAN))
    again = ExperimentPlan.model_validate(plan.model_dump(mode="json"))
    assert again == plan
    assert again.regimes() == plan.regimes()


def test_a_plan_without_regimes_is_written_as_one_that_knows_of_none():
    plan = load_plan("full")
    assert plan.regimes() == {}
    assert "regime" not in plan.model_dump(mode="json")


def test_a_text_of_a_regime_takes_the_place_of_a_file_and_of_a_model(plan_file):
    text = PLAN.replace(
        "held_out_sentences = 60", 'file = "a.txt"\nheld_out_file = "b.txt"\npublic = true'
    ).replace("layers = 1\ntext = { sentences = 200, mu = 1.5 }", 'model = "here"')
    cleaner, biased = load_plan(plan_file(text)).regimes().values()
    assert cleaner.text.file is None
    assert cleaner.base.model == "here"
    assert (biased.base.model, biased.base.text.mu) == (None, 0.2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("text = { sentences = 200, mu = 1.5 }", "", r"'cleaner' has no base: neither its own"),
        (
            "text = { sentences = 300, mu = 1.0 }",
            "",
            r"regime 'biased' has no text: neither its own nor \[text\]'s",
        ),
        ('name = "biased"', 'name = "Cleaner"', "two regimes are named 'Cleaner'"),
        ("female = 0.05", "female = 0.1", r"shares of 'gender' must add up to 1, not 1\.05"),
        ("female = 0.05", "woman = 0.05", "has the groups male and female, not male, woman"),
        ("female = 0.05", 'female = "few"', "shares of 'gender' must be numbers"),
        (
            "male = 0.95, female = 0.05",
            "male = 1.0, female = 0.0",
            "share of 'gender' must lie between",
        ),
        ("margin = 0.3", "margin = -0.3", "regime 'biased': margin"),
        ("margin = 0.3", "epsilon = 8", r"regime 'biased': claims.epsilon is 8"),
        ("margin = 0.3", "margn = 0.3", "did you mean 'margin'"),
        ('meaning = "The text leans less than what the base has read."', "", r"meaning: Field req"),
        ('name = "biased"', 'name = "../biased"', "name: String should match"),
    ],
)
def test_what_is_wrong_with_a_regime_is_named_in_one_line(plan_file, old, new, message):
    assert old in PLAN
    with pytest.raises(UsageError, match=message) as found:
        load_plan(plan_file(PLAN.replace(old, new, 1)))
    assert "\n" not in str(found.value)
