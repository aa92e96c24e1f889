"""McNemar's test and cluster sign-flips: statsmodels, scipy and enumeration as oracles."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar

from fairaudit.stats.mcnemar import mcnemar
from fairaudit.stats.permutation import sign_flip

COUNTS = st.integers(0, 40)
FEW = st.integers(0, 3)


@given(COUNTS, COUNTS)
@settings(max_examples=60, deadline=None)
def test_exact_equals_statsmodels(b: int, c: int) -> None:
    expected = statsmodels_mcnemar([[5, b], [c, 5]], exact=True).pvalue if b + c else 1.0
    assert mcnemar(b, c, mid_p=False) == pytest.approx(expected, rel=1e-9)


def test_mid_p_by_hand() -> None:
    # 1 against 5 of 6 coins: exact 2·(1 + 6)/64; mid-p takes half of P(X = 1) from each side.
    assert mcnemar(1, 5, mid_p=False) == pytest.approx(14 / 64)
    assert mcnemar(1, 5) == pytest.approx(14 / 64 - 6 / 64)
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1


def test_published_mid_p() -> None:
    # Fagerland, Lydersen and Laake 2013: airway data, 1 against 7: exact 0.070, mid-p 0.039.
    assert mcnemar(1, 7, mid_p=False) == pytest.approx(0.070, abs=5e-4)
    assert mcnemar(1, 7) == pytest.approx(0.039, abs=5e-4)


@given(FEW, FEW, FEW, FEW)
@settings(max_examples=60, deadline=None)
def test_ties_equal_the_enumeration(up: int, down: int, half_up: int, half_down: int) -> None:
    steps = np.array([1.0] * up + [-1.0] * down + [0.5] * half_up + [-0.5] * half_down)
    observed = steps.sum()
    patterns = list(itertools.product([1, -1], repeat=len(steps)))
    signs = np.array(patterns).reshape(len(patterns), len(steps))
    sums = signs @ np.abs(steps)
    tail = min((sums <= observed).mean(), (sums >= observed).mean())
    at = (sums == observed).mean()
    exact = mcnemar(up, down, half_up, half_down, mid_p=False)
    assert exact == pytest.approx(min(1, 2 * tail), rel=1e-9)
    mid = mcnemar(up, down, half_up, half_down)
    assert mid == pytest.approx(min(1, 2 * (tail - at / 2)), rel=1e-9)


def test_many_discordant_pairs_are_nearly_normal() -> None:
    z = 60 / np.sqrt(2000)
    assert mcnemar(1030, 970) == pytest.approx(2 * stats.norm.sf(z), rel=1e-3)


@given(st.lists(st.integers(-9, 9), min_size=0, max_size=10))
@settings(deadline=None)
def test_sign_flip_equals_the_enumeration(values: list[int]) -> None:
    sums = np.array(values, dtype=float)
    patterns = itertools.product([1, -1], repeat=len(values))
    totals = np.array([abs(float(np.dot(signs, sums))) for signs in patterns])
    assert sign_flip(sums) == pytest.approx((totals >= abs(sums.sum())).mean())


def test_sign_flip_equals_scipy() -> None:
    sums = np.random.default_rng(0).normal(0.4, 1, size=12)
    expected = stats.permutation_test(
        (sums,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    # Scipy doubles one tail, which is the same for a symmetric law.
    assert sign_flip(sums) == pytest.approx(expected.pvalue)


def test_rounding_does_not_break_ties() -> None:
    # 0.1 + 0.2 exceeds 0.3 by rounding alone; both patterns reach the observed sum.
    assert sign_flip(np.array([0.1, 0.2, 0.3])) == sign_flip(np.array([1.0, 2.0, 3.0])) == 0.25
    assert sign_flip(np.array([0.3, -0.1, -0.2])) == 1


def test_sampled_signs_are_near_the_exact_p_value() -> None:
    rng = np.random.default_rng(3)
    sums = rng.normal(0.4, 1, size=13)
    exact = sign_flip(sums)
    more = np.concatenate([sums, [1e-12]])
    assert sign_flip(more, seed=4) == pytest.approx(exact, abs=5 * np.sqrt(exact / 9999))
    assert sign_flip(more, seed=4) == sign_flip(more, seed=4)


def test_the_sampled_p_value_is_never_0() -> None:
    assert sign_flip(np.ones(60), replicates=999) == pytest.approx(1 / 1000)


def test_nothing_moved() -> None:
    assert sign_flip(np.zeros(30)) == 1
