"""What guesses about canaries say of a whole trade-off curve, not of one (ε, δ) alone.

A mechanism is f-DP if a test that tells a record's presence with error α of the one kind has an
error of at least f(α) of the other. With F(x) = 1 − f(x), r guesses about m canaries and p_j the
probability of exactly j right ones,

    Σ_{j ≥ i} (j/m) p_j ≤ F( Σ_{j ≥ i−1} ((r − j)/m) p_j )    for every i.

Were c or more right with probability τ, these inequalities would force, from i = c down to 1, ever
more mass upon fewer right guesses; where that exceeds 1, so many right guesses have a probability
below τ. Beside theorem 5.2 of Steinke et al. no δ is paid for each canary, and the curve says what
a weak attack meets: most of the power where ε is 1 and more.

Source: Mahloujifar, Melis and Chaudhuri 2024 (arXiv:2410.22235).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

#: y → the least x with F(x) ≥ y.
Inverse = Callable[[float], float]
#: Guesses, and how many of them were right.
Count = tuple[int, int]

#: Beyond it ε is beyond use, and so is the fit.
_MAX_MU: Final = 12.0
_TOLERANCE: Final = 1e-3


def ruled_out(m: int, guesses: int, right: int, inverse: Inverse, error: float) -> bool:
    """Whether f-DP gives so many right guesses, or more, a probability below `error`."""
    share = guesses / m
    # Least mass of right and of wrong guesses at i and above, as shares of all canaries.
    hits = error * right / m
    misses = error * (guesses - right) / m
    for i in range(right - 1, -1, -1):
        forced = max(misses, inverse(hits))
        hits += i / (guesses - i) * (forced - misses)
        misses = forced
        if hits + misses > share:
            return True
    return False


def any_ruled_out(m: int, counts: Sequence[Count], inverse: Inverse, error: float) -> bool:
    """Whether one of several counts of the same canaries is; the error is that of all together."""
    return any(ruled_out(m, *count, inverse, error / len(counts)) for count in counts)


def inverse_of_points(points: Sequence[tuple[float, float]]) -> Inverse:
    """Return the inverse of F for a mechanism that has each of some (ε, δ)."""
    lines = [(math.exp(-epsilon), delta) for epsilon, delta in points]

    def inverse(y: float) -> float:
        # Of each (ε, δ): F(x) = min(δ + e^ε x, 1 − e^−ε (1 − δ − x)).
        return max(
            0.0,
            *((y - delta) * shrink for shrink, delta in lines),
            *(1 - delta - (1 - y) / shrink for shrink, delta in lines),
        )

    return inverse


def inverse_of_gaussian(mu: float) -> Inverse:
    """Return the inverse of F for telling N(0, 1) from N(μ, 1)."""

    def inverse(y: float) -> float:
        return float(ndtr(ndtri(y) - mu))

    return inverse


def gaussian_epsilon(mu: float, delta: float) -> float:
    """ε of the Gaussian mechanism of shift μ at δ (Balle and Wang 2018)."""
    if mu == 0:
        return 0.0

    def excess(epsilon: float) -> float:
        second = math.exp(epsilon + float(log_ndtr(-epsilon / mu - mu / 2)))
        return float(ndtr(mu / 2 - epsilon / mu)) - second - delta

    if excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high))


def least_gaussian(m: int, counts: Sequence[Count], error: float) -> float:
    """Largest shift μ that the counts rule out; 0 if they rule out none."""

    def out(mu: float) -> bool:
        return any_ruled_out(m, counts, inverse_of_gaussian(mu), error)

    if not counts or not out(0.0):
        return 0.0
    low, high = 0.0, 0.25
    while high < _MAX_MU and out(high):
        low, high = high, 2 * high
    while high - low > _TOLERANCE:
        middle = (low + high) / 2
        low, high = (middle, high) if out(middle) else (low, middle)
    return low
