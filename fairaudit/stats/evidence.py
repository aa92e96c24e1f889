"""What a result says about one number at any level: bounds and one-sided tests.

A result stores value, interval, standard error, degrees of freedom and method of an estimate. That
is enough to ask again at another level, which a gate and an equivalence test must do, so that the
items are not needed. What is not enough is to stretch an interval: a Clopper-Pearson bound at
99.5 % is not a 95 % bound made wider. So each method answers for itself.

Only `scipy.special` is imported: a gate should start in the blink of an eye.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from scipy import special

from fairaudit.stats.agresti_min import pairs_of_error
from fairaudit.stats.bisection import threshold
from fairaudit.stats.tango import tango_bound, tango_score


class Evidence(Protocol):
    """Confidence bounds of one number θ at any level, and the one-sided tests they invert."""

    def lower(self, alpha: float) -> float:
        """Lower bound: below θ with probability 1 − ``alpha``."""

    def upper(self, alpha: float) -> float:
        """Upper bound: above θ with probability 1 − ``alpha``."""

    def p_at_most(self, limit: float) -> float:
        """P-value of θ ≤ ``limit``: small where θ is shown to lie above."""

    def p_at_least(self, limit: float) -> float:
        """P-value of θ ≥ ``limit``: small where θ is shown to lie below."""


def quantile(probability: float, df: float | None) -> float:
    """Quantile of Student's distribution; normal where ``df`` is None.

    Parameters
    ----------
    probability : float
        Above 0 and below 1.
    df : float or None
        Degrees of freedom.

    Returns
    -------
    float
        In standard deviations.

    Examples
    --------
    >>> round(quantile(0.975, None), 2), round(quantile(0.975, 10), 2)
    (1.96, 2.23)
    """
    if df is None:
        return float(special.ndtri(probability))
    return float(special.stdtrit(df, probability))


def tail(t: float, df: float | None) -> float:
    """P(T ≥ t) for Student's T; normal where ``df`` is None."""
    return float(special.ndtr(-t) if df is None else special.stdtr(df, -t))


@dataclass(frozen=True, slots=True)
class Student:
    """θ ± t·se, with a standard error for each side; ``df`` None: normal.

    The two differ where a bootstrap-t interval is stored: each side keeps its own width.

    Parameters
    ----------
    value : float
        θ.
    se_below, se_above : float
        Standard errors, above 0, for bounds below and above θ.
    df : float or None
        Degrees of freedom.
    """

    value: float
    se_below: float
    se_above: float
    df: float | None

    def lower(self, alpha: float) -> float:
        """θ − t_{1−α} se."""
        return self.value - quantile(1 - alpha, self.df) * self.se_below

    def upper(self, alpha: float) -> float:
        """θ + t_{1−α} se."""
        return self.value + quantile(1 - alpha, self.df) * self.se_above

    def p_at_most(self, limit: float) -> float:
        """P(T ≥ (θ − limit)/se)."""
        return self._p(self.value - limit)

    def p_at_least(self, limit: float) -> float:
        """P(T ≥ (limit − θ)/se)."""
        return self._p(limit - self.value, above=True)

    def _p(self, excess: float, *, above: bool = False) -> float:
        # The side of θ on which the limit lies decides which width counts.
        se = self.se_above if above == (excess > 0) else self.se_below
        return tail(excess / se, self.df)


@dataclass(frozen=True, slots=True)
class Skewed:
    """θ of a mean whose units lean to one side: a score test with Student's quantiles.

    A mean further out by D owes it to more of the units that lie far out, and they bring variance
    with them: h·D with the skew h of that side, the size of such a unit divided by n. So
    t = D/√(se² + h D), and the bounds lie at D = t²h/2 + t √(se² + t²h²/4). For n units of which k
    lie at 1 and the others at 0, h = 1/n and these are the score bounds of a Poisson count.
    Without skew it is Student's θ ± t·se.
    """

    value: float
    se: float
    df: float | None
    below: float = 0.0
    above: float = 0.0

    def lower(self, alpha: float) -> float:
        """θ − D with the skew of the lower side."""
        return self.value - self._distance(alpha, self.below)

    def upper(self, alpha: float) -> float:
        """θ + D with the skew of the upper side."""
        return self.value + self._distance(alpha, self.above)

    def p_at_most(self, limit: float) -> float:
        """P(T ≥ t) of the distance from ``limit`` up to θ."""
        return self._p(self.value - limit, self.below)

    def p_at_least(self, limit: float) -> float:
        """P(T ≥ t) of the distance from θ up to ``limit``."""
        return self._p(limit - self.value, self.above)

    def _distance(self, alpha: float, skew: float) -> float:
        t = quantile(1 - alpha, self.df)
        if t <= 0:
            return t * self.se
        half = t * t * skew / 2
        return half + math.hypot(t * self.se, half)

    def _p(self, distance: float, skew: float) -> float:
        # Beyond θ, on the other side of it, nothing leans.
        return tail(distance / math.sqrt(self.se**2 + skew * max(0.0, distance)), self.df)


def skew_of(distance: float, t: float, se: float) -> float:
    """Skew h of the side whose bound lies at ``distance``; 0 where it is Student's or nearer."""
    skew = (distance**2 - (t * se) ** 2) / (distance * t**2) if distance > 0 else 0.0
    return skew if skew > 1e-9 * se else 0.0


@dataclass(frozen=True, slots=True)
class Wilson:
    """Score bounds of a proportion (Wilson 1927)."""

    p: float
    n: float

    def lower(self, alpha: float) -> float:
        """Smallest p0 that the score test does not reject."""
        return self._bound(-quantile(1 - alpha, None))

    def upper(self, alpha: float) -> float:
        """Largest p0 that the score test does not reject."""
        return self._bound(quantile(1 - alpha, None))

    def p_at_most(self, limit: float) -> float:
        """One-sided score test."""
        return tail(self._score(limit), None)

    def p_at_least(self, limit: float) -> float:
        """One-sided score test."""
        return tail(-self._score(limit), None)

    def _bound(self, z: float) -> float:
        if (self.p == 0 and z < 0) or (self.p == 1 and z > 0):
            # The bound is the estimate itself; rounding must not move it inside.
            return self.p
        centre = self.p + z * z / (2 * self.n)
        spread = math.sqrt(self.p * (1 - self.p) / self.n + z * z / (4 * self.n**2))
        return min(1.0, max(0.0, (centre + z * spread) / (1 + z * z / self.n)))

    def _score(self, limit: float) -> float:
        distance = self.p - limit
        if not 0 < limit < 1:
            return math.copysign(math.inf, distance) if distance else 0.0
        return distance / math.sqrt(limit * (1 - limit) / self.n)


@dataclass(frozen=True, slots=True)
class Exact:
    """Clopper-Pearson bounds of a proportion; with clusters from effective trials.

    ``se`` None: the ``n`` trials count as they are. Otherwise, as in `effective_counts`,
    n* = p(1 − p)/se² · (z/t_df)² of the level asked for, at most ``n`` (Korn and Graubard 1998).
    """

    p: float
    n: float
    se: float | None = None
    df: float | None = None

    def lower(self, alpha: float) -> float:
        """Beta quantile; 0 where there is no success."""
        trials = self._trials(alpha)
        successes = self.p * trials
        if successes <= 0:
            return 0.0
        return float(special.betaincinv(successes, trials - successes + 1, alpha))

    def upper(self, alpha: float) -> float:
        """Beta quantile; 1 where there is no failure."""
        trials = self._trials(alpha)
        successes = self.p * trials
        if successes >= trials:
            return 1.0
        return float(special.betaincinv(successes + 1, trials - successes, 1 - alpha))

    def p_at_most(self, limit: float) -> float:
        """Smallest α at which the lower bound exceeds ``limit``."""
        return threshold(lambda alpha: self.lower(alpha) > limit)

    def p_at_least(self, limit: float) -> float:
        """Smallest α at which the upper bound falls below ``limit``."""
        return threshold(lambda alpha: self.upper(alpha) < limit)

    def _trials(self, alpha: float) -> float:
        if self.se is None:
            return self.n
        ratio = quantile(1 - alpha, None) / quantile(1 - alpha, self.df) if alpha != 0.5 else 1.0
        return min(self.n, self.p * (1 - self.p) / self.se**2 * ratio**2)


@dataclass(frozen=True, slots=True)
class Tango:
    """Score bounds of a paired difference of proportions (Tango 1998).

    ``only_candidate`` and ``only_baseline`` are the discordant counts b and c of ``n`` independent
    pairs; fractional where ties count one half, so that b − c = Σd and b + c = Σd², or where
    clustered pairs count for fewer. ``df`` pays for a number of pairs that was itself estimated:
    the score is held against Student's distribution (None: normal).
    """

    only_candidate: float
    only_baseline: float
    n: float
    df: float | None = None

    def lower(self, alpha: float) -> float:
        """Smallest δ that the score test does not reject."""
        return -tango_bound(self.only_baseline, self.only_candidate, self.n, self._limit(alpha))

    def upper(self, alpha: float) -> float:
        """Largest δ that the score test does not reject."""
        return tango_bound(self.only_candidate, self.only_baseline, self.n, self._limit(alpha))

    def p_at_most(self, limit: float) -> float:
        """One-sided score test."""
        return tail(self._score(limit), self.df)

    def p_at_least(self, limit: float) -> float:
        """One-sided score test."""
        return tail(-self._score(limit), self.df)

    def _limit(self, alpha: float) -> float:
        return quantile(1 - alpha, self.df)

    def _score(self, limit: float) -> float:
        return tango_score(self.only_candidate, self.only_baseline, self.n, limit)


@dataclass(frozen=True, slots=True)
class Exponential:
    """θ = exp λ, which is above 0, from evidence about λ."""

    logarithm: Evidence

    def lower(self, alpha: float) -> float:
        """Exp of the lower bound of λ."""
        return math.exp(self.logarithm.lower(alpha))

    def upper(self, alpha: float) -> float:
        """Exp of the upper bound of λ."""
        return math.exp(self.logarithm.upper(alpha))

    def p_at_most(self, limit: float) -> float:
        """Test of λ ≤ log ``limit``; 0 where θ cannot lie below the limit."""
        return self.logarithm.p_at_most(math.log(limit)) if limit > 0 else 0.0

    def p_at_least(self, limit: float) -> float:
        """Test of λ ≥ log ``limit``; 1 where θ cannot lie below the limit."""
        return self.logarithm.p_at_least(math.log(limit)) if limit > 0 else 1.0


def two_sided(evidence: Evidence, null: float = 0.0) -> float:
    """Two-sided p-value of θ = ``null``: twice the smaller one-sided one, at most 1.

    Parameters
    ----------
    evidence : Evidence
        What a result says about θ.
    null : float
        The value under test, in the unit of θ.

    Returns
    -------
    float
        0-1.
    """
    return min(1.0, 2 * min(evidence.p_at_most(null), evidence.p_at_least(null)))


def paired_square(difference: float, mean_square: float) -> float:
    """Mean squared item difference as a discordance, between |difference| and 1.

    Half steps square to less than they move; counting them as if they had been whole steps now
    and then keeps b and c from being negative, and can only widen the interval.
    """
    return max(abs(difference), min(1.0, mean_square))


_STUDENT: Final = frozenset({"t", "cr2", "two-way"})
#: Stands before the name of a method that was applied to the logarithm.
LOG: Final = "log-"


def evidence_of(
    value: float,
    *,
    method: str,
    low: float,
    high: float,
    level: float,
    se: float | None,
    df: float | None,
    n: int,
    n_clusters: int,
    mean_square: float | None = None,
) -> Evidence:
    """Rebuild the evidence behind a stored interval.

    Parameters
    ----------
    value, low, high, level, method
        The estimate and its interval.
    se, df : float or None
        Standard error and degrees of freedom.
    n, n_clusters : int
        Items and clusters; without ``se`` the clusters are the trials of an exact interval.
    mean_square : float, optional
        Mean squared item difference, which `Tango` needs. Its number of independent pairs is
        that whose `agresti_min_se` is ``se``.

    Returns
    -------
    Evidence
        At ``level`` its bounds are those of the interval, for every method.
    """
    if method.startswith(LOG) and low > 0:
        logarithm = evidence_of(
            math.log(value),
            method=method.removeprefix(LOG),
            low=math.log(low),
            high=math.log(high),
            level=level,
            se=None if se is None else se / value,
            df=df,
            n=n,
            n_clusters=n_clusters,
        )
        return Exponential(logarithm)
    if method == "wilson":
        return Wilson(value, n)
    if method == "clopper-pearson":
        # An independent item is a cluster of its own, so its trials count as they are.
        clustered = se is not None and df is not None
        return Exact(value, n, se, df) if clustered else Exact(value, n_clusters)
    if method == "tango" and mean_square is not None and se is not None:
        square = paired_square(value, mean_square)
        pairs = n if n == n_clusters else pairs_of_error(value, square, se, n)
        return Tango(pairs * (square + value) / 2, pairs * (square - value) / 2, pairs, df)
    t = quantile((1 + level) / 2, df)
    if method in _STUDENT and se:
        return Skewed(value, se, df, skew_of(value - low, t, se), skew_of(high - value, t, se))
    return Student(value, (value - low) / t, (high - value) / t, df)
