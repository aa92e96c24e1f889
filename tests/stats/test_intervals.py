"""Intervals of one proportion or mean, and that each test is the one its interval inverts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from fairaudit.stats import intervals

COUNTS = st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
HALF_COUNTS = st.integers(1, 200).flatmap(
    lambda n: st.tuples(st.integers(0, 2 * n).map(lambda doubled: doubled / 2), st.just(n))
)
PROPORTION = {
    intervals.wilson: intervals.score_test,
    intervals.clopper_pearson: intervals.exact_test,
}


def test_wilson_by_hand() -> None:
    # p = 1/2, n = 16, z = 1.959964: half = z/(1 + z²/n) · √(1/64 + z²/1024).
    z2 = 1.959963984540054**2
    half = math.sqrt(z2) / (1 + z2 / 16) * math.sqrt(1 / 64 + z2 / 1024)
    assert intervals.wilson(8, 16) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-12)


def test_zero_of_25_has_an_interval_of_positive_width() -> None:
    low, high = intervals.clopper_pearson(0, 25)
    assert low == 0
    # (1 − p)^25 = 0.025 at the upper bound.
    assert high == pytest.approx(1 - 0.025 ** (1 / 25), rel=1e-12)
    assert intervals.wilson(0, 25)[0] == 0
    assert intervals.wilson(25, 25)[1] == 1


@pytest.mark.parametrize(
    ("n", "points"), [(105, 9.6), (262, 6.1), (516, 4.3), (1508, 2.5)], ids=str
)
def test_half_widths_at_one_half(n: int, points: float) -> None:
    low, high = intervals.t_interval(0.5, 0.5 / math.sqrt(n))
    assert 100 * (high - low) / 2 == pytest.approx(points, abs=0.05)
    # Wilson's interval at one half is the same with n + z² for n.
    low, high = intervals.wilson(n / 2, n)
    wider = intervals.t_interval(0.5, 0.5 / math.sqrt(n + stats.norm.ppf(0.975) ** 2))
    assert (low, high) == pytest.approx(wider, rel=1e-12)


@given(HALF_COUNTS, st.sampled_from([0.8, 0.95, 0.99]))
def test_oracle_statsmodels(counts: tuple[float, int], level: float) -> None:
    successes, n = counts
    for method, name in ((intervals.wilson, "wilson"), (intervals.clopper_pearson, "beta")):
        expected = proportion_confint(successes, n, alpha=1 - level, method=name)
        assert method(successes, n, level) == pytest.approx(expected, abs=1e-12)


@given(COUNTS)
def test_exact_test_is_twice_the_smaller_binomial_tail(counts: tuple[int, int]) -> None:
    successes, n = counts
    for p0 in (0.1, 0.5, 0.77):
        tails = [
            stats.binomtest(successes, n, p0, alternative=side).pvalue
            for side in ("less", "greater")
        ]
        expected = min(1.0, 2 * min(tails))
        assert intervals.exact_test(successes, n, p0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("interval", PROPORTION)
@given(counts=HALF_COUNTS)
def test_p_value_crosses_alpha_at_the_bounds(interval, counts: tuple[float, int]) -> None:
    test = PROPORTION[interval]
    for bound in interval(*counts, 0.9):
        if 0 < bound < 1:
            assert test(*counts, bound) == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize("interval", PROPORTION)
@given(counts=HALF_COUNTS)
def test_mirror(interval, counts: tuple[float, int]) -> None:
    successes, n = counts
    low, high = interval(successes, n)
    assert interval(n - successes, n) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    test = PROPORTION[interval]
    assert test(successes, n, 0.3) == pytest.approx(test(n - successes, n, 0.7), abs=1e-9)


@given(COUNTS)
def test_clopper_pearson_contains_the_value(counts: tuple[int, int]) -> None:
    successes, n = counts
    low, high = intervals.clopper_pearson(successes, n)
    assert low <= successes / n <= high
    assert high - low > 0


def test_score_test_at_an_impossible_null() -> None:
    assert intervals.score_test(5, 10, 0.0) == 0.0
    assert intervals.score_test(10, 10, 1.0) == 1.0


@pytest.mark.parametrize("function", PROPORTION)
@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5), (0, 0), (math.nan, 5)])
def test_counts_are_checked(function, successes: float, n: int) -> None:
    with pytest.raises(ValueError, match="successes of"):
        function(successes, n)


@pytest.mark.parametrize("test", PROPORTION.values())
def test_null_is_checked(test) -> None:
    with pytest.raises(ValueError, match=r"cannot be 1\.5"):
        test(3, 5, 1.5)


def test_t_interval_and_test() -> None:
    # t(0.975; 9) = 2.262157, z = 1.959964.
    assert intervals.t_interval(1.0, 2.0, 9) == pytest.approx((-3.524314, 5.524314), abs=1e-5)
    assert intervals.t_interval(1.0, 2.0) == pytest.approx((-2.919928, 4.919928), abs=1e-5)
    assert intervals.t_test(1.0, 2.0, 9, -3.524314) == pytest.approx(0.05, abs=1e-6)
    assert intervals.t_test(1.0, 2.0, None, 4.919928) == pytest.approx(0.05, abs=1e-6)


def test_effective_counts() -> None:
    # With many degrees of freedom a design effect of 4 quarters the sample.
    simple = 0.2 * 0.8 / 1000
    successes, trials = intervals.effective_counts(0.2, math.sqrt(4 * simple), 1e9, 1000)
    assert (successes, trials) == pytest.approx((50, 250), rel=1e-6)
    # A sample is never worth more than its items.
    assert intervals.effective_counts(0.2, math.sqrt(simple / 2), 1e9, 1000)[1] == 1000
    # 9 degrees of freedom cost (1.959964 / 2.262157)².
    few = intervals.effective_counts(0.2, math.sqrt(4 * simple), 9, 1000)[1]
    assert few == pytest.approx(250 * (1.959964 / 2.262157) ** 2, rel=1e-5)
