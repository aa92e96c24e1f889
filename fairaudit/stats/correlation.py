"""Correlation of a handful of values: Kendall's with a p-value, Pearson's with an interval.

`scipy.stats` has both and is the oracle of the tests; importing it takes longer than comparing two
models does, so only `scipy.special` is imported.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.evidence import quantile, tail

#: Without ties the distribution of τ is counted out for at most so many pairs.
_MAX_EXACT: Final = 33


@dataclass(frozen=True, slots=True)
class Correlation:
    """A coefficient in −1 to 1, its two-sided p-value against 0, and its interval if it has one."""

    value: float
    p_value: float
    low: float | None = None
    high: float | None = None


def kendall(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Kendall's τ-b, (concordant − discordant)/√((m − ties in x)(m − ties in y)) of m pairs.

    The p-value is exact without ties and for at most 33 values, otherwise normal with the variance
    that ties leave (Kendall 1970). NaN where all values of one side are equal.

    Parameters
    ----------
    x, y : sequences of float, shape [n], n ≥ 2

    Returns
    -------
    Correlation
        τ-b, −1 to 1, and its two-sided p-value; no interval.

    References
    ----------
    Kendall, M. G. (1970). Rank correlation methods. Griffin.

    Examples
    --------
    >>> found = kendall([1, 2, 3, 4], [1, 2, 4, 3])
    >>> round(found.value, 3), round(found.p_value, 3)
    (0.667, 0.333)
    """
    upper = np.triu_indices(len(x), k=1)
    signs_x, signs_y = (np.sign(np.subtract.outer(v, v))[upper] for v in (np.array(x), np.array(y)))
    score = float((signs_x * signs_y).sum())
    untied = float(np.count_nonzero(signs_x)) * float(np.count_nonzero(signs_y))
    if untied == 0:
        return Correlation(math.nan, math.nan)
    ties = len(signs_x) - np.count_nonzero(signs_x * signs_y)
    p = _exact_p(len(x), score) if len(x) <= _MAX_EXACT and not ties else _normal_p(x, y, score)
    return Correlation(score / math.sqrt(untied), p)


def pearson(x: Sequence[float], y: Sequence[float], level: float = 0.95) -> Correlation:
    """Pearson's r with Fisher's interval tanh(atanh r ± z/√(n − 3)) and Student's test of r = 0.

    Parameters
    ----------
    x, y : sequences of float, shape [n], n ≥ 4
        Neither constant.
    level : float
        Confidence level.

    Returns
    -------
    Correlation
        r, −1 to 1, its two-sided p-value and interval; at r = ±1 the interval is that point.

    Examples
    --------
    >>> round(pearson([1, 2, 3, 4], [1, 2, 4, 3]).value, 3)
    0.8
    """
    n = len(x)
    r = float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
    if abs(r) == 1:
        return Correlation(r, 0.0, r, r)
    half = quantile((1 + level) / 2, None) / math.sqrt(n - 3)
    low, high = (math.tanh(math.atanh(r) + side * half) for side in (-1, 1))
    t = abs(r) * math.sqrt((n - 2) / (1 - r * r))
    return Correlation(r, 2 * tail(t, n - 2), low, high)


def _exact_p(n: int, score: float) -> float:
    """P-value from the number of orders of n values with so few, or so many, inversions."""
    pairs = n * (n - 1) // 2
    inversions = int(min(pairs + score, pairs - score)) // 2
    orders = [1]
    for size in range(2, n + 1):
        # The value that comes last adds 0 to size − 1 inversions.
        sums = [0, *np.cumsum(np.array(orders, dtype=object))]
        last = len(sums) - 1
        orders = [
            sums[min(k + 1, last)] - sums[max(0, min(k + 1 - size, last))]
            for k in range(len(orders) + size - 1)
        ]
    return min(1.0, 2 * sum(orders[: inversions + 1]) / math.factorial(n))


def _normal_p(x: Sequence[float], y: Sequence[float], score: float) -> float:
    n = len(x)
    first, second = (np.unique(v, return_counts=True)[1].astype(float) for v in (x, y))
    pairs = n * (n - 1.0)
    variance = (pairs * (2 * n + 5) - _ties(first, 2, 5) - _ties(second, 2, 5)) / 18
    variance += (first * (first - 1)).sum() * (second * (second - 1)).sum() / (2 * pairs)
    if n > 2:
        variance += _ties(first, 1, -2) * _ties(second, 1, -2) / (9 * pairs * (n - 2))
    return 2 * tail(abs(score) / math.sqrt(variance), None)


def _ties(counts: NDArray[np.float64], a: float, b: float) -> float:
    """Σ t(t − 1)(a t + b) over the numbers t of equal values."""
    return float((counts * (counts - 1) * (a * counts + b)).sum())
