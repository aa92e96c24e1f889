"""Kendall's and Pearson's correlation: scipy and a count by hand as oracles."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairaudit.stats.correlation import kendall, pearson


def test_kendall_by_hand() -> None:
    # Of 6 pairs one is discordant: (5 − 1)/6. Orders of 4 with at most 1 inversion: 1 + 3 of 24.
    found = kendall([1, 2, 3, 4], [1, 2, 4, 3])
    assert found.value == pytest.approx(4 / 6)
    assert found.p_value == pytest.approx(2 * 4 / 24)


def test_a_constant_side_has_no_correlation() -> None:
    assert math.isnan(kendall([1, 1, 1], [1, 2, 3]).value)


def test_a_perfect_line() -> None:
    assert pearson([1, 2, 3, 4], [2, 4, 6, 8]).p_value == pytest.approx(0, abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(n=st.integers(3, 40), seed=st.integers(0, 10**6), digits=st.integers(0, 9))
def test_equal_scipy(n: int, seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n).round(digits)
    y = (rng.normal(size=n) + x).round(digits)
    ours, theirs = kendall(x, y), stats.kendalltau(x, y)
    expected = (theirs.statistic, theirs.pvalue)
    assert (ours.value, ours.p_value) == pytest.approx(expected, rel=1e-9, nan_ok=True)
    if n > 3 and np.ptp(x) > 0 and np.ptp(y) > 0 and abs(stats.pearsonr(x, y).statistic) < 0.999:
        r = stats.pearsonr(x, y)
        interval = r.confidence_interval(0.9)
        found = pearson(x, y, 0.9)
        assert (found.value, found.p_value) == pytest.approx((r.statistic, r.pvalue), rel=1e-7)
        assert (found.low, found.high) == pytest.approx(tuple(interval), rel=1e-7, abs=1e-9)
