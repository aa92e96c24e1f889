"""The sample behind one estimate: checked, in a canonical order, with its design worked out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairaudit.stats.clusters import (
    Array,
    Labels,
    cluster_totals,
    codes,
    cr2,
    few_apart,
    intersection,
    skew,
    sparse_df,
    two_way,
)

Design = Literal["item", "cluster", "cluster x template"]
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Sample:
    """Items that enter θ = Σ values / Σ weights, and what is resampled together.

    Parameters
    ----------
    values, weights : array of shape [n]
        Numerators and denominators.
    clusters : array of int, shape [n]
        Cluster of each item.
    crossed : array of int, shape [n], or None
        Second label of each item in a two-way design, otherwise None.
    design : str
        The resampling unit.
    """

    values: Array
    weights: Array
    clusters: Codes
    crossed: Codes | None
    design: Design

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.values)

    @property
    def n_clusters(self) -> int:
        """Number of clusters; of the smaller label in a two-way design, which limits it."""
        counts = [
            _n_distinct(labels) for labels in (self.clusters, self.crossed) if labels is not None
        ]
        return min(counts)

    @property
    def value(self) -> float:
        """θ, the ratio of the sums."""
        return float(self.values.sum() / self.weights.sum())

    @property
    def totals(self) -> tuple[tuple[Array, Array], ...]:
        """Sums of values and of weights by cluster; then by the second label, if there is one."""
        labels = (self.clusters,) if self.crossed is None else (self.clusters, self.crossed)
        return tuple(cluster_totals(self.values, self.weights, one)[:2] for one in labels)

    def standard_error(self) -> tuple[float, float]:
        """Cluster-robust standard error of θ and its degrees of freedom: CR2, or two-way."""
        if self.crossed is None:
            return cr2(*self.totals[0])
        return two_way(self.values, self.weights, self.clusters, self.crossed)

    def sparse_df(self, df: float) -> float:
        """Degrees of freedom, at most ``df``, that few clusters of either label leave."""
        return min(sparse_df(y, w, df) for y, w in self.totals)

    def skews(self) -> tuple[float, float]:
        """Skew of θ towards lower and towards higher values: one is 0, by the label of most."""
        found = max((skew(y, w) for y, w in self.totals), key=abs)
        return max(0.0, -found), max(0.0, found)

    def few_apart(self) -> int | None:
        """Count the clusters that differ from the rest, where they are few, of either label."""
        counts = (few_apart(y, w) for y, w in self.totals)
        return min((count for count in counts if count is not None), default=None)


def make_sample(
    values: ArrayLike, weights: ArrayLike | None, clusters: Labels, crossed: Labels | None
) -> Sample:
    """Check the items, drop those outside the ratio, and put the rest into a canonical order.

    The order makes sums, and with them every digit of a result, independent of the order in which
    items arrive. An item with weight 0 is in neither sum, so it does not count as an item.
    """
    x, w = ratio_parts("values", values, weights, None)
    labels = item_labels("clusters", clusters, len(x))
    second = labels if crossed is None else item_labels("crossed", crossed, len(x))
    inside = w > 0
    return _in_order(x[inside], w[inside], *one_or_two(labels[inside], second[inside]))


def _in_order(x: Array, w: Array, labels: Codes, second: Codes | None) -> Sample:
    order = np.lexsort((x, w, labels) if second is None else (x, w, second, labels))
    design = design_of(labels, second)
    second = None if second is None else second[order]
    return Sample(x[order], w[order], labels[order], second, design)


def design_of(labels: Codes, second: Codes | None) -> Design:
    """Name what is resampled together."""
    if second is not None:
        return "cluster x template"
    return "item" if _n_distinct(labels) == len(labels) else "cluster"


def ratio_parts(
    name: str, values: ArrayLike, weights: ArrayLike | None, n: int | None
) -> tuple[Array, Array]:
    """Check the numerators and denominators of items; weights are 1 unless given."""
    x = _finite(name, values, n)
    w = np.ones(len(x)) if weights is None else _finite("weights", weights, len(x))
    if (w < 0).any():
        raise ValueError("weights must not be negative")
    if (x[w == 0] != 0).any():
        raise ValueError("an item with weight 0 must have value 0: it lies outside the ratio")
    return x, w


def one_or_two(clusters: Codes, crossed: Codes) -> tuple[Codes, Codes | None]:
    """Both labels if they cross; the coarser one if one is nested in the other.

    A label that is the same for all items separates nothing and is left aside: the inference then
    holds for that one template.
    """
    n_clusters, n_crossed = _n_distinct(clusters), _n_distinct(crossed)
    n_both = _n_distinct(intersection(clusters, crossed))
    if n_crossed == 1 or n_both == n_crossed:
        return clusters, None
    if n_clusters == 1 or n_both == n_clusters:
        return crossed, None
    return clusters, crossed


def _finite(name: str, array: ArrayLike, n: int | None) -> Array:
    checked = np.asarray(array, dtype=np.float64)
    if checked.ndim != 1 or (n is not None and len(checked) != n):
        raise ValueError(f"{name} must be one number per item, not of shape {checked.shape}")
    if not np.isfinite(checked).all():
        raise ValueError(f"{name} must be finite: leave missing items out, and count them, before")
    return checked


def item_labels(name: str, labels: Labels, n: int) -> Codes:
    """Check that there is one label per item, and number the labels."""
    index, _ = codes(labels)
    if np.ndim(labels) != 1 or len(index) != n:
        raise ValueError(f"{name} must be one label per item: {len(labels)} labels, {n} items")
    return index


def _n_distinct(labels: Codes) -> int:
    return len(np.unique(labels))
