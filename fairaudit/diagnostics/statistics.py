"""Statistics of one group that can be resampled: value and influence under weights of cells.

A statistic takes weights [R, m], one row per replicate, and returns its values [R] and the
derivatives with respect to the weights [R, m]. The derivatives give its standard error by the
infinitesimal jackknife over templates, in every replicate as in the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fairaudit.diagnostics.moments import Array

Evaluated = tuple[Array, Array]


class Statistic(Protocol):
    """A function of the weights of a group's cells."""

    def __call__(self, weights: Array) -> Evaluated:
        """Return values [R] and influences [R, m] for weights [R, m]."""


@dataclass(frozen=True, slots=True)
class Mean:
    """Mean over records: Σ_c w_c x_c / Σ_c w_c n_c.

    Parameters
    ----------
    sums, counts : array of shape [m]
        Sum of the value over each cell, and its records.
    """

    sums: Array
    counts: Array

    def __call__(self, weights: Array) -> Evaluated:
        """Evaluate; see `Statistic`."""
        total = weights @ self.counts
        value = _divide(weights @ self.sums, total)
        influence = _divide(self.sums - value[:, None] * self.counts, total[:, None])
        return value, influence


@dataclass(frozen=True, slots=True)
class SquaredNorm:
    """Unbiased ‖μ‖² of the group's mean gradient, over pairs of records of different templates.

    (wᵀKw − Σ_c w_c² K_cc)/((Σ_c w_c n_c)² − Σ_c w_c² n_c²): copies of one template that a
    bootstrap draws are one template still.

    Parameters
    ----------
    products : array of shape [m, m]
        K, inner products of the cells' sums; one cell a template.
    counts : array of shape [m]
        n_c.
    """

    products: Array
    counts: Array

    def __call__(self, weights: Array) -> Evaluated:
        """Evaluate; see `Statistic`."""
        along, own = weights @ self.products, np.diag(self.products)
        total, squares = weights @ self.counts, self.counts**2
        numerator = (along * weights).sum(axis=1) - weights**2 @ own
        pairs = total**2 - weights**2 @ squares
        value = _divide(numerator, pairs)
        slope = 2 * (along - weights * own)
        pair_slope = 2 * (total[:, None] * self.counts - weights * squares)
        return value, _divide(slope - value[:, None] * pair_slope, pairs[:, None])


@dataclass(frozen=True, slots=True)
class Log:
    """factor · log of another statistic; NaN where that is not positive."""

    inner: Statistic
    factor: float = 1.0

    def __call__(self, weights: Array) -> Evaluated:
        """Evaluate; see `Statistic`."""
        value, influence = self.inner(weights)
        positive = np.where(value > 0, value, np.nan)
        return self.factor * np.log(positive), self.factor * influence / positive[:, None]


@dataclass(frozen=True, slots=True)
class Combination:
    """Σ_k coefficient_k · statistic_k: a contrast over the steps of a series."""

    parts: Sequence[Statistic]
    coefficients: Sequence[float]

    def __call__(self, weights: Array) -> Evaluated:
        """Evaluate; see `Statistic`."""
        value, influence = np.zeros(len(weights)), np.zeros(weights.shape)
        for part, coefficient in zip(self.parts, self.coefficients, strict=True):
            if coefficient != 0:
                one, slopes = part(weights)
                value, influence = value + coefficient * one, influence + coefficient * slopes
        return value, influence


def _divide(numerator: Array, denominator: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(denominator > 0, numerator / denominator, np.nan))
