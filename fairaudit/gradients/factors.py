"""How one use of a parameter enters the gradient of each row, without that gradient being formed.

The weight gradient of a linear layer is, row by row, a sum over tokens of outer products of what
went into the layer and of what came back to its output. Keeping the two factors is enough for
norms, sums and products. Three kinds cover the layers of language models:

* `Outer`: Σ_t left_t ⊗ right_t, the weight of a linear layer;
* `Lookup`: the same with a one-hot left factor that is stored as an index, an embedding;
* `Dense`: a gradient that is small enough to be held for every row, biases and norm scales.

The first dimension counts rows; after `fold` it counts units.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from fairaudit.gradients.units import Group


class Factor(ABC):
    """Gradients of all rows with respect to one parameter, through one use of it."""

    @abstractmethod
    def fold(self, group: Group, dtype: torch.dtype) -> Factor:
        """Gradients of the group's units, before its scale: K rows become one of K·T tokens."""

    @abstractmethod
    def add_to(self, total: Tensor, weights: Tensor) -> None:
        """Add Σ_r weights_r g_r to `total`, in place; `weights` [R]."""

    @abstractmethod
    def dot(self, direction: Tensor) -> Tensor:
        """⟨g_r, direction⟩ for every row [R], fp64."""

    @abstractmethod
    def form(self, start: int, stop: int) -> Tensor:
        """Gradients themselves, entries `start:stop` of the parameter's first dimension."""

    @abstractmethod
    def select(self, rows: slice | Tensor) -> Factor:
        """Gradients of some rows only."""

    @property
    @abstractmethod
    def source(self) -> Tensor:
        """Tensor that takes most of the memory: its shape and dtype set the size of blocks."""


@dataclass(frozen=True, slots=True)
class Outer(Factor):
    """Sum of outer products over tokens, for a parameter of shape [m, n].

    Attributes
    ----------
    left : Tensor
        [R, T, m].
    right : Tensor
        [R, T, n].
    """

    left: Tensor
    right: Tensor

    @property
    def source(self) -> Tensor:
        """The wider of the two sides."""
        return self.left if self.left.shape[-1] >= self.right.shape[-1] else self.right

    def select(self, rows: slice | Tensor) -> Outer:
        """Gradients of some rows only."""
        return Outer(self.left[rows], self.right[rows])

    def fold(self, group: Group, dtype: torch.dtype) -> Outer:
        """Join the tokens of a unit's rows; row weights go to the narrower side."""
        left, right = group.take(self.left).to(dtype), group.take(self.right).to(dtype)
        if group.relative is not None:
            left, right = _weigh_narrower(left, right, group.relative)
        return Outer(group.join_tokens(left), group.join_tokens(right))

    def add_to(self, total: Tensor, weights: Tensor) -> None:
        """One matrix product over all tokens of all rows, the narrower side re-weighted."""
        for block in _blocks(self.source, total.dtype):
            left, right = self.left[block].to(total.dtype), self.right[block].to(total.dtype)
            left, right = _weigh_narrower(left, right, weights[block].to(total.dtype))
            total.addmm_(left.flatten(0, 1).t(), right.flatten(0, 1))

    def dot(self, direction: Tensor) -> Tensor:
        """Push the wider side through the direction, then multiply token by token."""
        results = []
        for block in _blocks(self.source, direction.dtype):
            left, right = (
                self.left[block].to(direction.dtype),
                self.right[block].to(direction.dtype),
            )
            if left.shape[-1] >= right.shape[-1]:
                product = (left @ direction).mul_(right)
            else:
                product = (right @ direction.t()).mul_(left)
            results.append(_sum_by_row(product))
        return torch.cat(results)

    def form(self, start: int, stop: int) -> Tensor:
        """[U, stop − start, n]."""
        return torch.bmm(self.left[:, :, start:stop].transpose(1, 2), self.right)


@dataclass(frozen=True, slots=True)
class Lookup(Factor):
    """Rows of a table that were looked up, for a parameter of shape [m, n].

    Attributes
    ----------
    index : Tensor
        [R, T], which of the m table rows each token took.
    right : Tensor
        [R, T, n].
    """

    index: Tensor
    right: Tensor

    @property
    def source(self) -> Tensor:
        """The only large tensor."""
        return self.right

    def select(self, rows: slice | Tensor) -> Lookup:
        """Gradients of some rows only."""
        return Lookup(self.index[rows], self.right[rows])

    def fold(self, group: Group, dtype: torch.dtype) -> Lookup:
        """Join the tokens of a unit's rows."""
        right = group.take(self.right).to(dtype)
        if group.relative is not None:
            right = right * group.relative.to(right)[:, None, None]
        return Lookup(group.join_tokens(group.take(self.index)), group.join_tokens(right))

    def add_to(self, total: Tensor, weights: Tensor) -> None:
        """Scatter the weighted tokens into the table."""
        right = self.right.to(total.dtype) * weights.to(total)[:, None, None]
        total.index_add_(0, self.index.flatten(), right.flatten(0, 1))

    def dot(self, direction: Tensor) -> Tensor:
        """Read the direction where the table was read."""
        return _sum_by_row(direction[self.index].mul_(self.right))

    def form(self, start: int, stop: int) -> Tensor:
        """[U, stop − start, n]."""
        units, _, width = self.right.shape
        inside = (self.index >= start) & (self.index < stop)
        place = self.index - start + (stop - start) * _arange(units, self.index)[:, None]
        formed = self.right.new_zeros(units * (stop - start), width)
        formed.index_add_(0, place[inside], self.right[inside])
        return formed.view(units, stop - start, width)


@dataclass(frozen=True, slots=True)
class Dense(Factor):
    """The gradient of every row itself.

    Attributes
    ----------
    value : Tensor
        [R, *shape of the parameter].
    """

    value: Tensor

    @property
    def source(self) -> Tensor:
        """The only tensor."""
        return self.value

    def select(self, rows: slice | Tensor) -> Dense:
        """Gradients of some rows only."""
        return Dense(self.value[rows])

    def fold(self, group: Group, dtype: torch.dtype) -> Dense:
        """Add up a unit's rows."""
        value = group.take(self.value).to(dtype)
        if group.relative is not None:
            value = value * group.relative.to(value).view(-1, *[1] * (value.ndim - 1))
        return Dense(group.split(value).sum(dim=1))

    def add_to(self, total: Tensor, weights: Tensor) -> None:
        """Weighted sum over rows."""
        total.add_(torch.tensordot(weights.to(total), self.value.to(total.dtype), dims=1))

    def dot(self, direction: Tensor) -> Tensor:
        """Products with every row, added up in fp64."""
        return _sum_by_row((self.value * direction).flatten(1).unsqueeze(1))

    def form(self, start: int, stop: int) -> Tensor:
        """[U, stop − start, …]."""
        return self.value[:, start:stop]


#: Entries of a temporary copy: 64 MiB in fp32.
BLOCK = 2**24


def _blocks(source: Tensor, dtype: torch.dtype) -> list[slice]:
    """Slices of rows: all at once, unless a change of dtype would copy much."""
    n_rows = source.shape[0]
    step = n_rows if source.dtype == dtype else max(1, BLOCK // max(1, source[0].numel()))
    return [slice(start, start + step) for start in range(0, n_rows, max(1, step))]


def _sum_by_row(products: Tensor) -> Tensor:
    """[R, T, n] → [R]: over n in the products' dtype, over tokens in fp64."""
    return products.sum(dim=2).sum(dim=1, dtype=torch.float64)


def _weigh_narrower(left: Tensor, right: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    weights = weights[:, None, None].to(left)
    if left.shape[-1] < right.shape[-1]:
        return left * weights, right
    return left, right * weights


def _arange(count: int, like: Tensor) -> Tensor:
    return torch.arange(count, device=like.device)
