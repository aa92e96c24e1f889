"""What a group's gradients have in common: formulas on inner products of group sums.

Group a has n_a records with gradients g_i, of which clipping leaves ḡ_i = s_i g_i with
s_i = min(1, C/‖g_i‖). All that follows is made of inner products of Σ_{i∈a} g_i and Σ_{i∈a} ḡ_i,
so it is the same whether they come from sums held in memory or from a Gram matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Inner products of the sums of A groups over n records in all.

    Parameters
    ----------
    counts : array of shape [A]
        n_a, records of each group; every record has one group.
    plain, clipped : array of shape [A, A]
        ⟨G_a, G_b⟩ of the sums G_a = Σ g_i, and of the clipped sums Ḡ_a = Σ ḡ_i.
    mixed : array of shape [A, A]
        ⟨G_a, Ḡ_b⟩.
    plain_paired, clipped_paired : array of shape [A, A]
        The part of ``plain`` and ``clipped`` that comes from records of the same template.
    pairs : array of shape [A, A]
        Number of pairs of records behind that part.
    """

    counts: Array
    plain: Array
    clipped: Array
    mixed: Array
    plain_paired: Array
    clipped_paired: Array
    pairs: Array

    @property
    def n(self) -> float:
        """Number of records."""
        return float(self.counts.sum())

    def unbiased(self, *, clipped: bool = False) -> Array:
        """Unbiased estimates of ⟨μ_a, μ_b⟩, the inner products of expected gradients, [A, A].

        (⟨G_a, G_b⟩ − Σ_t ⟨G_at, G_bt⟩)/(n_a n_b − Σ_t n_at n_bt): the mean over all pairs of
        records of different templates. On the diagonal, with one record a template, it is
        (‖Σ g_i‖² − Σ‖g_i‖²)/(n(n − 1)). NaN where there is no such pair.
        """
        total = self.clipped if clipped else self.plain
        paired = self.clipped_paired if clipped else self.plain_paired
        number = np.outer(self.counts, self.counts) - self.pairs
        missing = np.where(number > 0, number, np.nan)
        return np.asarray((total - paired) / missing, dtype=np.float64)

    @property
    def squared_norms(self) -> Array:
        """‖g_a‖² of the group means as they are, [A]; their expectation is ‖μ_a‖² + tr Σ_a/n_a."""
        return np.asarray(np.diag(self.plain) / self.counts**2)

    @property
    def clipped_squared_norms(self) -> Array:
        """‖ḡ_a‖², [A]."""
        return np.asarray(np.diag(self.clipped) / self.counts**2)

    @property
    def along_clipped(self) -> Array:
        """⟨g_a, ḡ_a⟩, [A]."""
        return np.asarray(np.diag(self.mixed) / self.counts**2)

    @property
    def batch_squared_norm(self) -> float:
        """‖g_B‖² of the mean over all records."""
        return float(self.plain.sum()) / self.n**2

    @property
    def clipped_batch_squared_norm(self) -> float:
        """‖ḡ_B‖²."""
        return float(self.clipped.sum()) / self.n**2

    @property
    def along_batch(self) -> Array:
        """⟨g_a, g_B⟩, [A]."""
        return np.asarray(self.plain.sum(axis=1) / (self.counts * self.n))

    @property
    def along_clipped_batch(self) -> Array:
        """⟨g_a, ḡ_B⟩, [A]."""
        return np.asarray(self.mixed.sum(axis=1) / (self.counts * self.n))


def norm(squared: float) -> float | None:
    """Square root; None for an estimate that is not positive: below resolution."""
    return math.sqrt(squared) if squared > 0 else None


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Quotient; None where either is missing or the denominator is not positive."""
    if numerator is None or denominator is None or not denominator > 0:
        return None
    return numerator / denominator


def cosine(product: float, squared: float, other_squared: float) -> float | None:
    """Return product/√(squared · other), cut to −1 … 1; None where a norm is below resolution.

    Unbiased estimates can give a little more than 1 where two groups agree.
    """
    found = ratio(product, norm(max(squared, 0.0) * max(other_squared, 0.0)))
    return None if found is None else min(1.0, max(-1.0, found))
