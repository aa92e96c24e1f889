"""Claims about a training recipe: seeds are what is resampled, so seeds are what is paired.

Each seed gives one difference between two arms. Their mean has Student's interval with S − 1
degrees of freedom; a bootstrap over five seeds would cover 84 % instead of 95 %. A claim names its
endpoint and its direction beforehand. The verdict is that of `fairaudit.stats.decide`, in the same
order:

- *not supported*: the effect is smaller than the margin on both sides, be it 0 or not; or it is the
  opposite; or the interval excludes every effect of at least the margin in the claimed direction;
- *supported*: the adjusted test rejects and the interval lies beyond 0 in the claimed direction;
- *undecided* otherwise, and always with fewer than three seeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

import numpy as np

from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Student, quantile
from fairaudit.stats.intervals import t_interval, t_test
from fairaudit.vocabulary.claims import Finding
from fairaudit.vocabulary.verdicts import Verdict

MIN_SEEDS: Final = 3


@dataclass(frozen=True, slots=True)
class SeedDifference:
    """Mean difference of two arms over seeds, signed so that above 0 supports the claim.

    Parameters
    ----------
    value : float or None
        Mean over seeds.
    n_seeds : int
        Seeds that both arms finished.
    se, df, low, high, p_value : float or None
        Standard error, S − 1, interval, and two-sided test of no difference; None with fewer than
        three seeds, or where all seeds agree to the last digit.
    reason : str or None
        Why value or interval is missing.
    """

    value: float | None
    n_seeds: int
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    reason: str | None = None


def seed_difference(differences: Sequence[float], level: float = 0.95) -> SeedDifference:
    """Mean of seed-paired differences with Student's interval.

    Parameters
    ----------
    differences : sequence of float
        One per seed, signed in the claimed direction; finite.
    level : float
        Confidence level.

    Returns
    -------
    SeedDifference
        Mean d̄ ± t · s/√S with S − 1 degrees of freedom; without an interval, and with the
        reason, for fewer seeds than decide anything, or where all gave the same number.

    Raises
    ------
    ValueError
        If a difference is NaN or infinite: a failed seed must be left out, and said, before.

    Examples
    --------
    >>> found = seed_difference([0.1, 0.2, 0.3])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.2, -0.048, 0.448)
    """
    values = np.asarray(differences, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("differences must be finite: leave failed seeds out, and say so, before")
    n = len(values)
    if n == 0:
        return SeedDifference(None, 0, reason="no seed finished in both arms")
    mean = float(values.mean())
    if n < MIN_SEEDS:
        return SeedDifference(mean, n, reason=f"{n} of the {MIN_SEEDS} seeds that decide anything")
    se = float(values.std(ddof=1)) / math.sqrt(n)
    if se <= 1e-12 * max(1.0, abs(mean)):
        return SeedDifference(mean, n, reason="all seeds gave the same number: nothing varied")
    low, high = t_interval(mean, se, n - 1, level)
    return SeedDifference(mean, n, se, n - 1.0, low, high, t_test(mean, se, n - 1, 0.0))


def difference_of_sizes(
    own: Sequence[float], reference: Sequence[float], level: float = 0.95
) -> SeedDifference:
    """|mean of one arm| minus |mean of the other|, for what has a direction that nobody declared.

    Absolute values seed by seed would not do: they grow with the noise of an arm, so an arm that
    varies more would seem to have more. With d = a − b and s = a + b,

        |a| − |b| = sign(d s) min(|d|, |s|),

    so the interval is what this takes on where d and s lie in their own ones. It lies above 0 only
    where both lie beyond 0 on one side; the p-value is the larger of both (intersection-union).

    Parameters
    ----------
    own, reference : sequence of float
        Signed values, one per seed that both arms finished, in the same order.
    level : float
        Confidence level.

    Returns
    -------
    SeedDifference
        Above 0: ``own`` is further from 0, on either side; in the unit of the values.

    Raises
    ------
    ValueError
        If a value is NaN or infinite.
    """
    d = seed_difference([a - b for a, b in zip(own, reference, strict=True)], level)
    s = seed_difference([a + b for a, b in zip(own, reference, strict=True)], level)
    if d.value is None or s.value is None:
        return d
    value = abs(fmean(own)) - abs(fmean(reference))
    if d.low is None or d.high is None or s.low is None or s.high is None:
        return SeedDifference(value, d.n_seeds, reason=d.reason or s.reason)
    return replace(
        d,
        value=value,
        low=-max(min(-d.low, s.high), min(d.high, -s.low)),
        high=max(min(d.high, s.high), min(-d.low, -s.low)),
        p_value=max(d.p_value or 0.0, s.p_value or 0.0),
    )


def judge(
    found: SeedDifference, margin: float | None, alpha: float, p_adjusted: float | None = None
) -> Finding:
    """Whether a claim is supported, not supported or undecided.

    Parameters
    ----------
    found : SeedDifference
        Signed in the claimed direction, with an interval at 1 − ``alpha``.
    margin : float or None
        Smallest effect that would matter; without one a claim cannot be refuted.
    alpha : float
        Error level.
    p_adjusted : float, optional
        The p-value adjusted over the axes of the claim; default the unadjusted one.

    Returns
    -------
    Finding
        Supported, not supported or undecided; undecided wherever there is no interval.
    """
    value, low, high = found.value, found.low, found.high
    if value is None or low is None or high is None:
        return Finding.UNDECIDED
    t = quantile(1 - alpha / 2, found.df)
    evidence = Student(value, (value - low) / t, (high - value) / t, found.df)
    p = found.p_value if p_adjusted is None else p_adjusted
    verdict = decide(
        value, found.se, found.df, margin, alpha, evidence=evidence, p_adjusted=p
    ).verdict
    if verdict is Verdict.AMPLIFIED:
        return Finding.SUPPORTED
    if margin is not None and (verdict is Verdict.EQUIVALENT or high < margin):
        return Finding.NOT_SUPPORTED
    return Finding.UNDECIDED
