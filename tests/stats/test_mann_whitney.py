"""The Mann-Whitney test of many pairs at once, beside scipy's of one pair."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from fairaudit.stats.mann_whitney import exact_p_values, mann_whitney

SIZES = [(8, 8), (3, 8), (8, 3), (1, 1), (2, 3), (5, 20), (9, 12), (30, 30)]


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "m"), SIZES)
def test_it_equals_scipy_pair_by_pair(n, m, ties):
    rng = np.random.default_rng(n * 100 + m)
    x, y = rng.normal(size=(60, n)), rng.normal(0.7, 1, size=(60, m))
    if ties:
        x, y = x.round(), y.round()
    u, p = mann_whitney(x, y)
    for place in range(60):
        # All values equal: scipy warns and says nan where the samples cannot differ.
        if len({*x[place], *y[place]}) == 1:
            assert p[place] == 1
            continue
        expected = mannwhitneyu(x[place], y[place])
        assert u[place] == expected.statistic
        assert p[place] == pytest.approx(expected.pvalue, abs=1e-12)


def test_worked_by_hand():
    """Three values all above three others: 1 of 20 orders on either side."""
    u, p = mann_whitney(np.array([4.0, 5.0, 6.0]), np.array([1.0, 2.0, 3.0]))
    assert (u, p) == (9, pytest.approx(2 / 20))
    u, p = mann_whitney(np.array([1.0, 4.0]), np.array([2.0, 3.0]))
    assert (u, p) == (2, 1)


@pytest.mark.parametrize(("n", "m"), [(1, 4), (3, 3), (4, 5)])
def test_the_exact_distribution_is_that_of_all_orders(n, m):
    counted = np.zeros(n * m + 1)
    for places in itertools.combinations(range(n + m), n):
        counted[sum(place - rank for rank, place in enumerate(places))] += 1
    assert counted.sum() == math.comb(n + m, n)
    for u, p in enumerate(exact_p_values(n, m)):
        beyond = counted[max(u, n * m - u) :].sum() / counted.sum()
        assert p == pytest.approx(min(1, 2 * beyond))


def test_eight_against_eight_rejects_in_just_under_five_percent():
    """Why HolisticBias asks eight nouns: the test has its level."""
    p = exact_p_values(8, 8)
    counts = np.diff(np.concatenate([[0], p[: 64 // 2 + 1] / 2]))
    assert 2 * counts[p[: 64 // 2 + 1] < 0.05].sum() == pytest.approx(0.0499, abs=5e-5)


def test_samples_may_swap_and_shift():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 50, 8))
    u, p = mann_whitney(x, y)
    swapped, same = mann_whitney(y, x)
    np.testing.assert_array_equal(u + swapped, 64)
    np.testing.assert_array_equal(p, same)
    np.testing.assert_array_equal(mann_whitney(np.exp(x), np.exp(y))[1], p)


def test_a_tie_changes_no_other_pair():
    x = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    y = np.array([[4.0, 5.0, 6.0], [3.0, 5.0, 6.0]])
    p = mann_whitney(x, y)[1]
    assert p[0] == pytest.approx(0.1)
    assert p[1] == pytest.approx(mannwhitneyu(x[1], y[1], method="asymptotic").pvalue)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [([], [1.0], "empty"), ([1.0], [np.nan], "finite"), ([np.inf], [1.0], "finite")],
)
def test_what_cannot_be_tested_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        mann_whitney(np.array(x), np.array(y))
