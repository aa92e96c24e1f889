"""What a design can find."""

from __future__ import annotations

from fairaudit.stats.evidence import quantile


def minimum_detectable_effect(
    se: float, df: float | None = None, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Smallest effect that a two-sided test at ``alpha`` finds with probability ``power``.

    (t_{1−α/2} + t_{power}) · se with ``df`` degrees of freedom; normal where ``df`` is None
    (Bloom 1995). Same unit as ``se``; at least 0.

    Parameters
    ----------
    se : float
        Standard error of the estimate.
    df : float, optional
        Its degrees of freedom.
    alpha : float
        Two-sided error level, above 0 and below 1.
    power : float
        Probability of finding the effect, above 0 and below 1.

    Returns
    -------
    float
        The effect, in the unit of ``se``.

    References
    ----------
    Bloom, H. S. (1995). Minimum detectable effects. Evaluation Review 19.

    Examples
    --------
    >>> round(minimum_detectable_effect(0.02), 4)
    0.056
    """
    return (quantile(1 - alpha / 2, df) + quantile(power, df)) * se
