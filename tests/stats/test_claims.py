"""Claims about a recipe rest on seeds, and three are the least that decide anything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fairaudit.stats.claims import difference_of_sizes, judge, seed_difference
from fairaudit.stats.decide import decide


def test_the_interval_is_students_over_seeds():
    values = [0.06, 0.09, 0.04, 0.11, 0.08]
    found = seed_difference(values)
    test = stats.ttest_1samp(values, 0.0)
    interval = test.confidence_interval(0.95)
    assert found.value == pytest.approx(0.076)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p_value == pytest.approx(test.pvalue)
    assert (found.n_seeds, found.df) == (5, 4)
    assert judge(found, 0.05, 0.05) == "supported"


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_seeds_are_undecided_however_large_the_effect(n):
    found = seed_difference([10.0, 11.0][:n])
    assert found.low is None
    assert found.reason
    assert judge(found, 0.05, 0.05) == "undecided"


def test_an_effect_below_the_margin_is_not_supported():
    found = seed_difference([0.01, -0.01, 0.02, 0.0, -0.005])
    assert found.high < 0.05
    assert judge(found, 0.05, 0.05) == "not_supported"
    assert judge(found, None, 0.05) == "undecided"


def test_an_effect_in_the_other_direction_is_not_supported():
    assert judge(seed_difference([-0.2, -0.25, -0.22]), 0.05, 0.05) == "not_supported"


def test_correction_over_axes_can_undo_support():
    found = seed_difference([0.06, 0.09, 0.02, 0.11, 0.08])
    assert judge(found, 0.05, 0.05) == "supported"
    assert judge(found, 0.05, 0.05, p_adjusted=0.2) == "undecided"


def test_seeds_that_agree_to_the_last_digit_show_no_spread():
    found = seed_difference([0.1, 0.1, 0.1])
    assert found.low is None
    assert judge(found, 0.05, 0.05) == "undecided"


def test_a_failed_seed_must_not_pass_as_a_number():
    with pytest.raises(ValueError, match="finite"):
        seed_difference([0.1, float("nan"), 0.2])


def test_five_seeds_cover_what_they_promise():
    """A bootstrap over five seeds would cover about 84 %."""
    rng = np.random.default_rng(0)
    draws = rng.normal(0.03, 0.02, size=(4000, 5))
    covered = [f.low <= 0.03 <= f.high for f in map(seed_difference, draws)]
    assert abs(np.mean(covered) - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 4000)
    false = [judge(seed_difference(d), 0.05, 0.05) == "supported" for d in draws - 0.03]
    assert np.mean(false) < 0.025 + 3 * np.sqrt(0.025 * 0.975 / 4000)


@pytest.mark.parametrize(("a", "b", "deviation"), [(0.2, 0.1, 0.1), (0.1, -0.1, 0.1), (0, 0, 0.3)])
def test_interval_of_a_difference_of_sizes_covers(a, b, deviation):
    """Also where an arm without a mean varies six times as much as the other."""
    rng, truth, covered, supported = np.random.default_rng(0), abs(a) - abs(b), 0, 0
    for _ in range(1000):
        found = difference_of_sizes(
            rng.normal(a, deviation, 5).tolist(), rng.normal(b, 0.05, 5).tolist()
        )
        covered += found.low <= truth <= found.high
        supported += judge(found, 0.1, 0.05) == "supported"
    assert covered / 1000 > 0.93
    if truth == 0:
        assert supported / 1000 < 0.06


def test_sign_of_both_arms_does_not_matter_to_a_difference_of_sizes():
    own, other = [0.5, 0.62, 0.44], [0.1, 0.12, 0.08]
    found = difference_of_sizes(own, other)
    assert found.value == pytest.approx(0.42)
    assert found.low > 0
    for sign, of_other in ((-1, 1), (1, -1), (-1, -1)):
        turned = difference_of_sizes([sign * x for x in own], [of_other * x for x in other])
        for name in ("value", "low", "high", "p_value"):
            assert getattr(turned, name) == pytest.approx(getattr(found, name))
    assert difference_of_sizes(other, own).high < 0


def test_a_difference_of_sizes_needs_three_seeds():
    found = difference_of_sizes([0.5, 0.6], [0.1, 0.1])
    assert found.value == pytest.approx(0.45)
    assert found.low is None
    assert "2 of the 3 seeds" in found.reason
    assert difference_of_sizes([], []).value is None


def test_a_claim_and_a_comparison_of_one_interval_say_the_same():
    """Issue 19: +0.01 [0.00, +0.01] at a margin of 0.10 was "supported"."""
    small = seed_difference([0.010, 0.009, 0.011, 0.010, 0.0095])
    assert small.low > 0
    assert decide(small.value, small.se, small.df, 0.1).verdict == "equivalent"
    assert judge(small, 0.1, 0.05) == "not_supported"
    assert judge(small, 0.005, 0.05) == "supported"


@given(
    st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=8),
    st.sampled_from([0.05, 0.1, 0.2]),
    st.sampled_from([0.05, 0.01]),
)
def test_claims_follow_the_order_of_decide(differences, margin, alpha):
    found = seed_difference(differences, 1 - alpha)
    if found.low is None:
        assert judge(found, margin, alpha) == "undecided"
        return
    verdict = decide(found.value, found.se, found.df, margin, alpha).verdict
    expected = {"amplified": "supported", "equivalent": "not_supported", "reduced": "not_supported"}
    finding = "not_supported" if found.high < margin else "undecided"
    assert judge(found, margin, alpha) == expected.get(verdict, finding)
