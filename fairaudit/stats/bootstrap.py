"""The cluster bootstrap as matrix products: no loop over replicates.

A replicate draws G clusters with replacement; counting how often each was drawn gives one row of a
weight matrix W [R, G]. Then all replicates of θ = Σ y / Σ w are W y / W w.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.clusters import Array, residuals

REPLICATES: Final = 9999
#: Elements of W handled at a time: 32 MiB as float64, whatever the number of clusters.
_BLOCK: Final = 1 << 22
#: Counts of more clusters than this are too large to keep many of: 20 MB each, at 9,999 replicates.
_MANY: Final = 2048
#: Elements of W per estimate that are multiplied at a time: few enough to stay in the cache.
_IN_CACHE: Final = 1 << 16


def bootstrap_weights(n_clusters: int, replicates: int, seed: int) -> NDArray[np.float32]:
    """How often each cluster is drawn in each replicate, shape [replicates, n_clusters].

    Rows sum to ``n_clusters``. Read-only, and the same for all estimates with as many clusters, so
    that their replicates are joint.

    Parameters
    ----------
    n_clusters, replicates : int
        Clusters of the sample, and draws of them; both at least 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    array of shape [replicates, n_clusters]
        Counts 0, 1, 2, ...

    Examples
    --------
    >>> bootstrap_weights(3, 5, seed=0).sum(axis=1).tolist()
    [3.0, 3.0, 3.0, 3.0, 3.0]
    """
    weights = _counts(n_clusters, replicates, seed).astype(np.float32)
    weights.setflags(write=False)
    return weights


def _counts(n_clusters: int, replicates: int, seed: int) -> NDArray[np.uint8]:
    """Count draws, kept for the next estimate: of few clusters those of many sizes."""
    return (_few if n_clusters <= _MANY else _many)(n_clusters, replicates, seed)


def _drawn(n_clusters: int, replicates: int, seed: int) -> NDArray[np.uint8]:
    """Count draws in one byte each, so that the cache stays small; above 255 cannot occur.

    It would take more than 255 draws of one cluster out of G, where 1 is expected.
    """
    rng = np.random.default_rng(np.random.SeedSequence([seed, n_clusters]))
    counts = np.empty((replicates, n_clusters), dtype=np.uint8)
    for rows in blocks(replicates, n_clusters, _IN_CACHE):
        n_rows = rows.stop - rows.start
        drawn = rng.integers(n_clusters, size=(n_rows, n_clusters), dtype=np.int32)
        drawn += np.arange(n_rows, dtype=np.int32)[:, None] * np.int32(n_clusters)
        counted = np.bincount(drawn.ravel(), minlength=n_rows * n_clusters)
        counts[rows] = counted.reshape(n_rows, n_clusters)
    counts.setflags(write=False)
    return counts


_few, _many = lru_cache(maxsize=32)(_drawn), lru_cache(maxsize=2)(_drawn)


def blocks(replicates: int, n_clusters: int, elements: int) -> list[slice]:
    """Rows of a matrix [replicates, n_clusters] in blocks of about so many elements."""
    step = max(1, elements // n_clusters)
    return [slice(start, min(start + step, replicates)) for start in range(0, replicates, step)]


@dataclass(frozen=True, slots=True)
class BootstrapT:
    """A bootstrap-t distribution: the value, its standard error and the replicates of t.

    Shapes: ``value`` and ``se`` [K], ``t`` [R, K], where K is the number of estimates. ``t`` is NaN
    for a replicate that has no estimate, and infinite for one without spread.
    """

    value: Array
    se: Array
    t: Array

    def interval(self, level: float = 0.95) -> tuple[Array, Array]:
        """Equal-tailed interval [θ − t_{1−α/2} se, θ − t_{α/2} se] (Efron 1981), shape [K] each.

        The quantiles are those order statistics of t that make the interval hold exactly the null
        values with `p_value` ≥ 1 − ``level``. A bound is infinite where the replicates do not limit
        it, and NaN where ``se`` is 0.
        """
        n = self._n_replicates()
        # Rounding first: (1 − 0.95)/2 · 10000 is a little more than 250.
        rank = np.ceil(np.round((1 - level) / 2 * (n + 1), 6)).astype(np.intp) - 1
        if rank.min() < 1:
            raise ValueError(f"{n.min()} replicates are too few for an interval at level {level}")
        ordered = np.sort(self.t, axis=0)
        low_t = np.take_along_axis(ordered, rank[None] - 1, axis=0)[0]
        high_t = np.take_along_axis(ordered, (n - rank)[None], axis=0)[0]
        se = np.where(self.se > 0, self.se, np.nan)
        return self.value - high_t * se, self.value - low_t * se

    def p_value(self, null: float) -> Array:
        """Two-sided p-value of θ = null, shape [K]: twice the smaller tail (k + 1)/(R + 1)."""
        observed = (self.value - null) / np.where(self.se > 0, self.se, np.nan)
        n = self._n_replicates()
        above = (1 + (self.t >= observed).sum(axis=0)) / (1 + n)
        below = (1 + (self.t <= observed).sum(axis=0)) / (1 + n)
        p = np.minimum(1.0, 2 * np.minimum(above, below))
        return np.where(self.se > 0, p, np.nan)

    def _n_replicates(self) -> NDArray[np.intp]:
        return np.asarray((~np.isnan(self.t)).sum(axis=0), dtype=np.intp)


def bootstrap_t(y: Array, w: Array, *, replicates: int = REPLICATES, seed: int = 0) -> BootstrapT:
    """Studentised cluster bootstrap of K ratios θ_k = Σ_g y_gk / Σ_g w_gk.

    A replicate's standard error is the linearised one,
    se*² = G/(G − 1) · Σ c_g (y_g − θ* w_g)² / (Σ c_g w_g)² with counts c. In residuals
    e_g = y_g − θ w_g and with δ = θ* − θ = Σ c e / Σ c w the sum is
    Σ c e² − 2 δ Σ c e w + δ² Σ c w²: matrix products, and no cancellation where θ is large.

    Parameters
    ----------
    y, w : arrays of shape [G] or [G, K], G ≥ 2
        Sums per cluster; ``w`` of shape [G] is shared by all estimates.
    replicates : int
        Number of replicates R.
    seed : int
        Seed of the draws.
    """
    y = y.reshape(len(y), -1)
    w = np.broadcast_to(w.reshape(len(w), -1), y.shape)
    value = y.sum(axis=0) / w.sum(axis=0)
    e = residuals(y, w)
    _, se = _shift_and_se(np.ones((1, len(y))), e, w)
    counts = _counts(len(y), replicates, seed)
    parts = [
        _studentised(*_shift_and_se(counts[rows].astype(np.float64), e, w))
        for rows in blocks(replicates, len(y), min(_BLOCK, _IN_CACHE * y.shape[1]))
    ]
    return BootstrapT(value, se[0], np.concatenate(parts))


def joint_t(influence: Array, *, replicates: int = REPLICATES, seed: int = 0) -> Array:
    """Replicates of t = (θ* − θ)/se* of P sums of influences, shape [R, P], drawn together.

    As `bootstrap_t`, for influences s that sum to 0 in every column: with counts c of G clusters,
    θ* − θ = Σ c s and se*² = G/(G − 1) · (Σ c s² − (Σ c s)²/G). Two products per column.

    Parameters
    ----------
    influence : array of shape [G, P], G ≥ 2
        Influence of each cluster.
    replicates, seed : int
        Number of replicates R and seed of the draws.
    """
    n_clusters, n_columns = influence.shape
    counts = _counts(n_clusters, replicates, seed)
    columns = np.concatenate([influence, influence**2], axis=1)
    parts = []
    for rows in blocks(replicates, n_clusters, min(_BLOCK, _IN_CACHE * n_columns)):
        shift, first = np.split(counts[rows].astype(np.float64) @ columns, 2, axis=1)
        squares = first - shift**2 / n_clusters
        squares = np.where(squares > 1e-12 * first, squares, 0.0)
        parts.append(_studentised(shift, np.sqrt(n_clusters / (n_clusters - 1) * squares)))
    return np.concatenate(parts)


def _shift_and_se(counts: Array, e: Array, w: Array) -> tuple[Array, Array]:
    """θ* − θ and its standard error for each row of counts: [R, K] each, NaN without weight."""
    n_clusters, k = e.shape
    # One product for all sums: reading the counts is what takes the time.
    if (w == w[0]).all():
        sums = counts @ np.concatenate([e, e**2], axis=1)
        shifted, first = sums[:, :k], sums[:, k:]
        total, mixed, last = n_clusters * w[0], w[0] * shifted, n_clusters * w[0] ** 2
    else:
        sums = counts @ np.concatenate([e, e**2, e * w, w, w**2], axis=1)
        shifted, first, mixed, total, last = (sums[:, i * k : (i + 1) * k] for i in range(5))
    # A replicate that drew only clusters of zero weight has no θ*. It becomes NaN and is left out:
    # the others are the distribution given that an estimate exists, as it does in the sample.
    total = np.where(total > 0, total, np.nan)
    shift = shifted / total
    squares = first - 2 * shift * mixed + shift**2 * last
    # Drawn clusters that are all equal leave rounding of the size of the terms that cancel.
    squares = np.where(squares > 1e-12 * first, squares, 0.0)
    return shift, np.sqrt(n_clusters / (n_clusters - 1) * squares) / total


def _studentised(shift: Array, se: Array) -> Array:
    """Replicates of t = (θ* − θ)/se*.

    A replicate that drew only equal clusters has se* = 0. Its t counts as infinite on the side of
    its shift, the limit for a vanishing spread, which can only widen the interval; leaving it out
    would remove just those samples in which the error is underestimated most. Without a shift
    it counts as 0.
    """
    flat = np.where(shift == 0, 0.0, np.copysign(math.inf, shift))
    t = np.divide(shift, se, out=np.zeros_like(shift), where=se > 0)
    return np.where(np.isnan(shift), np.nan, np.where(se > 0, t, flat))
