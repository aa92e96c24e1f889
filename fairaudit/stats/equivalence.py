"""Two one-sided tests: that a difference is too small to matter (Schuirmann 1987).

"No significant difference" says nothing about how large the difference may be; this does. The
hypothesis is that the difference lies outside ±margin, and it is rejected where both one-sided
tests reject, which is where the 1 − 2α interval lies inside ±margin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.stats.evidence import Evidence, Student, Tango


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Result of two one-sided tests.

    Parameters
    ----------
    p_value : float
        The larger of the two.
    low, high : float
        The 1 − 2α interval.
    equivalent : bool
        Whether it lies inside ±margin.
    """

    p_value: float
    low: float
    high: float
    equivalent: bool


def equivalence_p(evidence: Evidence, margin: float) -> float:
    """P-value of "outside ±margin": the larger of the two one-sided ones."""
    return max(evidence.p_at_most(-margin), evidence.p_at_least(margin))


def tost(evidence: Evidence, margin: float, alpha: float = 0.05) -> Equivalence:
    """Two one-sided tests at level ``alpha`` each against ±``margin``."""
    low, high = evidence.lower(alpha), evidence.upper(alpha)
    return Equivalence(equivalence_p(evidence, margin), low, high, low > -margin and high < margin)


def tost_paired_proportions(
    only_candidate: float, only_baseline: float, n: float, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Score tests of two rates on the same ``n`` independent items (Tango 1998).

    Without any discordant pair the interval is ± z²/(n + z²): at margin 0.05 and α = 0.05 this
    takes 52 pairs, and 20 say nothing.

    Parameters
    ----------
    only_candidate, only_baseline : float
        Discordant counts b and c.
    n : float
        Number of pairs.
    margin, alpha : float
        Zone of equivalence and level.
    """
    return tost(Tango(only_candidate, only_baseline, n), margin, alpha)


def tost_paired_means(differences: ArrayLike, margin: float, alpha: float = 0.05) -> Equivalence:
    """T-tests of the mean of independent item differences.

    Parameters
    ----------
    differences : array of shape [n], n ≥ 2, not all equal
        Candidate − baseline of each item.
    margin, alpha : float
        Zone of equivalence, in their unit, and level.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.size < 2 or not d.std() > 0:
        raise ValueError("equivalence of means needs at least 2 items that do not all move equally")
    se = float(d.std(ddof=1)) / math.sqrt(d.size)
    return tost(Student(float(d.mean()), se, se, d.size - 1), margin, alpha)
