"""What a layer type must say so that the engine can handle it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fairaudit.gradients.factors import Factor


def first_input(_module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """Return the first argument of the layer's forward: what most layers need to keep."""
    value = args[0] if args else next(iter(kwargs.values()))
    if not isinstance(value, Tensor):
        raise TypeError(type(value).__name__)
    return value


@dataclass(frozen=True, slots=True)
class Rule:
    """How the parameters of a layer type enter the gradient.

    Attributes
    ----------
    layers : tuple of str
        Full class names. Names and not classes, so that a rule imports no model.
    parameters : tuple of str
        Parameters of the layer that the rule covers.
    factor : callable
        ``(module, name, inputs, grads) -> Factor``: the gradient with respect to the parameter
        `name` for every row, from what `keep` returned [R, …] and from the gradient of the row
        losses with respect to the layer's output [R, …].
    keep : callable
        ``(module, args, kwargs) -> Tensor``: what to keep of a call, [R, …].
    """

    layers: tuple[str, ...]
    parameters: tuple[str, ...]
    factor: Callable[[nn.Module, str, Tensor, Tensor], Factor]
    keep: Callable[[nn.Module, tuple[Any, ...], Mapping[str, Any]], Tensor] = first_input


def tokens(values: Tensor) -> Tensor:
    """[R, …, d] → [R, T, d]."""
    return values.reshape(values.shape[0], -1, values.shape[-1])


def summed(values: Tensor, shape: torch.Size | tuple[int, ...]) -> Tensor:
    """Sum over everything between rows and the parameter's own shape: [R, …, *shape] → [R, *shape].

    In fp32 at least: a sum over hundreds of tokens loses too much in 16 bits.
    """
    flat = values.reshape(values.shape[0], -1, *shape)
    dtype = torch.float64 if values.dtype == torch.float64 else torch.float32
    return flat.sum(dim=1, dtype=dtype)
