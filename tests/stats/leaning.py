"""The t-interval that is wider where few units lean, worked out from its definition."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, stats


def lean_of(*labelled: tuple[np.ndarray, np.ndarray]) -> float:
    """Σc³/Σc² with c = (y − θw)/Σw: of the labels that cross, that of the larger one."""
    found = []
    for y, w in labelled:
        c = (y - y.sum() / w.sum() * w) / w.sum()
        found.append(float((c**3).sum() / (c**2).sum()))
    return max(found, key=abs)


def leaning(
    value: float, se: float, df: float | None, h: float, level: float = 0.95
) -> tuple[float, float]:
    """Bounds θ ± D with D = t √(se² + h D) on the side to which h leans."""
    t = stats.norm.ppf((1 + level) / 2) if df is None else stats.t.ppf((1 + level) / 2, df)

    def distance(skew: float) -> float:
        return optimize.brentq(
            lambda d: d - t * math.sqrt(se**2 + skew * d), 0, 1e3 * t * (se + skew), xtol=1e-15
        )

    return value - distance(max(0.0, -h)), value + distance(max(0.0, h))


def leaning_p(value: float, null: float, se: float, df: float | None, h: float) -> float:
    """Two-sided p-value of the same test."""
    gap = null - value
    skew = max(0.0, h if gap > 0 else -h)
    t = abs(gap) / math.sqrt(se**2 + skew * abs(gap))
    return float(2 * (stats.norm.sf(t) if df is None else stats.t.sf(t, df)))
