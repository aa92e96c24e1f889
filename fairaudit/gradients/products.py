"""Inner products of units' gradients from their factors.

For g = Σ_t l_t ⊗ r_t the squared norm is Σ_{t,t'} (l_t·l_t')(r_t·r_t'): two small Gram matrices
over the tokens of a unit, multiplied entry by entry (Goodfellow 2015 for one token; Li et al. 2022
for sequences). It costs T²(m + n) against Tmn for forming g, whichever is less is done (Bu et al.
2023). A parameter that is used more than once, such as an embedding tied to the vocabulary head,
has *cross terms* between its uses: ‖a + b‖² = ‖a‖² + ‖b‖² + 2⟨a, b⟩.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from fairaudit.gradients.factors import BLOCK, Factor, Lookup, Outer


@dataclass(frozen=True, slots=True)
class Squares:
    """Squared norms of units' gradients, and a scale for their rounding error.

    Attributes
    ----------
    squares : Tensor
        [U], fp64.
    traces : Tensor
        [U], fp64: Σ_t ‖l_t‖²‖r_t‖², the terms t = t', which is also what the square would be if
        the tokens' gradients were orthogonal. The T² products of dot products, each with its own
        rounding error ε‖l_t‖‖l_t'‖‖r_t‖‖r_t'‖, err together by about ε times the trace; a square
        far below it has lost digits. Zero where gradients were formed, then squared: no square
        there comes from a difference.
    """

    squares: Tensor
    traces: Tensor


def squared_norms(uses: Sequence[Factor], length: int) -> Squares:
    """Square every unit's sum of all uses of a parameter with first dimension `length`."""
    outers = [use for use in uses if isinstance(use, Outer)]
    lookups = [use for use in uses if isinstance(use, Lookup)]
    if not outers and not lookups:
        return _exact(_formed_squares(uses, length))
    if not outers:
        return _exact(_segment_squares(_merged_lookups(lookups)))
    outer = _merged_outers(outers)
    if _forming_is_cheaper(outer):
        return _exact(_formed_squares(uses, length))
    own = _pair_squares(outer)
    return own if not lookups else _with_lookup(own, outer, _merged_lookups(lookups))


def slices(uses: Sequence[Factor], length: int, units: int) -> Iterator[slice]:
    """Slices of a parameter's first dimension whose gradients fit a block for that many units."""
    first = uses[0]
    width = first.right.shape[-1] if isinstance(first, (Outer, Lookup)) else 1
    step = max(1, BLOCK // max(1, units * width))
    return (slice(start, min(start + step, length)) for start in range(0, length, step))


def formed(uses: Sequence[Factor], part: slice) -> Tensor:
    """Gradients of all units for a slice of the parameter, flattened: [U, entries]."""
    total = uses[0].form(part.start, part.stop)
    for use in uses[1:]:
        total = total + use.form(part.start, part.stop)
    return total.flatten(1)


def _formed_squares(uses: Sequence[Factor], length: int) -> Tensor:
    squares = [formed(uses, part).square() for part in slices(uses, length, len(uses[0].source))]
    return torch.stack([part.sum(dim=1, dtype=torch.float64) for part in squares]).sum(dim=0)


def _forming_is_cheaper(outer: Outer) -> bool:
    tokens, m, n = outer.left.shape[1], outer.left.shape[2], outer.right.shape[2]
    return m * n <= tokens * (m + n)


def _pair_squares(outer: Outer) -> Squares:
    left, right = _gram(outer.left), _gram(outer.right)
    products = left.mul_(right)
    traces = products.diagonal(dim1=1, dim2=2).sum(dim=1, dtype=torch.float64)
    return Squares(_sum(products), traces)


def _with_lookup(own: Squares, outer: Outer, lookup: Lookup) -> Squares:
    cross = torch.bmm(outer.right, lookup.right.transpose(1, 2))
    index = lookup.index[:, None, :].expand_as(cross)
    cross = cross.mul_(outer.left.gather(2, index))
    squares = own.squares + 2.0 * _sum(cross) + _segment_squares(lookup)
    return Squares(squares, own.traces + _sum(lookup.right.square()))


def _segment_squares(lookup: Lookup) -> Tensor:
    """Add up the tokens of a unit that read the same table row, then square: T·n, not T²·n."""
    units, _, width = lookup.right.shape
    key = lookup.index + (lookup.index.max() + 1) * torch.arange(
        units, device=lookup.index.device
    ).unsqueeze(1)
    distinct, place = torch.unique(key, return_inverse=True)
    sums = lookup.right.new_zeros(len(distinct), width)
    sums.index_add_(0, place.flatten(), lookup.right.flatten(0, 1))
    owner = distinct // (lookup.index.max() + 1)
    squares = sums.square().sum(dim=1, dtype=torch.float64)
    return squares.new_zeros(units).index_add_(0, owner, squares)


def _gram(tokens: Tensor) -> Tensor:
    return torch.bmm(tokens, tokens.transpose(1, 2))


def _sum(products: Tensor) -> Tensor:
    return products.sum(dim=(1, 2), dtype=torch.float64)


def _exact(squares: Tensor) -> Squares:
    return Squares(squares, torch.zeros_like(squares))


def _merged_outers(outers: Sequence[Outer]) -> Outer:
    """Several uses as one with more tokens: the cross terms come by themselves."""
    if len(outers) == 1:
        return outers[0]
    return Outer(
        torch.cat([use.left for use in outers], dim=1),
        torch.cat([use.right for use in outers], dim=1),
    )


def _merged_lookups(lookups: Sequence[Lookup]) -> Lookup:
    if len(lookups) == 1:
        return lookups[0]
    return Lookup(
        torch.cat([use.index for use in lookups], dim=1),
        torch.cat([use.right for use in lookups], dim=1),
    )
