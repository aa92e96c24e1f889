"""What a design can find, and how large it must be to find it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from fairaudit.stats.evidence import quantile

Sides = Literal[1, 2]


def minimum_detectable_effect(
    se: float, df: float | None = None, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest effect that a two-sided test at ``alpha`` finds with probability ``power``.

    (t_{1−α/2} + t_{power}) · se with ``df`` degrees of freedom; normal where ``df`` is None
    (Bloom 1995). Same unit as ``se``; at least 0.
    """
    return (quantile(1 - alpha / 2, df) + quantile(power, df)) * se


def required_pairs(
    effect: float,
    discordance: float,
    *,
    alpha: float = 0.05,
    power: float = 0.9,
    sides: Sides = 2,
    design_effect: float = 1.0,
) -> int:
    """Find the number of pairs that shows a difference of two rates.

    n = (z_{1−α/sides} + z_{power})² · q/δ², times the design effect: the variance of a paired
    difference is q − δ² ≤ q per pair, for the share q of discordant pairs (Miettinen 1968).

    Parameters
    ----------
    effect : float
        Difference δ of the rates, not 0.
    discordance : float
        Share of pairs on which the models differ; at least |δ|.
    alpha, power : float
        Level of the test and probability of rejection.
    sides : {1, 2}
        A gate's bound is one-sided, a test of "no difference" two-sided.
    design_effect : float
        Variance relative to independent pairs, see `design_effect`.

    Examples
    --------
    >>> required_pairs(0.05, 0.2), required_pairs(0.05, 0.2, sides=1)
    (841, 686)
    """
    if effect == 0 or not abs(effect) <= discordance <= 1:
        raise ValueError(f"need 0 < |effect| <= discordance <= 1, not {effect} and {discordance}")
    z = quantile(1 - alpha / sides, None) + quantile(power, None)
    return math.ceil(z * z * discordance / effect**2 * design_effect)


def detectable_difference(
    n: float,
    discordance: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Sides = 2,
    design_effect: float = 1.0,
) -> float:
    """Find the smallest difference of two rates that ``n`` pairs show; inverts `required_pairs`."""
    z = quantile(1 - alpha / sides, None) + quantile(power, None)
    return z * math.sqrt(discordance * design_effect / n)


def design_effect(sizes: Sequence[float], icc: float) -> float:
    """Variance of a mean of clustered items relative to independent ones.

    1 + (Σ m²/Σ m − 1) r for cluster sizes m (Kish 1965); 1 where all sizes are 1.

    Parameters
    ----------
    sizes : sequence of float
        Items per cluster.
    icc : float
        Intra-class correlation r.
    """
    return 1 + (sum(m * m for m in sizes) / sum(sizes) - 1) * icc
