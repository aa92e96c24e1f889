"""Percentile bootstrap intervals: plain, clustered and two-way.

The middle share of the replicates themselves. It needs no standard error, so it serves statistics
that have none, but it covers less than it says where clusters are few or the estimate is skewed;
ratios of sums have `bootstrap_t`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.stats.bootstrap import REPLICATES, bootstrap_weights
from fairaudit.stats.clusters import Array, Labels, codes


def percentile_interval(draws: Array, level: float = 0.95) -> tuple[Array, Array]:
    """Equal-tailed interval from replicates of shape [R, K], shape [K] each.

    The order statistics of rank (1 − level)/2 · (R + 1) from both ends (Efron and Tibshirani 1993,
    chapter 13). NaN replicates, which have no estimate, are left out; none left is an error.
    """
    n = (~np.isnan(draws)).sum(axis=0)
    rank = np.floor(np.round((1 - level) / 2 * (n + 1), 6)).astype(np.intp)
    if (rank < 1).any():
        raise ValueError(f"{n.min()} replicates are too few for an interval at level {level}")
    ordered = np.sort(draws, axis=0)
    low = np.take_along_axis(ordered, rank[None] - 1, axis=0)[0]
    high = np.take_along_axis(ordered, (n - rank)[None], axis=0)[0]
    return low, high


def cluster_draws(y: Array, w: Array, *, replicates: int = REPLICATES, seed: int = 0) -> Array:
    """Replicates of θ = Σ y / Σ w with whole clusters drawn, shape [R, K].

    Parameters
    ----------
    y, w : arrays of shape [G] or [G, K]
        Sums per cluster; items that are independent are clusters of one.
    replicates, seed : int
        Number of replicates and seed of the draws.
    """
    y = y.reshape(len(y), -1)
    w = np.broadcast_to(w.reshape(len(w), -1), y.shape)
    counts = bootstrap_weights(len(y), replicates, seed).astype(np.float64)
    return _ratio(counts @ y, counts @ w)


def two_way_draws(
    numerators: ArrayLike,
    denominators: ArrayLike,
    clusters_a: Labels,
    clusters_b: Labels,
    *,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> Array:
    """Replicates of θ with both labels drawn independently, shape [R, 1].

    An item counts as often as its two labels were drawn, multiplied: the pigeonhole bootstrap
    (Owen 2007, Annals of Applied Statistics 1, 386). Never too short, and up to √3 too wide where
    neither label matters.

    Parameters
    ----------
    numerators, denominators : array of shape [n]
        Item values and their weights.
    clusters_a, clusters_b : sequences of labels, length n
        The two labels of each item.
    replicates, seed : int
        Number of replicates and seed of the draws.
    """
    a, names_a = codes(clusters_a)
    b, names_b = codes(clusters_b)
    shape = (len(names_a), len(names_b))
    rows = bootstrap_weights(shape[0], replicates, seed).astype(np.float64)
    # The second label needs draws of its own even where it has as many values.
    columns = bootstrap_weights(shape[1], replicates, seed + 1).astype(np.float64)
    sums = []
    for values in (numerators, denominators):
        table = np.zeros(shape)
        np.add.at(table, (a, b), np.asarray(values, dtype=np.float64))
        sums.append(((rows @ table) * columns).sum(axis=1, keepdims=True))
    return _ratio(*sums)


def _ratio(y: Array, w: Array) -> Array:
    return np.divide(y, w, out=np.full_like(y, np.nan), where=w > 0)
