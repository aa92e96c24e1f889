"""Holm's correction in plain Python, for a gate that must start fast."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for testing all of them, in the given order (Holm 1979).

    The i-th smallest of m becomes the largest (m − j + 1)·p_(j) over j ≤ i, at most 1: rejecting
    where it is at most α keeps the chance of any false rejection at α.

    Parameters
    ----------
    p_values : sequence of float
        Raw p-values of one family, all known; `fairaudit.stats.multiplicity.adjust` lets missing
        ones through.

    Raises
    ------
    ValueError
        If a value is not in 0-1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("p-values must lie in 0-1")
    adjusted, largest = [0.0] * len(p_values), 0.0
    ranked = sorted(range(len(p_values)), key=p_values.__getitem__)
    for rank, index in enumerate(ranked):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
