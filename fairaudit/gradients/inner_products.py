"""Inner products of all pairs of units."""

from __future__ import annotations

import torch
from torch import Tensor

from fairaudit.gradients.factors import Factor
from fairaudit.gradients.precision import full_precision, working_dtype
from fairaudit.gradients.products import formed, slices
from fairaudit.gradients.rows import Rows
from fairaudit.gradients.units import Group, Grouping

Side = tuple[Rows, Grouping]
Folded = list[tuple[Group, list[Factor]]]


def gram(first: Side, second: Side, dtype: torch.dtype) -> Tensor:
    """⟨g_u, g_v⟩ for units u of one batch and v of another, [U, V], fp64.

    The gradients of all units are formed for a slice of one parameter at a time.
    """
    rows = first[0]
    total = rows.losses.new_zeros(first[1].n_units, second[1].n_units)
    with full_precision():
        for name, uses in rows.uses.items():
            if name in second[0].uses:
                working = working_dtype(uses, dtype)
                total += _products(first, second, name, working).to(total.device)
    return total


def _products(first: Side, second: Side, name: str, working: torch.dtype) -> Tensor:
    left = _folded(first, name, working)
    right = left if second is first else _folded(second, name, working)
    units = max(first[1].n_units, second[1].n_units)
    length = first[0].parameters[name].shape[0]
    products = [
        (here @ (here if right is left else _formed(right, part, second[1].n_units)).t()).double()
        for part in slices(left[0][1], length, units)
        for here in [_formed(left, part, first[1].n_units)]
    ]
    return torch.stack(products).sum(dim=0)


def _folded(side: Side, name: str, working: torch.dtype) -> Folded:
    rows, grouping = side
    return [
        (group, [use.fold(group, working) for use in rows.uses[name]]) for group in grouping.groups
    ]


def _formed(folded: Folded, part: slice, n_units: int) -> Tensor:
    """Gradients of all units for a slice of the parameter [U, entries]."""
    pieces = [(group, formed(uses, part)) for group, uses in folded]
    total = pieces[0][1].new_zeros(n_units, pieces[0][1].shape[1])
    for group, piece in pieces:
        total[group.units.to(total.device)] = piece * group.scale.to(piece)[:, None]
    return total
