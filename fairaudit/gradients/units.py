"""Which rows belong to one unit, and with which weight.

A unit is what is clipped, counted or compared as one: a record, or a record with its
counterfactual twins. Units with the same number of rows form a group, because the tokens of K rows
can then be joined by a view: [U·K, T, d] → [U, K·T, d].
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fairaudit.errors import UsageError


@dataclass(frozen=True, slots=True)
class Group:
    """Units of one size.

    Attributes
    ----------
    units : Tensor
        [U], their positions in the result.
    rows : slice or Tensor
        Their rows, unit by unit.
    size : int
        Rows per unit.
    scale : Tensor
        [U], weight that a unit's rows have in common, fp64.
    relative : Tensor or None
        [U · size], weights of rows where they differ within a unit, fp64; then `scale` is 1.
    """

    units: Tensor
    rows: slice | Tensor
    size: int
    scale: Tensor
    relative: Tensor | None

    def take(self, tensor: Tensor) -> Tensor:
        """Read the group's rows of a tensor [R, …]; a view where they are neighbours."""
        return tensor[self.rows if isinstance(self.rows, slice) else self.rows.to(tensor.device)]

    def split(self, rows: Tensor) -> Tensor:
        """[U · K, …] → [U, K, …]."""
        return rows.reshape(-1, self.size, *rows.shape[1:])

    def join_tokens(self, rows: Tensor) -> Tensor:
        """[U · K, T, …] → [U, K · T, …]."""
        return self.split(rows).flatten(1, 2)

    def part(self, start: int, stop: int) -> Group:
        """Units `start:stop` of the group."""
        stop = min(stop, len(self.units))
        first, last = start * self.size, stop * self.size
        offset = self.rows.start if isinstance(self.rows, slice) else 0
        return Group(
            self.units[start:stop],
            slice(offset + first, offset + last)
            if isinstance(self.rows, slice)
            else self.rows[first:last],
            self.size,
            self.scale[start:stop],
            None if self.relative is None else self.relative[first:last],
        )


@dataclass(frozen=True, slots=True)
class Grouping:
    """All rows of a batch as units.

    Attributes
    ----------
    index : Tensor
        [R], the unit of each row.
    weights : Tensor
        [R], weight of each row in its unit, fp64.
    n_units : int
        U.
    groups : tuple of Group
        Every unit in exactly one of them.
    """

    index: Tensor
    weights: Tensor
    n_units: int
    groups: tuple[Group, ...]

    def sum_rows(self, values: Tensor) -> Tensor:
        """Weighted sum of a value per row [R] over the rows of each unit [U], fp64."""
        total = torch.zeros(self.n_units, dtype=torch.float64, device=values.device)
        weighted = values.double() * self.weights.to(values.device)
        return total.index_add_(0, self.index.to(values.device), weighted)

    def row_weights(self, weights: Tensor) -> Tensor:
        """Weight of each row [R] in Σ_u weights_u g_u, fp64."""
        device = weights.device
        return weights.double()[self.index.to(device)] * self.weights.to(device)

    def subset(self, chosen: Tensor) -> list[Group]:
        """Restrict to the chosen units, one by one; `chosen` [U] is boolean, on the CPU."""
        return [
            group.part(place, place + 1)
            for group in self.groups
            for place in chosen[group.units].nonzero().flatten().tolist()
        ]


def unit_index(units: int | Tensor | None, n_rows: int) -> Tensor:
    """Find the unit of each row [R], on the CPU.

    Raises
    ------
    UsageError
        If rows and units do not fit together.
    """
    if units is None:
        return torch.arange(n_rows)
    if isinstance(units, int):
        if units < 1:
            raise UsageError(f"units={units}: a unit has at least one row")
        if n_rows % units:
            raise UsageError(
                f"{n_rows} rows are not a multiple of units={units}; give a unit index per row "
                "where units differ in their number of rows"
            )
        return torch.arange(n_rows // units).repeat_interleave(units)
    return _checked_index(units, n_rows)


def _checked_index(units: Tensor, n_rows: int) -> Tensor:
    index = units.detach().cpu()
    if index.shape != (n_rows,) or index.is_floating_point():
        raise UsageError(
            f"units must be an integer tensor of shape [{n_rows}], one entry per row; "
            f"got {index.dtype} {list(index.shape)}"
        )
    index = index.long()
    if n_rows and int(index.min()) < 0:
        raise UsageError(f"units: negative unit {int(index.min())}")
    empty = (index.bincount() == 0).nonzero().flatten().tolist()
    if empty:
        raise UsageError(f"units: no row belongs to unit {empty[0]}; number units without gaps")
    return index


def neighbours_first(index: Tensor) -> Tensor | None:
    """Order of rows that brings units of one size, and the rows of a unit, together.

    None where they already stand so.
    """
    sizes = index.bincount()[index] if len(index) else index
    keys = sizes * (len(index) + 1) + index
    if bool((keys.diff() >= 0).all()):
        return None
    return keys.argsort(stable=True)


def grouping(index: Tensor, row_weights: Tensor | None) -> Grouping:
    """Group rows by unit, and units by size.

    Parameters
    ----------
    index
        [R], the unit of each row.
    row_weights
        [R], weight of each row in its unit; 1/K, the mean over the unit's K rows, if None.
    """
    sizes = index.bincount()
    if row_weights is None:
        weights = 1.0 / sizes[index].double()
    else:
        weights = _checked_weights(row_weights, len(index))
    order = index.argsort(stable=True)
    starts = sizes.cumsum(0) - sizes
    groups = [
        _group((sizes == size).nonzero().flatten(), starts, order, size, weights)
        for size in sorted(set(sizes.tolist()))
    ]
    return Grouping(index, weights, len(sizes), tuple(groups))


def _checked_weights(row_weights: Tensor, n_rows: int) -> Tensor:
    weights = row_weights.detach().cpu().double()
    if weights.shape != (n_rows,) or not bool(weights.isfinite().all()):
        raise UsageError(
            f"row_weights must be finite and of shape [{n_rows}]; got {list(weights.shape)}"
        )
    return weights


def _group(units: Tensor, starts: Tensor, order: Tensor, size: int, weights: Tensor) -> Group:
    rows = order[(starts[units][:, None] + torch.arange(size)).flatten()]
    first = int(rows[0])
    adjacent = bool((rows == torch.arange(first, first + len(rows))).all())
    by_unit = weights[rows].view(-1, size)
    equal = bool((by_unit == by_unit[:, :1]).all())
    return Group(
        units,
        slice(first, first + len(rows)) if adjacent else rows,
        size,
        by_unit[:, 0] if equal else torch.ones(len(units), dtype=torch.float64),
        None if equal else by_unit.flatten(),
    )
