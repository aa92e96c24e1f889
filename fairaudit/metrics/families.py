"""Multiplicity: many looks at one model, corrected as declared families.

Primary bias estimates of an audit are one family, corrected by Holm; the other bias estimates are
exploratory and corrected by Benjamini-Hochberg. Family and size are printed with each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fairaudit.results import Estimate
from fairaudit.stats.multiplicity import adjust


def with_adjusted_p(estimates: Sequence[Estimate]) -> tuple[Estimate, ...]:
    """Fill p_adjusted, correction, family and family_size of all bias estimates.

    Parameters
    ----------
    estimates : sequence of Estimate
        All of one audit; those without a p-value stay as they are and do not count.

    Returns
    -------
    tuple of Estimate
        The same, in the same order, with ``p_adjusted`` at least ``p_value``.
    """
    adjusted = list(estimates)
    _correct(adjusted, "primary", "holm")
    _correct(adjusted, "exploratory", "bh")
    return tuple(adjusted)


def _correct(estimates: list[Estimate], family: str, method: Literal["holm", "bh"]) -> None:
    chosen = [
        index
        for index, found in enumerate(estimates)
        if found.kind == "bias"
        and found.primary == (family == "primary")
        and found.p_value is not None
    ]
    values = adjust([estimates[index].p_value for index in chosen], method)
    for index, value in zip(chosen, values, strict=True):
        update = {
            "p_adjusted": value,
            "correction": method,
            "family": family,
            "family_size": len(chosen),
        }
        estimates[index] = estimates[index].model_copy(update=update)
