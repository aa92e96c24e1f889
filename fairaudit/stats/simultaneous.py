"""Evidence about several numbers at once: the largest of them, or all of them.

The largest of several changes can be bounded from each number's own evidence. Its upper bound needs
no correction: whichever number is truly the largest, its own bound holds with probability 1 − α,
and the largest bound of all lies no lower (an intersection-union argument). Its lower bound is
found by a search over the numbers, so there each must hold at Šidák's level 1 − (1 − α)^(1/m),
where m is how many independent looks the search amounts to.

Only `scipy.special` is imported: a gate asks here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import special

from fairaudit.stats.bisection import threshold
from fairaudit.stats.evidence import Evidence


@dataclass(frozen=True, slots=True)
class LargestOf:
    """The largest of several numbers.

    Parameters
    ----------
    parts : tuple of Evidence
        Evidence about each number.
    searched : float
        How many independent numbers the search amounts to: 1 where all move together, at most
        their count.
    """

    parts: tuple[Evidence, ...]
    searched: float

    def lower(self, alpha: float) -> float:
        """Largest of the lower bounds that hold for all numbers at once."""
        each = -math.expm1(math.log1p(-alpha) / self.searched)
        return max(part.lower(each) for part in self.parts)

    def upper(self, alpha: float) -> float:
        """Largest of the numbers' own upper bounds."""
        return max(part.upper(alpha) for part in self.parts)

    def p_at_most(self, limit: float) -> float:
        """P-value of "no number lies above ``limit``", adjusted for the search."""
        smallest = min(part.p_at_most(limit) for part in self.parts)
        return 1.0 if smallest >= 1 else -math.expm1(self.searched * math.log1p(-smallest))

    def p_at_least(self, limit: float) -> float:
        """P-value of "some number lies above ``limit``": the largest of their own."""
        return max(part.p_at_least(limit) for part in self.parts)


@dataclass(frozen=True, slots=True)
class EachOf:
    """Every one of several numbers: what must hold for all of them, as equivalence must.

    Bounds enclose the range of the numbers; each number's own bound is enough, as above.

    Parameters
    ----------
    parts : tuple of Evidence
        The evidence about each number; at least one.
    """

    parts: tuple[Evidence, ...]

    def lower(self, alpha: float) -> float:
        """Smallest of the numbers' own lower bounds."""
        return min(part.lower(alpha) for part in self.parts)

    def upper(self, alpha: float) -> float:
        """Largest of the numbers' own upper bounds."""
        return max(part.upper(alpha) for part in self.parts)

    def p_at_most(self, limit: float) -> float:
        """P-value of "some number lies at or below ``limit``"."""
        return max(part.p_at_most(limit) for part in self.parts)

    def p_at_least(self, limit: float) -> float:
        """P-value of "some number lies at or above ``limit``"."""
        return max(part.p_at_least(limit) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Tabulated:
    """A number whose bounds are known at some levels, and between them by interpolation.

    Bounds are nearly straight lines in the normal quantile of the level, and exactly so for a
    normal estimate; so that is the scale of the interpolation, and of going on beyond the ends.

    Parameters
    ----------
    alphas : sequence of float, shape [L], L ≥ 2
        One-sided error levels, falling.
    lows, highs : sequences of float, shape [L]
        Lower bounds, not rising, and upper bounds, not falling.
    """

    alphas: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]

    def lower(self, alpha: float) -> float:
        """Lower bound, interpolated."""
        return self._at(alpha, self.lows)

    def upper(self, alpha: float) -> float:
        """Upper bound, interpolated."""
        return self._at(alpha, self.highs)

    def p_at_most(self, limit: float) -> float:
        """Smallest α at which the lower bound exceeds ``limit``."""
        return threshold(lambda alpha: self.lower(alpha) > limit)

    def p_at_least(self, limit: float) -> float:
        """Smallest α at which the upper bound falls below ``limit``."""
        return threshold(lambda alpha: self.upper(alpha) < limit)

    def _at(self, alpha: float, bounds: Sequence[float]) -> float:
        z = [-float(special.ndtri(one)) for one in self.alphas]
        wanted = -float(special.ndtri(alpha))
        last = len(z) - 1
        right = next((place for place in range(1, last) if wanted <= z[place]), last)
        share = (wanted - z[right - 1]) / (z[right] - z[right - 1])
        if share == 1:
            # A stored bound comes back digit by digit.
            return bounds[right]
        return bounds[right - 1] + share * (bounds[right] - bounds[right - 1])
