"""The largest gap between groups, with its search accounted for.

The largest of many differences is large by chance alone: max − min of noise is never 0, and a
percentile bootstrap of it never covers 0. So all pairs of groups are judged together by the law of
the largest studentised difference (max-T, Westfall and Young 1993), with whole clusters drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import REPLICATES, bootstrap_t
from fairaudit.stats.clusters import Array, residuals


@dataclass(frozen=True, slots=True)
class Gaps:
    """All differences between groups, and the largest.

    Parameters
    ----------
    first, second : array of int, shape [P]
        Groups of each pair, first < second.
    difference, low, high : array of shape [P]
        θ_first − θ_second with intervals that hold together.
    p_adjusted : array of shape [P]
        P-value of no difference, adjusted for all pairs. NaN, as are the bounds, where two groups
        agree in every cluster.
    largest : int
        Pair with the largest absolute difference.
    gap, gap_low, gap_high : float
        max θ − min θ ≥ 0. Its lower bound is that of the pair that is furthest from 0, and 0 where
        no pair is shown to differ; its upper bound the furthest of all bounds.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    difference: Array
    low: Array
    high: Array
    p_adjusted: Array
    largest: int
    gap: float
    gap_low: float
    gap_high: float


def simultaneous_gaps(
    y: Array, w: Array, *, level: float = 0.95, replicates: int = REPLICATES, seed: int = 0
) -> Gaps:
    """Intervals of all differences of K ratios θ_k = Σ_g y_gk / Σ_g w_gk.

    A pair's difference is the sum of its influences per cluster,
    (y_gj − θ_j w_gj)/W_j − (y_gk − θ_k w_gk)/W_k. Its interval is d ± c·se with the quantile c of
    max |t*| over pairs in the cluster bootstrap: all of them hold at once with probability
    ``level``. Approximate: at least 40 clusters are needed, and 10 in which each group occurs.

    Parameters
    ----------
    y, w : arrays of shape [G, K], K ≥ 2
        Sums per cluster and group; ``w`` is 0 where a group does not occur.
    level : float
        Confidence level of all intervals together.
    replicates : int
        Draws of the clusters.
    seed : int
        Seed of the draws.

    Returns
    -------
    Gaps
        By pair of groups: difference, interval, adjusted p-value; and the interval of max − min.

    Raises
    ------
    ValueError
        If shapes do not fit, a group has no weight, or the replicates are too few for the level.

    References
    ----------
    Westfall, P. H., Young, S. S. (1993). Resampling-based multiple testing. Wiley.
    """
    _check(y, w)
    first, second = np.triu_indices(w.shape[1], 1)
    theta = y.sum(axis=0) / w.sum(axis=0)
    influence = residuals(y, w) / w.sum(axis=0)
    difference = theta[first] - theta[second]
    # As a mean over clusters of values around the difference, so that the bootstrap takes them.
    values = len(y) * (influence[:, first] - influence[:, second]) + difference
    drawn = bootstrap_t(values, np.ones(len(y)), replicates=replicates, seed=seed)
    extreme = np.abs(drawn.t).max(axis=1)
    rank = math.ceil(round(level * (replicates + 1), 6))
    if rank > replicates:
        raise ValueError(f"{replicates} replicates are too few for an interval at level {level}")
    se = np.where(drawn.se > 0, drawn.se, np.nan)
    p = (1 + (extreme[:, None] >= np.abs(difference) / se).sum(axis=0)) / (1 + replicates)
    half = np.sort(extreme)[rank - 1] * se
    return _gaps(first, second, difference, half, np.where(drawn.se > 0, p, np.nan))


def _gaps(
    first: NDArray[np.intp], second: NDArray[np.intp], difference: Array, half: Array, p: Array
) -> Gaps:
    size = np.abs(difference)
    largest = int(size.argmax())
    return Gaps(
        first=first,
        second=second,
        difference=difference,
        low=difference - half,
        high=difference + half,
        p_adjusted=p,
        largest=largest,
        gap=float(size[largest]),
        gap_low=max(0.0, float(np.nanmax(size - half))),
        gap_high=float(np.nanmax(size + half)),
    )


def _check(y: Array, w: Array) -> None:
    if y.ndim != 2 or y.shape != w.shape or y.shape[1] < 2:
        raise ValueError(f"need sums of shape [clusters, groups >= 2], not {y.shape} and {w.shape}")
    if (w < 0).any() or not (w.sum(axis=0) > 0).all():
        raise ValueError("every group needs weight above 0")
