"""Cluster-robust standard errors of a mean or ratio, θ = Σ y / Σ w.

Items of one cluster are not independent, so only sums per cluster count: y_g and w_g. A plain mean
of items has w_i = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Labels = Sequence[Any] | NDArray[Any]

MIN_APART: Final = 5


def codes(labels: Labels) -> tuple[NDArray[np.intp], NDArray[Any]]:
    """Integer code of each label, and the distinct labels in sorted order.

    Parameters
    ----------
    labels : sequence of labels, length n
        Anything that NumPy can sort.

    Returns
    -------
    codes : array of int, shape [n]
        Place of each label among the distinct ones.
    distinct : array of shape [G]
        The distinct labels.

    Examples
    --------
    >>> codes(["b", "a", "b"])[0].tolist()
    [1, 0, 1]
    """
    distinct, index = np.unique(np.asarray(labels), return_inverse=True)
    return index, distinct


def cluster_totals(
    numerators: ArrayLike, denominators: ArrayLike, clusters: Labels
) -> tuple[Array, Array, NDArray[Any]]:
    """Sum numerators and denominators per cluster.

    Parameters
    ----------
    numerators, denominators : array of shape [n]
        Item values and their weights.
    clusters : sequence of labels, length n
        Cluster of each item.

    Returns
    -------
    y, w : arrays of shape [G]
        Sums per cluster.
    labels : array of shape [G]
        Distinct labels in sorted order, the order of ``y`` and ``w``.
    """
    index, labels = codes(clusters)
    y = np.bincount(index, weights=np.asarray(numerators, dtype=np.float64))
    w = np.bincount(index, weights=np.asarray(denominators, dtype=np.float64))
    return y.astype(np.float64), w.astype(np.float64), labels


def residuals(y: Array, w: Array) -> Array:
    """Residuals e_g = y_g − θ w_g, shape as ``y``, with rounding remainders set to exactly 0.

    Clusters that all have the same ratio leave remainders of about 1e-16, which a standard error
    would turn into a tiny but positive number and a test into certainty.
    """
    fitted = y.sum(axis=0) / w.sum(axis=0) * w
    difference = y - fitted
    scale = np.maximum(np.abs(y), np.abs(fitted)).max(axis=0)
    return np.where(np.abs(difference) <= 1e-12 * scale, 0.0, difference)


def cr2(y: Array, w: Array) -> tuple[float, float]:
    """CR2 standard error and Satterthwaite degrees of freedom (Bell and McCaffrey 2002).

    For the model with an intercept only, with N = Σ w, θ = Σ y / N, e_g = y_g − θ w_g and
    a_g = (1 − w_g/N)^(−1/2): V = Σ (a_g e_g)² / N². With
    B_gh = a_g a_h (δ_gh w_g − w_g w_h / N): df = tr(B)² / tr(B²), between 1 and G − 1. Equal
    clusters give the t-test of cluster means with G − 1 degrees of freedom.

    Parameters
    ----------
    y, w : arrays of shape [G], G ≥ 2
        Sums per cluster; ``w`` is not negative, and no cluster holds all the weight.

    Returns
    -------
    se, df : float
    """
    total = float(w.sum())
    if len(w) < 2 or w.max() >= total:
        raise ValueError("one cluster holds all the weight: its error cannot be estimated")
    squared_adjustment = 1 / (1 - w / total)
    variance = float(np.sum(squared_adjustment * residuals(y, w) ** 2)) / total**2
    # B = D − s sᵀ/N with diagonal D and s = a·w: both traces without a G × G matrix.
    diagonal = squared_adjustment * w
    outer = squared_adjustment * w**2
    trace = float(np.sum(diagonal - outer / total))
    trace_of_square = float(
        np.sum(diagonal**2 - 2 * diagonal * outer / total) + (np.sum(outer) / total) ** 2
    )
    return math.sqrt(variance), trace**2 / trace_of_square


def sparse_df(y: Array, w: Array, df: float) -> float:
    """Degrees of freedom of a variance that few clusters decide; at most ``df``.

    The sum of squared residuals of G independent clusters has variance about
    Σ e⁴ − (Σ e²)²/G, and a scaled χ² of f degrees of freedom with the same mean has 2 (Σ e²)²/f. So
    f = 2 (Σ e²)² / (Σ e⁴ − (Σ e²)²/G): about G for normal residuals, and about 2k where only k
    clusters differ from the rest, however many there are.

    Parameters
    ----------
    y, w : arrays of shape [G]
        Sums per cluster, not all of the same ratio.
    df : float
        Degrees of freedom by the sizes of the clusters, from `cr2`.
    """
    squares = residuals(y, w) ** 2
    total = float(squares.sum()) ** 2
    spread = float((squares**2).sum()) - total / len(y)
    return min(df, 2 * total / spread) if spread > 0 else df


def skew(y: Array, w: Array) -> float:
    """Σ c³ / Σ c² of what clusters add to θ − E θ, c_g = e_g/Σ w; in units of θ.

    Where k of G equal clusters lie at 1 and all others at 0, about 1/G: the size of one that lies
    out, divided by G. Positive where few clusters lie far above the rest. 0 without spread.
    """
    c = residuals(y, w) / float(w.sum())
    squares = float((c**2).sum())
    return float((c**3).sum()) / squares if squares > 0 else 0.0


def few_apart(y: Array, w: Array) -> int | None:
    """Count the clusters whose ratio y/w is not the most common one, where they are few.

    Few are fewer than 5 and fewer than a quarter. Then the spread is known from these alone, and a
    t-interval of a quantity that mostly stays put misses its rare larger values. None otherwise.
    """
    _, counts = np.unique(y / w, return_counts=True)
    apart = int(len(y) - counts.max())
    return apart if apart < min(MIN_APART, len(y) / 4) else None


def two_way(
    numerators: ArrayLike, denominators: ArrayLike, clusters_a: Labels, clusters_b: Labels
) -> tuple[float, float]:
    """Two-way clustered standard error (Cameron, Gelbach and Miller 2011) from CR2 parts.

    V = V_a + V_b − V_ab, where V_ab clusters by both labels together. V can fall below V_a or V_b
    by chance; then the larger of them is used, since a second source of dependence cannot make an
    estimate more precise.

    Parameters
    ----------
    numerators, denominators : array of shape [n]
        Item values and their weights.
    clusters_a, clusters_b : sequences of labels, length n
        The two labels of each item; neither may be nested in the other.

    Returns
    -------
    se, df : float
        ``df`` is the smaller of the two one-way degrees of freedom.
    """
    both = intersection(clusters_a, clusters_b)
    se_a, df_a = cr2(*cluster_totals(numerators, denominators, clusters_a)[:2])
    se_b, df_b = cr2(*cluster_totals(numerators, denominators, clusters_b)[:2])
    se_both, _ = cr2(*cluster_totals(numerators, denominators, both)[:2])
    variance = max(se_a**2 + se_b**2 - se_both**2, se_a**2, se_b**2)
    return math.sqrt(variance), min(df_a, df_b)


def intersection(clusters_a: Labels, clusters_b: Labels) -> NDArray[np.intp]:
    """One integer per item for its pair of labels."""
    index_a, _ = codes(clusters_a)
    index_b, labels_b = codes(clusters_b)
    return index_a * len(labels_b) + index_b
