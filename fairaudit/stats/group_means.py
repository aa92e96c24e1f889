"""Means of several groups in two models, with everything that their differences need.

A contrast Σ a_g m_g of group means has the cluster-robust variance Σ_c (Σ_g a_g s_cg)², where
s_cg = (y_cg − m_g w_cg)/W_g · (1 − w_cg/W_g)^(−1/2) is the adjusted influence of cluster c on the
mean of group g, with sums y and weights w per cluster and group and W = Σ w. That is CR2 (Bell and
McCaffrey 2002) of the model with one mean per group. It holds whether a cluster is in one group, as
a prompt is, or in all of them, as an opening is that every group is asked with.

Degrees of freedom are Welch's: (Σ v_g)²/Σ (v_g²/f_g) with the variance v_g that group g brings and
its own f_g, so that a group of 12 does not borrow certainty from one of 1,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairaudit.stats.clusters import Array, Labels, codes, cr2, few_apart, residuals

#: Jumps to the end of the range that a mean's variance is charged with, as Agresti and Coull (1998)
#: add four items to a rate: with k such jumps seen among n, the bound k/n + t·√(k + 4)/n is about
#: that of Clopper and Pearson, from k = 0 (about 3/n) on.
UNSEEN: Final = 4.0


@dataclass(frozen=True, slots=True)
class GroupMeans:
    """Means of K groups in both models, from G clusters of prompts that both models answered.

    Parameters
    ----------
    groups : tuple of str
        Names, sorted.
    n, n_clusters : arrays of int, shape [K]
        Prompts and clusters of each group.
    baseline, candidate : arrays of shape [K]
        Means.
    influence : array of shape [G, 2, K]
        Adjusted influences s on the means of the baseline and of the candidate.
    df : array of shape [K]
        Degrees of freedom of each group's mean.
    unseen_up, unseen_down : arrays of shape [K]
        Variance of jumps that could occur and were not seen: `UNSEEN`/n² times the squared distance
        from the means to the end of the range, with the effective number n of clusters.
    still : array of bool, shape [K]
        Groups of which few clusters moved otherwise than the rest, or none did: their observed
        spread says little.
    """

    groups: tuple[str, ...]
    n: NDArray[np.intp]
    n_clusters: NDArray[np.intp]
    baseline: Array
    candidate: Array
    influence: Array
    df: Array
    unseen_up: Array
    unseen_down: Array
    still: NDArray[np.bool_]

    @property
    def total_clusters(self) -> int:
        """Clusters over all groups."""
        return len(self.influence)

    @property
    def change(self) -> Array:
        """Candidate − baseline of each group's mean, shape [K]."""
        return self.candidate - self.baseline

    @property
    def change_influence(self) -> Array:
        """Adjusted influences on the changes, shape [G, K]; remainders of rounding are 0."""
        moved = self.influence[:, 1] - self.influence[:, 0]
        scale = np.abs(self.influence).max(axis=(0, 1))
        return np.where(np.abs(moved) <= 1e-12 * scale, 0.0, moved)

    def unseen(self, contrasts: Array, up: bool = True) -> Array:
        """Variance of unseen jumps that would raise contrasts, or lower them, by group [P, K]."""
        raising = (contrasts > 0) == up
        return np.asarray(contrasts**2 * np.where(raising, self.unseen_up, self.unseen_down))

    def welch(self, parts: Array) -> Array:
        """Degrees of freedom of contrasts, from the variance that each group brings.

        Parameters
        ----------
        parts : array of shape [..., K]
            Variance from each group.

        Returns
        -------
        array of shape [...]
            At most the number of clusters − 1, which is also the value where nothing varies.
        """
        total = parts.sum(axis=-1)
        squares = (parts**2 / self.df).sum(axis=-1)
        most = float(self.total_clusters - 1)
        found = np.divide(total**2, squares, out=np.full_like(total, most), where=squares > 0)
        return np.asarray(np.minimum(found, most))


def group_means(
    baseline: ArrayLike,
    candidate: ArrayLike,
    groups: Labels,
    clusters: Labels,
    bounds: tuple[float, float],
) -> GroupMeans:
    """Means of both models by group.

    Parameters
    ----------
    baseline, candidate : arrays of shape [n]
        One value per prompt, prompts in the same order.
    groups, clusters : sequences of labels, length n
        Group of each prompt, and what is resampled together.
    bounds : pair of float
        Range of the values.

    Returns
    -------
    GroupMeans
        Means, influences per cluster and degrees of freedom of K groups; a group of one cluster
        has no spread.
    """
    group, names = codes(groups)
    cluster, labels = codes(clusters)
    shape = (len(labels), len(names))
    place = cluster * shape[1] + group
    w = _sums(np.ones(len(place)), place, shape)
    y = [_sums(np.asarray(x, dtype=np.float64), place, shape) for x in (baseline, candidate)]
    totals = w.sum(axis=0)
    # A group of one cluster has no spread; it gets no interval either.
    adjust = 1 / np.sqrt(1 - np.where(w < totals, w / totals, 0.0))
    influence = np.stack([residuals(one, w) * adjust / totals for one in y], axis=1)
    change = y[1] - y[0]
    means = np.stack([one.sum(axis=0) / totals for one in y])
    unseen = UNSEEN * ((w**2).sum(axis=0) / totals**2) ** 2
    return GroupMeans(
        groups=tuple(str(name) for name in names),
        n=totals.astype(np.intp),
        n_clusters=(w > 0).sum(axis=0),
        baseline=means[0],
        candidate=means[1],
        influence=influence,
        df=np.array([_df(w[w[:, g] > 0, g]) for g in range(shape[1])]),
        unseen_up=unseen * (bounds[1] - means.min(axis=0)) ** 2,
        unseen_down=unseen * (means.max(axis=0) - bounds[0]) ** 2,
        still=np.array([_is_still(change[:, g], w[:, g]) for g in range(shape[1])]),
    )


def _sums(values: Array, place: NDArray[np.intp], shape: tuple[int, int]) -> Array:
    summed = np.bincount(place, weights=values, minlength=shape[0] * shape[1])
    return summed.reshape(shape).astype(np.float64)


def _df(w: Array) -> float:
    return cr2(np.zeros_like(w), w)[1] if len(w) > 1 else 0.0


def _is_still(change: Array, w: Array) -> bool:
    inside = w > 0
    # Equal changes differ by the rounding of their sums.
    ratio = np.round(change[inside] / w[inside], 12)
    return few_apart(ratio, np.ones_like(ratio)) is not None
