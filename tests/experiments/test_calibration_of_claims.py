"""Under a null regime, where the text says what the base has read, amplification is rarely claimed.

The arms were recorded once: base, plain and DP at ε = 3 of the plan beside them. Experiments are
simulated by resampling their seeds. Text and base say the same in the record, yet the recipe does
not leave bias where it was: plain fine-tuning lost a fifth to a quarter of the base's lean, and the
private arm kept more of it. So the null of the claim is the record less its mean differences.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.seed_claims import bias_claims_of, only_with_premise

RECORDED = Path(__file__).with_name("null_regime.json")
EXPERIMENTS = 400


@cache
def recorded() -> tuple[ExperimentPlan, dict]:
    content = json.loads(RECORDED.read_text("utf-8"))
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


def rate(n_seeds, shift, seed) -> float:
    plan, by_seed = recorded()
    rng = np.random.default_rng(seed)
    return float(
        np.mean([supported(plan, by_seed, n_seeds, rng, shift) for _ in range(EXPERIMENTS)])
    )


def test_text_and_base_of_the_record_say_the_same():
    plan, by_seed = recorded()
    base, text = plan.base.text, plan.text.world
    assert base.model_copy(update={"sentences": text.sentences}) == text
    assert set(by_seed) == set(plan.axes)
    assert {len(values) for arms in by_seed.values() for values in arms.values()} == {plan.seeds}


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_amplification_is_supported_in_at_most_five_percent_of_null_experiments(n_seeds):
    _, by_seed = recorded()
    centred = {axis: -value for axis, value in means(by_seed).items()}
    assert rate(n_seeds, centred, seed=2) <= 0.05


def test_equal_text_does_not_make_a_recipe_neutral():
    """As recorded, with its mean differences, the claim is supported more often than by chance."""
    _, by_seed = recorded()
    for arms in by_seed.values():
        assert np.mean(arms["plain"]) < np.mean(arms["dp_3"]) < np.mean(arms["base"]) + 0.02
    assert rate(3, dict.fromkeys(by_seed, 0.0), seed=1) > 0.1


def test_the_same_experiments_find_an_amplification_that_is_there():
    _, by_seed = recorded()
    planted = {axis: 0.3 - value for axis, value in means(by_seed).items()}
    assert rate(5, planted, seed=3) > 0.9
