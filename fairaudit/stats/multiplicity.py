"""Corrections for testing many hypotheses, with missing p-values passed through."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from statsmodels.stats.multitest import multipletests

Method = Literal["holm", "bh", "by"]
_METHODS: Final[dict[Method, str]] = {"holm": "holm", "bh": "fdr_bh", "by": "fdr_by"}


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
    """
    known = [index for index, p in enumerate(p_values) if p is not None and not math.isnan(p)]
    result: list[float | None] = [None] * len(p_values)
    if known:
        adjusted = multipletests([p_values[index] for index in known], method=_METHODS[method])[1]
        for index, value in zip(known, adjusted, strict=True):
            result[index] = float(value)
    return result
