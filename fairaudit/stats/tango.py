"""Tango's score test and interval for the difference of two paired proportions.

Two models answer the same n items; b items only the candidate prefers, c only the baseline. The
score statistic of δ = (b − c)/n is (Tango 1998, Statistics in Medicine 17, 891)

    T(δ) = (b − c − nδ) / √(n (2 q̃ + δ(1 − δ))),

where q̃ is the probability of "only the baseline" that is most likely given δ, the larger root of
2n q² + B q + C with B = (2n − b + c) δ − b − c and C = −c δ (1 − δ). It holds its level where few
pairs are discordant: with none at all the interval is ± z²/(n + z²), never [0, 0].
"""

from __future__ import annotations

import math

from fairaudit.stats.bisection import threshold


def tango_score(only_candidate: float, only_baseline: float, n: float, delta: float) -> float:
    """T(δ); falls as δ grows from −1 to 1.

    Parameters
    ----------
    only_candidate, only_baseline : float
        Discordant counts b and c ≥ 0 with b + c ≤ n; may be fractional.
    n : float
        Number of pairs.
    delta : float
        Difference under the null hypothesis.
    """
    b, c = only_candidate, only_baseline
    excess = b - c - n * delta
    if not -1 < delta < 1:
        # Only one table is possible there; any other is infinitely unlikely.
        return math.copysign(math.inf, excess) if excess else 0.0
    linear = (2 * n - b + c) * delta - b - c
    constant = -c * delta * (1 - delta)
    root = math.sqrt(max(0.0, linear * linear - 8 * n * constant))
    q = max(0.0, (root - linear) / (4 * n), -delta)
    variance = n * (2 * q + delta * (1 - delta))
    if variance <= 0:
        return math.copysign(math.inf, excess) if excess else 0.0
    return excess / math.sqrt(variance)


def tango_bound(only_candidate: float, only_baseline: float, n: float, z: float) -> float:
    """Largest δ with T(δ) ≥ −z: the upper bound of the interval.

    The lower bound is minus the upper bound of the exchanged counts.
    """
    observed = (only_candidate - only_baseline) / n
    return threshold(
        lambda delta: tango_score(only_candidate, only_baseline, n, delta) < -z, observed, 1.0
    )
