"""Statistics that are no means, as means: values whose average is the statistic.

The infinitesimal jackknife gives each unit its share: value_i = θ + IF_i, where the influence
IF_i says how θ moves with the weight of unit i and sums to 0 (Efron 1982, chapter 6). The mean of
the values is θ, and the spread of that mean is, to first order, the spread of θ. So two models can
be compared unit by unit with what compares means.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def correlation_values(x: Array, y: Array) -> Array:
    """Values whose mean is Pearson's r of ``x`` and ``y``, shape [n].

    r + z_x z_y − r (z_x² + z_y²)/2 with scores z of mean 0 and variance 1.

    Parameters
    ----------
    x, y : arrays of shape [n]
        Neither constant.
    """
    zx, zy = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    r = float((zx * zy).mean())
    return np.asarray(r + zx * zy - r * (zx**2 + zy**2) / 2)


def exponential_ratio_values(numerators: Array, denominators: Array) -> Array:
    """Values whose mean is exp(Σ numerators / Σ denominators), shape [n].

    With θ the ratio and w̄ the mean denominator: e^θ (1 + (y_i − θ w_i)/w̄).

    Parameters
    ----------
    numerators, denominators : arrays of shape [n]
        Denominators are not negative and not all 0.
    """
    theta = float(numerators.sum() / denominators.sum())
    influence = (numerators - theta * denominators) / denominators.mean()
    return np.asarray(np.exp(theta) * (1 + influence))


def joint_values(value: float, *influences: Array) -> tuple[Array, Array]:
    """Values and weights whose weighted mean is a statistic of several samples, shape [n] each.

    A statistic of K samples of sizes n_k, n in all, moves by IF/n_k with a unit of sample k. So
    with w = n/(K n_k), every sample has the same weight, and the unit's value is
    θ w + (n/n_k) IF; the units of all samples stand one after the other.

    Parameters
    ----------
    value : float
        θ.
    *influences : arrays of shape [n_k]
        IF of every unit of a sample: how θ moves with the unit's weight; sums to 0.
    """
    n = sum(len(sample) for sample in influences)
    shares = [np.full(len(sample), n / len(sample)) for sample in influences]
    weights = np.concatenate(shares) / len(influences)
    moves = np.concatenate(
        [share * sample for share, sample in zip(shares, influences, strict=True)]
    )
    return value * weights + moves, weights
