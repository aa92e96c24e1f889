"""Agresti and Min's error of a paired difference of proportions: one half added to each cell.

The plain error √(b + c − (b − c)²/n)/n is 0 where no pair is discordant, as if nothing could be
learnt from more pairs. With ½ in each of the four cells, so b + ½, c + ½ and n + 2, it never is
(Agresti and Min 2005, Statistics in Medicine 24, 729).
"""

from __future__ import annotations

import math

from fairaudit.stats.bisection import threshold


def agresti_min_se(difference: float, mean_square: float, n: float) -> float:
    """Return the standard error √(b + c + 1 − (b − c)²/(n + 2))/(n + 2), always above 0.

    Parameters
    ----------
    difference, mean_square : float
        Mean item difference (b − c)/n and mean squared item difference (b + c)/n, which is not
        below |difference|.
    n : float
        Number of independent pairs; with clusters that of `effective_pairs`.
    """
    excess = n * difference
    return math.sqrt(n * mean_square + 1 - excess * excess / (n + 2)) / (n + 2)


def pairs_of_error(difference: float, mean_square: float, se: float, most: float) -> float:
    """Find the number of independent pairs, at most ``most``, whose `agresti_min_se` is ``se``."""
    return threshold(lambda n: agresti_min_se(difference, mean_square, n) <= se, 0.0, most)


def effective_pairs(difference: float, mean_square: float, se: float, most: float) -> float:
    """Find the number of independent pairs as informative as clustered ones.

    (q − δ²)/se² with mean square q, difference δ and cluster-robust error ``se`` > 0; at most
    ``most``. The paired form of Korn and Graubard's (1998) effective sample size.
    """
    return min(most, max(0.0, mean_square - difference**2) / se**2)
