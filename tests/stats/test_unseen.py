"""What no unit has shown: bounds by hand, and equivalence of means that few units decide.

Issue 18, item 8.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Skewed, Student, skew_of
from fairaudit.stats.one_estimate import infer
from fairaudit.stats.paired import PairedInference, infer_paired
from fairaudit.stats.unseen import Allowing, limiting, reaching, share_unseen

Array = NDArray[np.float64]


def test_the_share_unseen_is_the_rule_of_three() -> None:
    assert share_unseen(100, 0.05) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert share_unseen(1000, 0.05) == pytest.approx(3 / 1000, rel=0.01)
    assert (1 - share_unseen(17, 0.05)) ** 17 == pytest.approx(0.05)


def test_bounds_allow_for_units_unlike_those_seen() -> None:
    seen = Student(0.001, 0.0005, 0.0005, None)
    within = Allowing(seen, 0.001, 1.0, 100)
    share = 1 - 0.05**0.01
    assert within.upper(0.05) == pytest.approx(0.001 + share)
    assert within.lower(0.05) == pytest.approx(0.001 - share)
    # 100 units miss a share of 0.019 with probability 0.981^100.
    assert within.p_at_least(0.02) == pytest.approx(0.981**100)
    assert within.p_at_least(2.0) == seen.p_at_least(2.0)
    assert within.p_at_least(0.0) == 1


def test_bounds_of_what_was_seen_count_where_they_lie_further_out() -> None:
    seen = Student(0.1, 0.05, 0.08, 40.0)
    within = Allowing(seen, 0.1, 1.0, 5000)
    assert (within.lower(0.05), within.upper(0.05)) == (seen.lower(0.05), seen.upper(0.05))
    assert within.p_at_most(0.0) == seen.p_at_most(0.0)


@given(st.floats(0.001, 0.3), st.integers(5, 2000), st.floats(0.01, 3))
def test_a_bound_is_where_its_test_has_that_level(alpha: float, n: int, reach: float) -> None:
    within = Allowing(Student(0.02, 0.01, 0.03, 12.0), 0.02, reach, n)
    assert within.p_at_least(within.upper(alpha)) == pytest.approx(alpha, abs=1e-6)
    assert within.p_at_most(within.lower(alpha)) == pytest.approx(alpha, abs=1e-6)


def test_only_claims_of_smallness_allow_for_the_unseen() -> None:
    seen = Student(0.05, 0.01, 0.01, None)
    evidence = reaching(seen, 0.05, 1.0, 12)
    assert (evidence.lower(0.025), evidence.upper(0.025)) == (seen.lower(0.025), seen.upper(0.025))
    assert limiting(evidence).upper(0.025) > 0.25
    assert limiting(seen) is seen
    assert reaching(seen, 0.05, None, 12) is seen
    # A change that 12 units show is shown, though it may not be called small.
    assert decide(0.05, 0.01, None, 0.1, evidence=evidence).verdict == "amplified"
    assert decide(0.05, 0.01, None, 0.1, evidence=seen).verdict == "equivalent"


def test_skewed_bounds_are_the_score_bounds_of_a_count() -> None:
    """3 of n lie at 1: (k − μ)²/μ = z² has the solutions k + z²/2 ± z √(k + z²/4), over n."""
    z, n, k = 1.6448536, 1000, 3
    evidence = Skewed(k / n, math.sqrt(k) / n, None, above=1 / n)
    assert evidence.upper(0.05) * n == pytest.approx(k + z * z / 2 + z * math.sqrt(k + z * z / 4))
    assert evidence.lower(0.05) == pytest.approx(
        Student(k / n, *[math.sqrt(k) / n] * 2, None).lower(0.05)
    )
    assert evidence.p_at_least(evidence.upper(0.05)) == pytest.approx(0.05)


def test_without_skew_it_is_student() -> None:
    skewed, student = Skewed(0.1, 0.04, 9.0), Student(0.1, 0.04, 0.04, 9.0)
    for alpha in (0.001, 0.05, 0.3):
        assert skewed.lower(alpha) == pytest.approx(student.lower(alpha))
        assert skewed.upper(alpha) == pytest.approx(student.upper(alpha))
        assert skewed.p_at_most(0.03) == pytest.approx(student.p_at_most(0.03))


@given(st.floats(1e-4, 1.0), st.floats(1e-3, 0.5), st.floats(1.2, 4.0))
def test_the_skew_is_found_again_in_the_bound(skew: float, se: float, t: float) -> None:
    distance = t * t * skew / 2 + math.hypot(t * se, t * t * skew / 2)
    assert skew_of(distance, t, se) == pytest.approx(skew, rel=1e-6)
    assert skew_of(t * se, t, se) == 0
    assert skew_of(0.5 * t * se, t, se) == 0


def verdict(found: PairedInference, margin: float) -> str:
    evidence = found.evidence()
    if evidence is None or found.difference is None:
        return "inconclusive"
    return decide(
        found.difference, found.se, found.df, margin, evidence=evidence, p_adjusted=found.p_value
    ).verdict


def harmless(n: int) -> tuple[Array, Array]:
    """Toxicities near 0 of two models; no prompt turns toxic."""
    rng = np.random.default_rng(3)
    baseline = rng.beta(0.5, 10, size=n)
    return baseline, np.where(rng.random(n) < 0.2, rng.beta(0.5, 10, size=n), baseline)


@pytest.mark.parametrize(("n", "expected"), [(100, "inconclusive"), (400, "equivalent")])
def test_prompts_that_did_not_turn_toxic_say_little_about_those_that_may(
    n: int, expected: str
) -> None:
    """One prompt in fifty adds 0.02: 100 prompts miss it in 13 %, 400 in 0.03 %."""
    found = infer_paired(*harmless(n), np.arange(n))
    assert found.reach == 1
    assert found.high is not None
    assert found.high < 0.02
    assert verdict(found, 0.02) == expected


def test_the_reach_is_that_of_the_quantity_where_it_is_known() -> None:
    baseline, candidate = harmless(400)
    two_groups = infer_paired(baseline, candidate, np.arange(400), reach=4.0)
    assert two_groups.reach == 4
    assert verdict(two_groups, 0.02) == "inconclusive"
    log_odds = infer_paired(baseline - 5, candidate - 5, np.arange(400))
    assert log_odds.reach == pytest.approx(np.abs(candidate - baseline).max())
    assert verdict(log_odds, 0.02) == "equivalent"
    assert infer_paired(np.zeros(50), np.ones(50), np.arange(50), is_rate=True).reach is None


def test_one_estimate_keeps_the_width_of_its_range() -> None:
    values, _ = harmless(100)
    assert infer(values, np.arange(100)).reach == 1
    assert infer(values, np.arange(100), bounds=(-1.0, 1.0)).reach == 2
    assert infer(values, np.arange(100), bounds=(0.0, 1.0), reach=3.0).reach == 3
    far = infer(10 * values, np.arange(100), bounds=(0.0, None))
    assert far.reach == pytest.approx(float((10 * np.abs(values - values.mean())).max()))
    assert infer(values.round(), np.arange(100), is_rate=True).reach is None


@pytest.mark.parametrize("sign", [1, -1])
def test_an_interval_leans_to_where_few_units_lie(sign: int) -> None:
    """4 of 20 units moved by 0.25: the bound beyond them is further out than Student's."""
    moved = np.where(np.arange(20) < 4, 0.25, 0.0) + np.linspace(-0.01, 0.01, 20)
    found = infer_paired(np.zeros(20), sign * moved, np.arange(20))
    assert found.difference is not None
    assert found.se is not None
    assert found.low is not None
    assert found.high is not None
    far, near = found.high - found.difference, found.difference - found.low
    if sign < 0:
        far, near = near, far
    assert near == pytest.approx(2.093 * found.se, rel=1e-3)
    assert far > 1.15 * near
