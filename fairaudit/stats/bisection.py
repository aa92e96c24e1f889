"""Where a monotone yes-or-no changes: bisection without loading an optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_STEPS: Final = 60


def threshold(holds: Callable[[float], bool], low: float = 0.0, high: float = 1.0) -> float:
    """Smallest x in [low, high] from which on ``holds`` is true; ``high`` if it never is.

    Parameters
    ----------
    holds : callable
        ``x -> bool``, false up to some x and true beyond.
    low, high : float
        Ends of the search, neither of which is asked for.

    Returns
    -------
    float
        To 2^−60 of the range.
    """
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if holds(middle):
            high = middle
        else:
            low = middle
    return high
