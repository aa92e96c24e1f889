"""Weighted sums of gradients and their products with a direction: one matrix product per use."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fairaudit.errors import UsageError
from fairaudit.gradients.factors import BLOCK
from fairaudit.gradients.precision import full_precision, working_dtype
from fairaudit.gradients.rows import Gradient, Rows


def add_weighted(rows: Rows, weights: Tensor, total: Gradient) -> None:
    """Add Σ_r weights_r g_r to `total`, in place.

    Rows of weight 0 are left out: disjoint groups of a batch then cost together what one sum does.
    """
    if not bool(weights.any()):
        return
    chosen = _chosen(weights)
    with full_precision():
        for name, uses in rows.uses.items():
            for use in uses:
                device = use.source.device
                place = chosen if isinstance(chosen, slice) else chosen.to(device)
                use.select(place).add_to(total[name], weights.to(device)[place])


def _chosen(weights: Tensor) -> slice | Tensor:
    """Rows of a weight other than 0: a slice, which copies nothing, where they are neighbours."""
    rows = (weights != 0).nonzero().flatten()
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows


def row_products(rows: Rows, direction: Mapping[str, Tensor], dtype: torch.dtype) -> Tensor:
    """⟨g_r, direction⟩ of every row [R], fp64; parameters without a direction count as 0."""
    total = torch.zeros_like(rows.losses)
    with full_precision():
        for name, uses in rows.uses.items():
            vector = direction.get(name)
            if vector is None:
                continue
            vector = vector.detach().to(uses[0].source.device, working_dtype(uses, dtype))
            for use in uses:
                total += use.dot(vector).to(total.device)
    return total


def inner_product(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    """Inner product of two gradients; a missing parameter counts as 0.

    Products and sums over a parameter's last dimension are taken in the gradients' dtype, all else
    is added up in fp64.

    Parameters
    ----------
    first, second : mapping of str to Tensor
        By parameter, of equal shapes; a parameter that only one of them has counts as 0.

    Returns
    -------
    float
        Σ_p ⟨first_p, second_p⟩.

    Examples
    --------
    >>> inner_product({"w": torch.tensor([3.0, 4.0])}, {"w": torch.tensor([3.0, 4.0])})
    25.0
    """
    total = 0.0
    with full_precision():
        for name in first.keys() & second.keys():
            left, right = first[name], second[name]
            step = max(1, BLOCK // max(1, left[0].numel()))
            for start in range(0, len(left), step):
                part = left[start : start + step] * right[start : start + step].to(left.device)
                total += float(part.sum(dim=-1).sum(dtype=torch.float64))
    return total


def clip_factors(norms: Tensor, max_norm: float) -> Tensor:
    """Factors min(1, C/‖g_u‖) that clip every unit's gradient to norm C = `max_norm`.

    Parameters
    ----------
    norms : Tensor of shape [units]
        ‖g_u‖, at least 0.
    max_norm : float
        C, above 0.

    Returns
    -------
    Tensor of shape [units]
        Above 0 and at most 1; 1 for a gradient of norm 0. NaN stays NaN.

    Raises
    ------
    UsageError
        If C is not positive.

    Examples
    --------
    >>> clip_factors(torch.tensor([0.0, 0.5, 4.0]), 1.0)
    tensor([1.0000, 1.0000, 0.2500])
    """
    if not max_norm > 0.0:
        raise UsageError(f"clipping norm {max_norm}: must be positive")
    return (max_norm / norms.clamp(min=max_norm)).to(norms)
