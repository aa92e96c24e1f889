"""Two models on the same items, as one sample of differences.

Each model's value is a ratio, θ = Σ y / Σ w, and the denominators may differ: some scores leave out
the pairs on which a model is neutral. So what an item adds to the difference is its influence,

    x_i = n · [(y_Ci − θ_C w_Ci)/W_C − (y_Bi − θ_B w_Bi)/W_B] + δ v_i,

with W = Σ w and the mean share v_i = n · (w_Ci/W_C + w_Bi/W_B)/2 of the item. Σ x/Σ v is exactly
δ = θ_C − θ_B, its spread is that of δ to first order, and with all weights 1 x_i is simply
y_Ci − y_Bi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fairaudit.stats.clusters import Array, Labels
from fairaudit.stats.sample import (
    Codes,
    Sample,
    design_of,
    item_labels,
    one_or_two,
    ratio_parts,
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Items that both models answered.

    Parameters
    ----------
    value_baseline, value_candidate : float
        θ of each model.
    sample : Sample
        Influences x as values and shares v as weights; v has mean 1.
    exchanges : array of shape [n]
        (y_C − y_B) − θ̄ (w_C − w_B) with the common θ̄ of both models: exchanging the answers of an
        item turns its sign, and the sum has the sign of θ_C − θ_B.
    n_discordant : int
        Items on which the models differ.
    plain : bool
        Whether all weights are 1.
    """

    value_baseline: float
    value_candidate: float
    sample: Sample
    exchanges: Array
    n_discordant: int
    plain: bool

    @property
    def difference(self) -> float:
        """θ_C − θ_B."""
        return self.sample.value

    @property
    def mean_square(self) -> float:
        """Mean squared item difference, Σ v (x/v)² / Σ v."""
        x, v = self.sample.values, self.sample.weights
        return float((x * (x / v)).sum() / v.sum())

    @property
    def independent_pairs(self) -> float:
        """Number of items if they were independent: (Σ v)²/Σ v², which is n for equal weights."""
        v = self.sample.weights
        return float(v.sum() ** 2 / (v**2).sum())


@dataclass(frozen=True, slots=True)
class Answers:
    """Numerators [n, 2] and denominators [n, 2] of baseline and candidate, with their labels."""

    y: Array
    w: Array
    clusters: Codes
    crossed: Codes | None


def make_answers(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Labels,
    weights_baseline: ArrayLike | None,
    weights_candidate: ArrayLike | None,
    crossed: Labels | None,
) -> Answers:
    """Check the items and put them into a canonical order; an item without weight is left out."""
    y_b, w_b = ratio_parts("baseline", baseline, weights_baseline, None)
    y_c, w_c = ratio_parts("candidate", candidate, weights_candidate, len(y_b))
    labels = item_labels("clusters", clusters, len(y_b))
    second = labels if crossed is None else item_labels("crossed", crossed, len(y_b))
    inside = (w_b > 0) | (w_c > 0)
    y, w = np.stack([y_b, y_c], axis=1)[inside], np.stack([w_b, w_c], axis=1)[inside]
    first, other = one_or_two(labels[inside], second[inside])
    order = _order(y, w, first, other)
    return Answers(y[order], w[order], first[order], None if other is None else other[order])


def _order(y: Array, w: Array, first: Codes, other: Codes | None) -> NDArray[np.intp]:
    # The answers count in an order that exchanging the models does not change.
    keys = [y.sum(axis=1), np.abs(y[:, 1] - y[:, 0]), w.sum(axis=1), np.abs(w[:, 1] - w[:, 0])]
    tie_breakers = [y[:, 1], w[:, 1]]
    labels = [first] if other is None else [other, first]
    return np.lexsort([*tie_breakers, *keys, *labels])


def make_pairs(answers: Answers) -> Pairs:
    """Differences of two models that both have weight."""
    y, w = answers.y, answers.w
    totals = w.sum(axis=0)
    theta = y.sum(axis=0) / totals
    pooled = y.sum() / w.sum()
    plain = bool((w == 1).all())
    x, v = _plain(y) if plain else _influences(y, w, theta)
    design = design_of(answers.clusters, answers.crossed)
    return Pairs(
        value_baseline=float(theta[0]),
        value_candidate=float(theta[1]),
        sample=Sample(x, v, answers.clusters, answers.crossed, design),
        exchanges=(y[:, 1] - y[:, 0]) - pooled * (w[:, 1] - w[:, 0]),
        n_discordant=int(np.count_nonzero((y[:, 0] != y[:, 1]) | (w[:, 0] != w[:, 1]))),
        plain=plain,
    )


def _plain(y: Array) -> tuple[Array, Array]:
    return y[:, 1] - y[:, 0], np.ones(len(y))


def _influences(y: Array, w: Array, theta: Array) -> tuple[Array, Array]:
    shares = len(y) * w / w.sum(axis=0)
    v = shares.mean(axis=1)
    parts = len(y) * (y - theta * w) / w.sum(axis=0)
    return parts[:, 1] - parts[:, 0] + (theta[1] - theta[0]) * v, v
