"""Is a difference explained by moving less: worked by hand, and on arms that were planted."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.moving_less import (
    explained_claims,
    explained_claims_of,
    parts_by_distance,
    parts_by_match,
)
from fairaudit.results.experiment import ArmRun
from tests.experiments.test_findings import audits

AXES = ("gender", "race")


def plan(**claims) -> ExperimentPlan:
    return ExperimentPlan.model_validate(
        {
            "name": "tiny",
            "axes": list(AXES),
            "arms": ["plain", "dp_3", "plain_matched_3"],
            "base": {"model": "nowhere"},
            "text": {"file": "a.txt", "held_out_file": "b.txt"},
            "claims": {"metric": "mean_log_odds", "margin": 0.05, **claims},
        }
    )


def test_parts_by_hand():
    """Base 1.0, plain 0.2, half the way: 0.4 of the difference of 0.5 is explained."""
    scores = {("base", 0): 1.0, ("plain", 0): 0.2, ("dp_3", 0): 0.7}
    found = parts_by_distance(scores, "dp_3", {("plain", 0): 2.0, ("dp_3", 0): 1.0})
    assert found.explained == pytest.approx((0.4,))
    assert found.residual == pytest.approx((0.1,))


def test_parts_add_up_to_the_difference_whatever_the_distance():
    rng = np.random.default_rng(0)
    scores = {(arm, s): rng.normal() for arm in ("base", "plain", "dp_3") for s in range(6)}
    distances = {(arm, s): rng.uniform(0.1, 2) for arm in ("plain", "dp_3") for s in range(6)}
    found = parts_by_distance(scores, "dp_3", distances)
    whole = [scores["dp_3", s] - scores["plain", s] for s in range(6)]
    assert np.add(found.explained, found.residual) == pytest.approx(whole)


def test_a_matched_checkpoint_is_what_explains():
    scores = {("plain", 0): 0.2, ("dp_3", 0): 0.7, ("plain_matched_3", 0): 0.6, ("dp_3", 1): 9.0}
    found = parts_by_match(scores, "dp_3", "plain_matched_3")
    assert found.explained == pytest.approx((0.4,))
    assert found.residual == pytest.approx((0.1,))


@pytest.mark.parametrize("without", [("plain", 1), ("dp_3", 1), ("base", 1)])
def test_a_seed_without_an_arm_is_left_out(without):
    scores = {(arm, s): 1.0 + s for arm in ("base", "plain", "dp_3") for s in range(3)}
    distances = {(arm, s): 1.0 for arm in ("plain", "dp_3") for s in range(3)}
    del scores[without]
    assert len(parts_by_distance(scores, "dp_3", distances).explained) == 2
    if without[0] != "base":
        scores[without] = 1.0
        del distances[without]
        assert len(parts_by_distance(scores, "dp_3", distances).explained) == 2


def planted(goes, moved, noise=0.02, n=5, text=0.0, base=1.0):
    """Scores of arms whose private one goes a share of the way in bias, another in distance."""
    rng = np.random.default_rng(1)
    plain = base + 0.8 * (text - base)
    levels = {"base": base, "plain": plain, "dp_3": base + goes * (plain - base)}
    scores = {
        axis: {
            (arm, s): level + rng.normal(0, noise) * (arm != "base")
            for arm, level in levels.items()
            for s in range(n)
        }
        for axis in AXES
    }
    distances = {("plain", s): 1.0 for s in range(n)} | {("dp_3", s): moved for s in range(n)}
    return scores, distances


@pytest.mark.parametrize("text", [0.0, 2.0])
@pytest.mark.parametrize(
    ("goes", "moved", "finding"),
    [
        (0.4, 0.4, "supported"),
        (0.4, 0.5, "supported"),
        (0.0, 0.9, "not_supported"),
        (1.0, 0.4, "not_applicable"),
    ],
)
def test_the_claim_holds_where_bias_moves_in_step_with_the_distance(goes, moved, finding, text):
    scores, distances = planted(goes, moved, text=text)
    found = explained_claims_of(scores, distances, plan())
    by_distance = [one for one in found if one.claim == "explained_by_moving_less"]
    assert {one.axis for one in by_distance} == set(AXES)
    assert {one.finding for one in by_distance} == {finding}
    assert all("size of the explained part" in one.endpoint for one in by_distance)


SHIFTS = {
    "base": [0.0, 0.0, 0.0],
    "plain": [1.0, 1.02, 0.99],
    "dp_3": [0.4, 0.41, 0.38],
    "plain_matched_3": [0.45, 0.43, 0.47],
}


@pytest.mark.parametrize(
    ("gap", "finding"), [(0.1, "supported"), (0.5, "undecided"), (None, "undecided")]
)
def test_a_match_that_is_not_close_decides_nothing(gap, finding):
    runs = [
        ArmRun(
            arm=arm,
            seed=seed,
            status="done",
            distance=None if arm == "base" else shifts[seed],
            match_gap=gap if arm == "plain_matched_3" else None,
        )
        for arm, shifts in SHIFTS.items()
        for seed in range(3)
    ]
    found = {one.claim: one for one in explained_claims(audits(SHIFTS), runs, plan())}
    assert found["explained_by_less_training"].finding == finding
    assert found["explained_by_moving_less"].finding == "supported"
    assert found["explained_by_moving_less"].protocol is not None
