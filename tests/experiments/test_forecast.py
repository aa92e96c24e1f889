"""Power before anything is trained: what can be supported and refuted, and by what it is driven."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fairaudit.experiments.experiment_plan import ExperimentPlan, load_plan
from fairaudit.experiments.forecast import ASSUMED, forecast, simulate_claims


def powers(plan, **options):
    return {
        world.name: {one.claim: one for one in world.powers}
        for world in forecast(plan, simulated=40, **options).worlds
    }


@pytest.fixture(scope="module")
def regimes():
    return powers(load_plan("regimes"))


def test_a_regime_can_support_amplification_and_another_refute_it(regimes):
    for claim in ("dp_amplifies_bias", "explained_by_moving_less"):
        assert regimes["cleaner-text"][claim].supported > 0.8
    assert regimes["more-biased-text"]["dp_amplifies_bias"].not_supported > 0.8
    assert regimes["rare-group"]["gradients_converge_unequally"].supported > 0.8
    assert regimes["same-lean"]["gradients_converge_unequally"].not_supported > 0.8


def test_twins_remove_what_the_text_says_and_not_what_the_base_has_read(regimes):
    """A clean text has nothing to remove; a text that leans less than its base has."""
    removes = "cda_removes_amplification"
    assert regimes["cleaner-text"][removes].supported < 0.5
    own = load_plan("regimes").regimes()["cleaner-text"]
    world = own.text.world.model_copy(update={"mu": 2.0})
    base = own.base.text.model_copy(update={"mu": 4.0})
    leaning = own.model_copy(
        update={
            "text": own.text.model_copy(update={"world": world}),
            "base": own.base.model_copy(update={"text": base}),
        }
    )
    assert powers(leaning)[own.name][removes].supported > 0.8


def test_where_the_text_says_what_the_base_shows_amplification_is_rarely_supported():
    own = load_plan("regimes").regimes()["same-lean"]
    level = replace(ASSUMED, base_shows=1.0)
    rng = np.random.default_rng(3)
    found = [simulate_claims(own, rng, level) for _ in range(200)]
    amplified = [
        any(c.claim == "dp_amplifies_bias" and c.finding == "supported" for c in claims)
        for claims in found
    ]
    # Any of three axes, after Holm: one-sided 2.5 %.
    assert np.mean(amplified) <= 0.05


def test_power_grows_with_seeds_and_shrinks_with_spread():
    own = load_plan("demo").regimes()["cleaner-text"]
    weak = own.model_copy(update={"base": own.base.model_copy(update={"text": own.text.world})})
    assert powers(weak)[own.name]["dp_amplifies_bias"].supported < 0.2
    assert powers(own)[own.name]["dp_amplifies_bias"].supported > 0.8
    more = own.model_copy(update={"seeds": 8})
    few = own.model_copy(update={"seeds": 2})
    assert powers(few)[own.name]["dp_amplifies_bias"].supported == 0
    assert powers(more)[own.name]["dp_amplifies_bias"].supported > 0.95


def test_shares_add_up_and_the_same_seed_gives_the_same(regimes):
    again = powers(load_plan("regimes"))
    assert again == regimes
    for world in regimes.values():
        for one in world.values():
            total = one.supported + one.not_supported + one.not_applicable + one.undecided
            assert total == pytest.approx(1)


def test_the_time_grows_with_what_is_trained():
    demo = load_plan("demo")
    whole = forecast(demo, simulated=1)
    assert whole.runs == 30
    assert 60 < whole.core_seconds < 3600
    twice = demo.model_copy(update={"seeds": 6})
    assert whole.core_seconds < forecast(twice, simulated=1).core_seconds < 2 * whole.core_seconds


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"text": {"file": "a", "held_out_file": "b", "public": True}},
            "only a known world says where",
        ),
        ({"claims": {"metric": "toxicity_mean"}}, "implies no toxicity_mean"),
        ({"arms": ["cda", "dp_3"]}, "plain and a private one"),
    ],
)
def test_what_cannot_be_simulated_is_said(changes, reason):
    plan = ExperimentPlan.model_validate(
        {
            "name": "tiny",
            "arms": ["plain", "dp_3"],
            "base": {"text": {"sentences": 300}},
            "text": {"world": {"sentences": 300}},
            "train": {"steps": 3, "batch_size": 30},
            **changes,
        }
    )
    (world,) = forecast(plan, simulated=1).worlds
    assert world.powers == ()
    assert reason in world.reason
