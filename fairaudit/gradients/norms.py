"""Norms of units' gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from fairaudit.gradients.factors import BLOCK, Factor
from fairaudit.gradients.precision import full_precision, working_dtype
from fairaudit.gradients.products import Squares, squared_norms
from fairaudit.gradients.rows import Rows
from fairaudit.gradients.units import Group, Grouping

#: A squared norm below this share of its trace is computed again in fp64 (see `Squares`): in fp32
#: its relative error could exceed about 3e-6.
CANCELLED = 0.01


def unit_norms(rows: Rows, grouping: Grouping, dtype: torch.dtype) -> Tensor:
    """‖g_u‖ over all parameters, [U], fp64; in fp64 throughout where terms nearly cancel."""
    found = _all_squares(rows, grouping.groups, grouping.n_units, dtype)
    cancelled = found.squares < CANCELLED * found.traces
    if bool(cancelled.any()):
        groups = grouping.subset(cancelled.cpu())
        again = _all_squares(rows, groups, grouping.n_units, torch.float64)
        found = Squares(again.squares.where(cancelled, found.squares), found.traces)
    return found.squares.clamp(min=0.0).sqrt()


def _all_squares(rows: Rows, groups: Sequence[Group], n_units: int, dtype: torch.dtype) -> Squares:
    total = Squares(rows.losses.new_zeros(n_units), rows.losses.new_zeros(n_units))
    with full_precision():
        for name, uses in rows.uses.items():
            working = working_dtype(uses, dtype)
            for group in _parts(groups, uses, working):
                folded = [use.fold(group, working) for use in uses]
                found = squared_norms(folded, rows.parameters[name].shape[0])
                _add(total, found, group)
    return total


def _add(total: Squares, found: Squares, group: Group) -> None:
    scale, units = group.scale.square().to(total.squares), group.units.to(total.squares.device)
    total.squares[units] += scale * found.squares.to(scale.device)
    total.traces[units] += scale * found.traces.to(scale.device)


def _parts(
    groups: Sequence[Group], uses: Sequence[Factor], working: torch.dtype
) -> Iterable[Group]:
    """Split groups where a change of dtype would copy much."""
    source = max((use.source for use in uses), key=Tensor.numel)
    for group in groups:
        step = len(group.units)
        if source.dtype != working:
            step = max(1, BLOCK // (group.size * source[0].numel()))
        for start in range(0, len(group.units), step):
            yield group.part(start, start + step)
