"""Intervals and the tests that they invert, for one proportion or one mean.

Successes may be fractional, because a tie counts one half, and so may trials, because clustered
trials count for fewer independent ones (`effective_counts`).
"""

from __future__ import annotations

import math

from scipy import stats
from statsmodels.stats.proportion import proportion_confint


def wilson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion (Wilson 1927).

    All p0 with |p̂ − p0| / √(p0(1 − p0)/n) ≤ z, the ones that `score_test` keeps. Range 0-1.

    Parameters
    ----------
    successes : float
        Number of successes, 0 to ``n``.
    n : float
        Number of trials, above 0.
    level : float
        Confidence level.
    """
    _check_counts(successes, n)
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    # At 0 and n the bound is exact; rounding must not move it inside.
    return 0.0 if successes == 0 else float(low), 1.0 if successes == n else float(high)


def clopper_pearson(successes: float, n: float, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a proportion from beta quantiles (Clopper and Pearson 1934).

    All p0 that `exact_test` keeps. With whole counts, coverage is at least nominal for every p.
    Range 0-1; never of zero width.

    Parameters
    ----------
    successes, n, level
        As for `wilson`.
    """
    _check_counts(successes, n)
    low, high = proportion_confint(successes, n, alpha=1 - level, method="beta")
    return float(low), float(high)


def t_interval(
    value: float, se: float, df: float | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Student interval value ± t·se; normal where ``df`` is None."""
    half = t_quantile((1 + level) / 2, df) * se
    return value - half, value + half


def score_test(successes: float, n: float, p0: float) -> float:
    """Two-sided p-value of the score test of p = p0, the test that `wilson` inverts."""
    _check_counts(successes, n)
    _check_probability(p0)
    distance = abs(successes / n - p0)
    if distance == 0:
        return 1.0
    # Under p0 = 0 or 1 nothing varies, so any other proportion is impossible.
    se = math.sqrt(p0 * (1 - p0) / n)
    return float(2 * stats.norm.sf(distance / se)) if se > 0 else 0.0


def exact_test(successes: float, n: float, p0: float) -> float:
    """Two-sided p-value of p = p0: twice the smaller binomial tail, at most 1.

    This is the test that `clopper_pearson` inverts (`scipy.stats.binomtest` orders outcomes by
    likelihood instead, and inverts to another interval). The tails are written as beta
    probabilities, which binomial tails are for whole counts, so that fractions are allowed.
    """
    _check_counts(successes, n)
    _check_probability(p0)
    upper = 1.0 if successes == 0 else stats.beta.cdf(p0, successes, n - successes + 1)
    lower = 1.0 if successes == n else stats.beta.sf(p0, successes + 1, n - successes)
    return float(min(1.0, 2 * min(lower, upper)))


def t_test(value: float, se: float, df: float | None, null: float) -> float:
    """Two-sided p-value of value = null, the test that `t_interval` inverts."""
    t = abs(value - null) / se
    return float(2 * (stats.norm.sf(t) if df is None else stats.t.sf(t, df)))


def t_quantile(probability: float, df: float | None = None) -> float:
    """Quantile of Student's distribution; normal where ``df`` is None."""
    quantile = stats.norm.ppf(probability) if df is None else stats.t.ppf(probability, df)
    return float(quantile)


def effective_counts(
    p: float, se: float, df: float, n: float, level: float = 0.95
) -> tuple[float, float]:
    """Successes and trials of a simple sample as informative as a clustered one.

    n* = p(1 − p)/se² · (z/t_df)², at most ``n``, and p·n* successes (Korn and Graubard 1998).
    The second factor pays for the standard error being estimated. With these counts
    `clopper_pearson` stays inside 0-1 and keeps its width where p nears 0 or 1.

    Parameters
    ----------
    p : float
        Proportion, strictly between 0 and 1.
    se, df : float
        Its cluster-robust standard error and degrees of freedom.
    n : float
        Number of actual trials.
    level : float
        Confidence level.

    Returns
    -------
    successes, trials : float
    """
    upper = (1 + level) / 2
    trials = p * (1 - p) / se**2 * (t_quantile(upper) / t_quantile(upper, df)) ** 2
    trials = min(trials, n)
    return p * trials, trials


def _check_counts(successes: float, n: float) -> None:
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} successes of {n} trials: need 0 <= successes <= n, n > 0")


def _check_probability(p0: float) -> None:
    if not 0 <= p0 <= 1:
        raise ValueError(f"a proportion cannot be {p0}: the null value must lie in 0-1")
