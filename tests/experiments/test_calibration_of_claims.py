"""Under a null regime, where the text says what the base says, amplification is rarely claimed.

Two regimes were recorded once each: base, plain and DP at ε = 3 of the plan beside them.
Experiments are simulated by resampling their seeds.

- ``null_regime.json``: the text leans as the base *speaks*, so that plain fine-tuning leaves it
  where it is. How much lean that takes was found on other runs.
- ``same_text.json``: the text is drawn as what the base has *read*. So short a fine-tuning loses a
  fifth to a quarter of the lean then, and the private arm keeps more of it. The null of the claim
  is this record less its mean differences.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.seed_claims import bias_claims_of, only_with_premise

NULL, SAME_TEXT = "null_regime.json", "same_text.json"
EXPERIMENTS = 400


@cache
def recorded(name: str) -> tuple[ExperimentPlan, dict]:
    content = json.loads(Path(__file__).with_name(name).read_text("utf-8"))
    (plan,) = ExperimentPlan.model_validate(content["plan"]).regimes().values()
    return plan, content["by_seed"]


def supported(plan, by_seed, n_seeds, rng, shift) -> bool:
    """Whether one resampled experiment supports the claim on any axis."""
    some = next(iter(by_seed.values()))["plain"]
    drawn = rng.integers(len(some), size=n_seeds)
    scores = {
        axis: {
            (arm, place): values[seed] + (shift[axis] if arm == "dp_3" else 0.0)
            for arm, values in arms.items()
            for place, seed in enumerate(drawn)
        }
        for axis, arms in by_seed.items()
    }
    claims = only_with_premise(bias_claims_of(scores, plan))
    return any(one.finding == "supported" for one in claims if one.claim == "dp_amplifies_bias")


def means(by_seed):
    return {
        axis: float(np.mean(np.subtract(arms["dp_3"], arms["plain"])))
        for axis, arms in by_seed.items()
    }


def unchanged(by_seed) -> dict[str, float]:
    return dict.fromkeys(by_seed, 0.0)


def rate(name, n_seeds, shift, seed) -> float:
    plan, by_seed = recorded(name)
    rng = np.random.default_rng(seed)
    return float(
        np.mean([supported(plan, by_seed, n_seeds, rng, shift) for _ in range(EXPERIMENTS)])
    )


@pytest.mark.parametrize("name", [NULL, SAME_TEXT])
def test_a_record_has_every_seed_of_its_plan(name):
    plan, by_seed = recorded(name)
    assert set(by_seed) == set(plan.axes)
    assert {len(values) for arms in by_seed.values() for values in arms.values()} == {plan.seeds}


def test_plain_fine_tuning_leaves_the_base_of_the_null_regime_where_it_is():
    """On every axis the 95 % interval of plain minus base holds 0."""
    _, by_seed = recorded(NULL)
    for arms in by_seed.values():
        moved = np.subtract(arms["plain"], arms["base"])
        assert ttest_1samp(moved, 0.0).pvalue > 0.05


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_amplification_is_supported_in_at_most_five_percent_of_null_experiments(n_seeds):
    _, by_seed = recorded(NULL)
    assert rate(NULL, n_seeds, unchanged(by_seed), seed=2) <= 0.05


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_so_it_is_where_no_difference_is_left_in_the_mean(n_seeds):
    for name in (NULL, SAME_TEXT):
        _, by_seed = recorded(name)
        centred = {axis: -value for axis, value in means(by_seed).items()}
        assert rate(name, n_seeds, centred, seed=2) <= 0.05


def test_text_and_base_of_the_other_record_are_drawn_alike():
    plan, _ = recorded(SAME_TEXT)
    base, text = plan.base.text, plan.text.world
    assert base.model_copy(update={"sentences": text.sentences}) == text


def test_equal_text_does_not_make_a_recipe_neutral():
    """As recorded, with its mean differences, the claim is supported more often than by chance."""
    _, by_seed = recorded(SAME_TEXT)
    for arms in by_seed.values():
        assert np.mean(arms["plain"]) < np.mean(arms["dp_3"]) < np.mean(arms["base"]) + 0.02
    assert rate(SAME_TEXT, 3, unchanged(by_seed), seed=1) > 0.1


@pytest.mark.parametrize("name", [NULL, SAME_TEXT])
def test_the_same_experiments_find_an_amplification_that_is_there(name):
    _, by_seed = recorded(name)
    planted = {axis: 0.3 - value for axis, value in means(by_seed).items()}
    assert rate(name, 5, planted, seed=3) > 0.9
