"""Corrections for testing many hypotheses, with missing p-values passed through.

In plain Python: a gate asks here, and should start in the blink of an eye.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Literal

Method = Literal["holm", "bh", "by"]


def adjust(p_values: Sequence[float | None], method: Method) -> list[float | None]:
    """Adjust p-values, and return them in the given order.

    A missing value (None or NaN) comes back as None and does not count towards the size of the
    family: a test that was not made cannot be a false finding.

    Parameters
    ----------
    p_values : sequence of float or None
        Raw p-values of one family.
    method : {"holm", "bh", "by"}
        Holm 1979 (family-wise error rate), Benjamini and Hochberg 1995, or Benjamini and
        Yekutieli 2001 (false discovery rate; the last holds under any dependence).

    Returns
    -------
    list of float or None
        Adjusted p-values, 0-1, none smaller than the raw one.

    Raises
    ------
    ValueError
        If a value is not in 0-1.

    Examples
    --------
    >>> adjust([0.01, None, 0.04], "holm")
    [0.02, None, 0.04]
    """
    known = {at: p for at, p in enumerate(p_values) if p is not None and not math.isnan(p)}
    adjusted = (holm if method == "holm" else _step_up)(list(known.values()))
    factor = sum(1 / rank for rank in range(1, len(known) + 1)) if method == "by" else 1.0
    result: list[float | None] = [None] * len(p_values)
    for index, value in zip(known, adjusted, strict=True):
        result[index] = min(1.0, factor * value)
    return result


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for testing all of them, in the given order (Holm 1979).

    The i-th smallest of m becomes the largest (m − j + 1)·p_(j) over j ≤ i, at most 1: rejecting
    where it is at most α keeps the chance of any false rejection at α.

    Parameters
    ----------
    p_values : sequence of float
        Raw p-values of one family, all known.

    Returns
    -------
    list of float
        Adjusted p-values, 0-1.

    Raises
    ------
    ValueError
        If a value is not in 0-1.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.02])
    [0.03, 0.04, 0.04]
    """
    ranked = _ranked(p_values)
    factors = range(len(ranked), 0, -1)
    scaled = (m * p_values[index] for m, index in zip(factors, ranked, strict=True))
    return _placed(ranked, accumulate(scaled, max))


def _step_up(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg: the i-th smallest of m becomes the smallest m/j·p_(j) over j ≥ i."""
    ranked = _ranked(p_values)[::-1]
    m = len(ranked)
    factors = (m / rank for rank in range(m, 0, -1))
    scaled = (factor * p_values[index] for factor, index in zip(factors, ranked, strict=True))
    return _placed(ranked, accumulate(scaled, min))


def _ranked(p_values: Sequence[float]) -> list[int]:
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError("p-values must lie in 0-1")
    return sorted(range(len(p_values)), key=p_values.__getitem__)


def _placed(ranked: Sequence[int], values: Iterable[float]) -> list[float]:
    result = [0.0] * len(ranked)
    for index, value in zip(ranked, values, strict=True):
        result[index] = min(1.0, value)
    return result
