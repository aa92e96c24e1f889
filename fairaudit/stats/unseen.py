"""What no unit of a sample has shown: the limit to every claim that a mean is small.

A mean may rest on few units that move far: one prompt in fifty that turns wholly toxic adds 0.02
to a mean toxicity, and 100 prompts show none of them with probability 0.13. The standard error of
the others cannot know. But a share s of the units escapes n of them with probability (1 − s)ⁿ, so
at level α a share of up to s = 1 − α^(1/n), about 3/n at 5 %, may be unlike all that was seen; and
such a unit moves by at most the *reach* of the quantity. Nobody can say that a mean lies within a
limit nearer than reach · s.

This bounds claims of smallness only: that two models are equivalent, that an increase stays below a
limit. That a change was shown does not need it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairaudit.stats.evidence import Evidence


def share_unseen(n: float, alpha: float) -> float:
    """Largest share of units of which ``n`` show none with probability α: 1 − α^(1/n)."""
    return -math.expm1(math.log(alpha) / n)


@dataclass(frozen=True, slots=True)
class Allowing:
    """Evidence about θ that allows for units unlike those seen; each bound is the further one.

    Parameters
    ----------
    seen : Evidence
        What the units that were seen say.
    value : float
        θ.
    reach : float
        The most that one unit can add to, or take from, its own share of θ.
    n : int
        Units that were seen.
    """

    seen: Evidence
    value: float
    reach: float
    n: int

    def lower(self, alpha: float) -> float:
        """θ − reach · share unseen, or the lower bound of what was seen."""
        return min(self.seen.lower(alpha), self.value - self.reach * share_unseen(self.n, alpha))

    def upper(self, alpha: float) -> float:
        """θ + reach · share unseen, or the upper bound of what was seen."""
        return max(self.seen.upper(alpha), self.value + self.reach * share_unseen(self.n, alpha))

    def p_at_most(self, limit: float) -> float:
        """P-value of θ ≤ ``limit``: by what was seen or of units unseen, the larger."""
        return max(self.seen.p_at_most(limit), self._escapes(self.value - limit))

    def p_at_least(self, limit: float) -> float:
        """P-value of θ ≥ ``limit``: by what was seen or of units unseen, the larger."""
        return max(self.seen.p_at_least(limit), self._escapes(limit - self.value))

    def _escapes(self, distance: float) -> float:
        """Probability that no unit shows the share that it takes to move θ by ``distance``."""
        share = min(1.0, max(0.0, distance / self.reach))
        return float((1 - share) ** self.n)


@dataclass(frozen=True, slots=True)
class Reaching:
    """Evidence about θ as it was seen, which keeps what it takes to claim that θ is small."""

    seen: Evidence
    within: Allowing

    def lower(self, alpha: float) -> float:
        """Lower bound of what was seen."""
        return self.seen.lower(alpha)

    def upper(self, alpha: float) -> float:
        """Upper bound of what was seen."""
        return self.seen.upper(alpha)

    def p_at_most(self, limit: float) -> float:
        """P-value of θ ≤ ``limit`` by what was seen."""
        return self.seen.p_at_most(limit)

    def p_at_least(self, limit: float) -> float:
        """P-value of θ ≥ ``limit`` by what was seen."""
        return self.seen.p_at_least(limit)


def reaching(seen: Evidence, value: float, reach: float | None, n: int) -> Evidence:
    """Return the evidence of what was seen, with what claims of smallness must allow for.

    Parameters
    ----------
    seen : Evidence
        The evidence about θ.
    value : float
        θ.
    reach : float or None
        The most that one unit can move; None: nothing is allowed for, as where a rate's own method
        does so, or nothing is known.
    n : int
        Units that were seen.

    Returns
    -------
    Evidence
        The same bounds; `limiting` returns the wider ones.
    """
    return Reaching(seen, Allowing(seen, value, reach, n)) if reach and n else seen


def limiting(evidence: Evidence) -> Evidence:
    """Return what must be asked for a claim that θ stays within a limit.

    Parameters
    ----------
    evidence : Evidence
        Perhaps one made by `reaching`.

    Returns
    -------
    Evidence
        Bounds that allow for units unlike all that were seen.
    """
    return evidence.within if isinstance(evidence, Reaching) else evidence
