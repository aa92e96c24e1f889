"""The Mann-Whitney U test of many pairs of small samples at once.

U counts the pairs (x, y) with x > y, a tie counts one half. The test is two-sided and chosen as by
default in `scipy.stats.mannwhitneyu`: exact where one sample has at most 8 values and no two values
are tied, otherwise by the normal approximation with corrections for ties and for continuity. That
is decided for each pair of samples by itself, so a tie in one changes the p-value of no other.
"""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fairaudit.stats.clusters import Array

#: Largest size of the smaller sample for which the distribution of U is counted out.
MAX_EXACT: Final = 8


def mann_whitney(x: Array, y: Array) -> tuple[Array, Array]:
    """U and its two-sided p-value for samples in the last axis.

    Parameters
    ----------
    x, y : array of shape [..., n] and [..., m]
        Finite values; the leading axes are the same.

    Returns
    -------
    u, p : array of shape [...]
        U of ``x``, 0 to nm, and the p-value, 0-1.

    Raises
    ------
    ValueError
        If a sample is empty or holds a value that is not finite.
    """
    if not x.shape[-1] or not y.shape[-1]:
        raise ValueError("a sample is empty")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("values must be finite: leave missing ones out, and count them, before")
    n, m = x.shape[-1], y.shape[-1]
    u = np.array((x[..., :, None] > y[..., None, :]).sum(axis=(-2, -1)), dtype=np.float64)
    tied = _any_tied(x, y)
    u[tied] += (x[tied][..., :, None] == y[tied][..., None, :]).sum(axis=(-2, -1)) / 2
    if min(n, m) > MAX_EXACT:
        return u, _approximate(u, n, m, _tie_term(x, y))
    p = np.empty(u.shape)
    p[~tied] = exact_p_values(n, m)[u[~tied].astype(np.intp)]
    p[tied] = _approximate(u[tied], n, m, _tie_term(x[tied], y[tied]))
    return u, p


@functools.cache
def exact_p_values(n: int, m: int) -> Array:
    """Two-sided p-value of U = 0, 1, ..., nm for samples of n and m values without ties.

    The number of orders of both samples that give U is a coefficient of the Gaussian binomial
    Π (1 − q^(m + i)) / (1 − q^i) over i = 1, ..., n (Mann and Whitney 1947).
    """
    counts = [1, *[0] * (n * m)]
    for i in range(1, n + 1):
        for u in range(n * m, m + i - 1, -1):
            counts[u] -= counts[u - m - i]
        for u in range(i, n * m + 1):
            counts[u] += counts[u - i]
    total, above = math.comb(n + m, n), [0]
    for count in reversed(counts):
        above.append(above[-1] + count)
    at_least = [above[n * m + 1 - u] / total for u in range(n * m + 1)]
    return np.array([min(1.0, 2 * at_least[max(u, n * m - u)]) for u in range(n * m + 1)])


def _any_tied(x: Array, y: Array) -> NDArray[np.bool_]:
    pooled = np.sort(np.concatenate([x, y], axis=-1), axis=-1)
    return np.asarray((pooled[..., 1:] == pooled[..., :-1]).any(axis=-1))


def _tie_term(x: Array, y: Array) -> Array:
    """Σ (t³ − t) over groups of t equal values; that is Σ (t² − 1) over values."""
    pooled = np.concatenate([x, y], axis=-1)
    equal = (pooled[..., :, None] == pooled[..., None, :]).sum(axis=-1).astype(np.float64)
    return np.asarray((equal**2 - 1).sum(axis=-1))


def _approximate(u: Array, n: int, m: int, ties: Array) -> Array:
    """Two-sided p-value by the normal approximation; 1 where all values are equal."""
    size = n + m
    variance = n * m / 12 * (size + 1 - ties / (size * max(size - 1, 1)))
    deviation = np.abs(u - n * m / 2) - 0.5
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, deviation / np.sqrt(variance), -np.inf)
    return np.asarray(np.minimum(1.0, 2 * ndtr(-z)))
