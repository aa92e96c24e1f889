"""Tango's score and interval, and Agresti and Min's error: published values and brute force."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from fairaudit.stats.agresti_min import (
    agresti_min_se,
    effective_pairs,
    pairs_of_error,
)
from fairaudit.stats.bisection import threshold
from fairaudit.stats.tango import tango_bound, tango_score

Z = 1.959963984540054
TABLES = st.integers(1, 60).flatmap(
    lambda n: st.integers(0, n).flatmap(
        lambda b: st.tuples(st.just(b), st.integers(0, n - b), st.just(n))
    )
)


def interval(b: float, c: float, n: float, z: float = Z) -> tuple[float, float]:
    return -tango_bound(c, b, n, z), tango_bound(b, c, n, z)


def brute_force_score(b: int, c: int, n: int, delta: float) -> float:
    """The score with the restricted likelihood maximised numerically."""

    def minus_log_likelihood(q: float) -> float:
        up, down, same = q + delta, q, 1 - 2 * q - delta
        cells = ((b, up), (c, down), (n - b - c, same))
        return -sum(count * math.log(p) for count, p in cells if count)

    low, high = max(0.0, -delta), (1 - delta) / 2
    q = optimize.minimize_scalar(
        minus_log_likelihood,
        bounds=(low + 1e-12, high - 1e-12),
        method="bounded",
        options={"xatol": 1e-12},
    ).x
    return float((b - c - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta))))


@pytest.mark.parametrize(
    ("b", "c", "n", "expected"),
    [
        # Airway hyper-responsiveness before and after transplantation: Fagerland, Lydersen and
        # Laake 2014, Statistics in Medicine 33, 2850, print -0.517 to -0.026.
        (1, 7, 21, (-0.517, -0.026)),
        # No discordant pair: ± z²/(n + z²), here 3.841459/47.841459.
        (0, 0, 44, (-0.0803, 0.0803)),
        # All pairs discordant to one side: (n - z²... )/(n + z²) below, and never beyond 1.
        (10, 0, 10, ((10 - Z**2) / (10 + Z**2), 1.0)),
    ],
)
def test_known_intervals(b: int, c: int, n: int, expected: tuple[float, float]) -> None:
    assert interval(b, c, n) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("n", [1, 20, 300])
def test_no_discordant_pair_in_closed_form(n: int) -> None:
    half = Z**2 / (n + Z**2)
    assert interval(0, 0, n) == pytest.approx((-half, half), rel=1e-9)


def test_score_by_hand() -> None:
    # At δ = 0 the score is McNemar's (b − c)/√(b + c).
    assert tango_score(9, 4, 50, 0.0) == pytest.approx(5 / math.sqrt(13), rel=1e-12)
    # b = c = 0 and δ > 0: "only the baseline" is most likely impossible, so q̃ = 0 and
    # T = −nδ/√(nδ(1 − δ)).
    assert tango_score(0, 0, 40, 0.1) == pytest.approx(-4 / math.sqrt(3.6), rel=1e-12)


def test_impossible_differences() -> None:
    assert tango_score(3, 0, 3, 1.0) == 0
    assert tango_score(3, 0, 4, 1.0) == -math.inf
    assert tango_score(3, 0, 4, -1.0) == math.inf


@given(TABLES, st.floats(-0.9, 0.9))
@settings(max_examples=60, deadline=None)
def test_score_equals_the_maximised_likelihood(table: tuple[int, int, int], delta: float) -> None:
    b, c, n = table
    assert tango_score(b, c, n, delta) == pytest.approx(
        brute_force_score(b, c, n, delta), rel=1e-3, abs=1e-3
    )


@given(TABLES, st.sampled_from([1.0, Z, 3.0]))
@settings(max_examples=60, deadline=None)
def test_bounds_are_where_the_score_is_z(table: tuple[int, int, int], z: float) -> None:
    b, c, n = table
    low, high = interval(b, c, n, z)
    assert -1 <= low <= (b - c) / n <= high <= 1
    if high < 1:
        assert tango_score(b, c, n, high) == pytest.approx(-z, abs=1e-6)
    if low > -1:
        assert tango_score(b, c, n, low) == pytest.approx(z, abs=1e-6)


@given(TABLES)
def test_swapping_the_models_mirrors(table: tuple[int, int, int]) -> None:
    b, c, n = table
    low, high = interval(b, c, n)
    assert interval(c, b, n) == (-high, -low)


def test_agresti_min_by_hand() -> None:
    # b = 16, c = 7, n = 50: √(24 − 81/52)/52.
    assert agresti_min_se(9 / 50, 23 / 50, 50) == pytest.approx(math.sqrt(24 - 81 / 52) / 52)
    assert agresti_min_se(0.0, 0.0, 20) == pytest.approx(1 / 22)


@given(TABLES, st.floats(0.05, 1))
def test_number_of_pairs_is_found_from_the_error(table: tuple[int, int, int], share: float) -> None:
    b, c, n = table
    difference, square, pairs = (b - c) / n, (b + c) / n, share * n
    se = agresti_min_se(difference, square, pairs)
    assert pairs_of_error(difference, square, se, n) == pytest.approx(pairs, rel=1e-6)


def test_effective_pairs_by_hand() -> None:
    # (0.2 − 0.04)/0.02² = 400, at most as many as there are.
    assert effective_pairs(0.2, 0.2, 0.02, 1000) == pytest.approx(400)
    assert effective_pairs(0.2, 0.2, 0.02, 300) == 300
    # Half steps may square to less than δ²: no pair is left then.
    assert effective_pairs(0.5, 0.2, 0.1, 10) == 0


def test_threshold() -> None:
    assert threshold(lambda x: x > 0.3) == pytest.approx(0.3, abs=1e-12)
    assert threshold(lambda x: False, -1, 5) == 5
    assert threshold(lambda x: True, -1, 5) == pytest.approx(-1, abs=1e-12)
