"""From audits by arm and seed to levels, differences and claims."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.seed_claims import (
    bias_claims,
    claim_arms,
    differences,
    endpoints,
    levels,
    only_with_premise,
    undecided_unless_moved,
)
from fairaudit.results import Estimate
from fairaudit.results.experiment import ArmRun
from tests.comparing.audits import make_audit, pair_table

RATE = "stereotype_preference_rate"


def plan(**claims) -> ExperimentPlan:
    return ExperimentPlan.model_validate(
        {
            "name": "tiny",
            "axes": ["gender"],
            "arms": ["plain", "dp_3", "dp_10", "dp_cda_3"],
            "base": {"model": "nowhere"},
            "text": {"file": "a.txt", "held_out_file": "b.txt"},
            "claims": {"metric": "mean_log_odds", "margin": 0.2, **claims},
        }
    )


def audits(shift: dict[str, list[float]]):
    """One audit per arm and seed; log-odds of a common item set, moved by ``shift``."""
    items = np.random.default_rng(0).normal(size=60)
    return {
        (arm, seed): make_audit(f"{arm} {seed}", pair_table(list(items + by)))
        for arm, moves in shift.items()
        for seed, by in enumerate(moves)
    }


AMPLIFIED = {
    "plain": [0.0, 0.1, -0.1],
    "dp_3": [0.5, 0.63, 0.41],
    "dp_cda_3": [0.02, 0.08, -0.05],
}


def test_differences_are_paired_by_seed():
    found = {
        (d.arm, d.reference): d
        for d in differences(audits(AMPLIFIED), ["plain"])
        if d.name == "mean_log_odds" and d.group is None
    }
    one = found["dp_3", "plain"]
    assert one.value == pytest.approx(np.mean([0.5, 0.53, 0.51]))
    assert one.n_seeds == 3
    # Paired, the spread of the seeds cancels: 0.015 and not 0.1.
    assert one.se == pytest.approx(np.std([0.5, 0.53, 0.51], ddof=1) / np.sqrt(3))
    assert ("plain", "plain") not in found


def test_levels_keep_every_seed():
    found = next(
        one
        for one in levels(audits(AMPLIFIED), plan())
        if one.arm == "dp_3" and one.name == RATE and one.group is None
    )
    assert len(found.by_seed) == 3
    assert found.value == pytest.approx(np.mean(found.by_seed))
    assert found.implied is None


def test_claims_name_their_endpoint_and_are_judged():
    by_name = {claim.claim: claim for claim in bias_claims(audits(AMPLIFIED), plan())}
    amplifies = by_name["dp_amplifies_bias"]
    assert amplifies.finding == "supported"
    assert amplifies.endpoint == "mean_log_odds of dp_3 minus plain, gender"
    assert (amplifies.epsilon, amplifies.n_seeds) == (3.0, 3)
    assert by_name["cda_removes_amplification"].finding == "supported"


def test_nothing_is_removed_where_nothing_was_amplified():
    moved = {"plain": [0.5, 0.6, 0.4], "dp_3": [0.5, 0.61, 0.4], "dp_cda_3": [0.0, 0.1, -0.1]}
    claims = only_with_premise(bias_claims(audits(moved), plan()))
    by_name = {claim.claim: claim for claim in claims}
    assert by_name["dp_amplifies_bias"].finding == "not_supported"
    assert by_name["cda_removes_amplification"].finding == "not_applicable"
    assert "none to remove" in by_name["cda_removes_amplification"].reason


@pytest.mark.parametrize("removal", [-0.5, -0.001, 0.001, 0.5])
@pytest.mark.parametrize("amplification", [-0.5, -0.001, 0.001, 0.5])
def test_a_removal_is_judged_only_where_there_is_something_to_remove(amplification, removal):
    """Issue 28.4: without a premise a claim is neither supported nor refuted."""
    noise = [0.0, 0.11, -0.1]
    moved = {
        "plain": noise,
        "dp_3": [amplification + by for by in (0.0, 0.115, -0.105)],
        "dp_cda_3": [amplification - removal + by for by in (0.0, 0.105, -0.1)],
    }
    before = {claim.claim: claim for claim in bias_claims(audits(moved), plan())}
    after = {claim.claim: claim for claim in only_with_premise(list(before.values()))}
    assert after["dp_amplifies_bias"] == before["dp_amplifies_bias"]
    if before["dp_amplifies_bias"].finding == "supported":
        assert amplification > 0
        assert after == before
    else:
        assert after["cda_removes_amplification"].finding == "not_applicable"
        assert "none to remove" in after["cda_removes_amplification"].reason


def test_two_seeds_are_undecided():
    moved = {arm: values[:2] for arm, values in AMPLIFIED.items()}
    assert {claim.finding for claim in bias_claims(audits(moved), plan())} == {"undecided"}


def test_the_smallest_epsilon_is_the_endpoint_unless_another_is_declared():
    assert claim_arms(plan()) == ("dp_3", "dp_cda_3")
    assert claim_arms(plan(epsilon=10)) == ("dp_10", None)


def test_a_failed_seed_is_left_out_of_the_pairs():
    found = audits(AMPLIFIED)
    del found["dp_3", 1]
    one = next(
        d
        for d in differences(found, ["plain"])
        if d.arm == "dp_3" and d.name == "mean_log_odds" and d.group is None
    )
    assert one.n_seeds == 2
    assert one.interval is None
    assert one.reason == "2 of the 3 seeds that decide anything"


@pytest.mark.parametrize(("distance", "finding"), [(0.4, "supported"), (0.01, "undecided")])
def test_an_arm_that_hardly_moved_supports_no_claim(distance, finding):
    runs = [
        ArmRun(arm=arm, seed=seed, status="done", distance=distance if arm == "dp_3" else 0.5)
        for arm in AMPLIFIED
        for seed in range(3)
    ]
    claims = undecided_unless_moved(bias_claims(audits(AMPLIFIED), plan()), runs)
    assert {claim.finding for claim in claims} == {finding}
    assert all(("hardly moved" in (claim.reason or "")) == (distance < 0.05) for claim in claims)


def test_nothing_is_removed_where_the_amplification_cannot_be_read():
    """The plain arm did not move, so there is no amplification; the other two arms did."""
    runs = moved_by(plain=0.01, dp_3=0.5, dp_cda_3=0.5)
    claims = undecided_unless_moved(bias_claims(audits(AMPLIFIED), plan()), runs)
    assert [claim.finding for claim in claims] == ["undecided", "supported"]
    assert [claim.finding for claim in only_with_premise(claims)] == [
        "undecided",
        "not_applicable",
    ]


def test_an_arm_that_moved_nobody_knows_how_far_supports_no_claim():
    runs = moved_by(plain=0.5, dp_3=None, dp_cda_3=0.5)
    claims = undecided_unless_moved(bias_claims(audits(AMPLIFIED), plan()), runs)
    assert {claim.finding for claim in claims} == {"undecided"}
    assert all("how far dp_3 moved" in claim.reason for claim in claims)


def moved_by(**distances):
    return [
        ArmRun(arm=arm, seed=seed, status="done", distance=distance)
        for arm, distance in distances.items()
        for seed in range(3)
    ]


def test_claims_rest_on_the_first_suites_primary_protocol_unless_one_is_declared():
    found = audits(AMPLIFIED)
    (first,) = {one.protocol for one in next(iter(found.values())).estimates}
    other = {key: with_protocol(audit, first, "aaa/other") for key, audit in found.items()}
    assert endpoints(other, plan()) == {"gender": first}
    assert endpoints(other, plan(protocol="aaa/other")) == {"gender": "aaa/other"}
    assert endpoints(other, plan(protocol="no/such")) == {}
    assert {claim.protocol for claim in bias_claims(other, plan())} == {first}


def with_protocol(audit, protocol, other):
    """The same audit with its estimates again under another protocol, none of them primary."""
    known = [one.model_copy(update={"primary": True}) for one in audit.estimates]
    again = [
        one.model_copy(update={"protocol": other, "primary": False}) for one in audit.estimates
    ]
    return audit.model_copy(update={"estimates": (*known, *again)})


def test_toxicity_is_a_level_by_group_and_can_be_the_endpoint():
    made = {}
    for (arm, seed), audit in audits(AMPLIFIED).items():
        gap = 0.02 + (0.05 + 0.01 * seed) * (arm == "dp_3") + 0.001 * seed
        toxic = [
            Estimate(
                name=name, kind="bias", suite="toxicity", protocol="toxicity/judge@1",
                axis="gender", group=group, value=value, n=60, n_clusters=60, direction=1,
            )
            for name, group, value in (
                ("toxicity_mean", "male", 0.1),
                ("toxicity_mean", "female", 0.1 + gap),
                ("toxicity_difference", None, gap),
            )
        ]  # fmt: skip
        made[arm, seed] = audit.model_copy(update={"estimates": (*audit.estimates, *toxic)})
    declared = plan(metric="toxicity_difference", margin=0.02)
    found = {(one.arm, one.group): one for one in levels(made, declared) if "toxic" in one.name}
    assert found["dp_3", "female"].value == pytest.approx(0.1 + 0.02 + 0.06 + 0.001)
    claim = next(one for one in bias_claims(made, declared) if one.claim == "dp_amplifies_bias")
    assert claim.value == pytest.approx(0.06)
    assert claim.finding == "supported"
