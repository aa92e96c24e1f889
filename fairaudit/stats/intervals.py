"""Intervals and the tests that they invert, for one proportion or one mean.

Successes may be fractional, because a tie counts one half, and so may trials, because clustered
trials count for fewer independent ones (`effective_counts`).
"""

from __future__ import annotations

import math

from scipy import special

from fairaudit.stats.evidence import Exact, Wilson, quantile, tail


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

    Returns
    -------
    low, high : float
        Bounds, 0-1; of positive width at 0 and ``n`` successes too.

    Raises
    ------
    ValueError
        If ``n`` is not positive or ``successes`` not within 0 and ``n``.

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22.

    Examples
    --------
    >>> low, high = wilson(25, 25)
    >>> round(low, 3), round(high, 3)
    (0.867, 1.0)
    """
    _check_counts(successes, n)
    found = Wilson(successes / n, n)
    return found.lower((1 - level) / 2), found.upper((1 - level) / 2)


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
    found = Exact(successes / n, n)
    return found.lower((1 - level) / 2), found.upper((1 - level) / 2)


def t_interval(
    value: float, se: float, df: float | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Student interval value ± t·se; normal where ``df`` is None."""
    half = quantile((1 + level) / 2, df) * se
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
    return 2 * tail(distance / se, None) if se > 0 else 0.0


def exact_test(successes: float, n: float, p0: float) -> float:
    """Two-sided p-value of p = p0: twice the smaller binomial tail, at most 1.

    This is the test that `clopper_pearson` inverts (`scipy.stats.binomtest` orders outcomes by
    likelihood instead, and inverts to another interval). The tails are written as beta
    probabilities, which binomial tails are for whole counts, so that fractions are allowed.
    """
    _check_counts(successes, n)
    _check_probability(p0)
    upper = 1.0 if successes == 0 else special.betainc(successes, n - successes + 1, p0)
    lower = 1.0 if successes == n else special.betaincc(successes + 1, n - successes, p0)
    return float(min(1.0, 2 * min(lower, upper)))


def t_test(value: float, se: float, df: float | None, null: float) -> float:
    """Two-sided p-value of value = null, the test that `t_interval` inverts."""
    return 2 * tail(abs(value - null) / se, df)


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
    trials = p * (1 - p) / se**2 * (quantile(upper, None) / quantile(upper, df)) ** 2
    trials = min(trials, n)
    return p * trials, trials


def _check_counts(successes: float, n: float) -> None:
    if not (n > 0 and 0 <= successes <= n):
        raise ValueError(f"{successes} successes of {n} trials: need 0 <= successes <= n, n > 0")


def _check_probability(p0: float) -> None:
    if not 0 <= p0 <= 1:
        raise ValueError(f"a proportion cannot be {p0}: the null value must lie in 0-1")
