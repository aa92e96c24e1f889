"""Forward pass with hooks, then one backward pass down to the layers' outputs.

Hooks live for one call. They hold a layer's input and the *edge* of its output in the autograd
graph, not the output itself. `torch.autograd.grad` towards these edges forms no weight gradients.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge, get_gradient_edge

from fairaudit.errors import ModelError
from fairaudit.gradients.factors import Factor
from fairaudit.gradients.rules.base import Rule


@dataclass(frozen=True, slots=True)
class Layer:
    """A module with trainable parameters and a rule.

    Attributes
    ----------
    name : str
        Its name in the model.
    module : torch.nn.Module
        Itself.
    rule : Rule
        Its rule.
    parameters : dict
        Name in the layer → name of the parameter among the engine's parameters.
    """

    name: str
    module: nn.Module
    rule: Rule
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a layer: what its rule kept of the input, and the edge of its output."""

    layer: Layer
    kept: Tensor
    edge: GradientEdge


@contextlib.contextmanager
def recorded(layers: Sequence[Layer], shape: tuple[int, int]) -> Iterator[list[Call]]:
    """While active, every call of the layers is added to the list; `shape` is (rows, tokens)."""
    calls: list[Call] = []
    handles = []
    for layer in layers:

        def record(
            module: nn.Module,
            args: tuple[Any, ...],
            kwargs: Mapping[str, Any],
            output: Tensor,
            *,
            layer: Layer = layer,
        ) -> None:
            if not output.requires_grad:
                raise ModelError(
                    f"layer '{layer.name}' ran without gradient: call the engine outside of "
                    "torch.no_grad and use gradient checkpointing with use_reentrant=False"
                )
            kept = by_row(layer.rule.keep(module, args, kwargs).detach(), shape, layer.name)
            calls.append(Call(layer, kept, get_gradient_edge(output)))

        handles.append(layer.module.register_forward_hook(record, with_kwargs=True))
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def by_row(values: Tensor, shape: tuple[int, int], layer: str) -> Tensor:
    """Values with rows first: [R, …] as it is, [R · T, …] unfolded.

    Raises
    ------
    ModelError
        If the values are broadcast over the batch: their gradient has no rows.
    """
    rows, tokens = shape
    if values.ndim and values.shape[0] == rows:
        return values
    if values.ndim and values.shape[0] == rows * tokens:
        return values.reshape(rows, tokens, *values.shape[1:])
    raise ModelError(
        f"layer '{layer}' has an input or output of shape {list(values.shape)} for a batch of "
        f"{rows} rows of {tokens} tokens: it is broadcast over the batch or mixes rows, so that "
        "gradients per record do not exist; give the model inputs with one entry per row, or "
        "freeze the layer"
    )


def factors(
    calls: Sequence[Call], logits: Tensor, logit_grads: Tensor, *, keep_graph: bool
) -> dict[str, list[Factor]]:
    """Run the backward pass and return the uses of every parameter."""
    shape = (logits.shape[0], logits.shape[1])
    outputs: tuple[Tensor | None, ...] = torch.autograd.grad(
        [logits],
        [call.edge for call in calls],
        [logit_grads],
        retain_graph=keep_graph,
        allow_unused=True,
    )
    uses: dict[str, list[Factor]] = {}
    for call, output in zip(calls, outputs, strict=True):
        if output is None:
            continue
        grads = by_row(output, shape, call.layer.name)
        for local, name in call.layer.parameters.items():
            factor = call.layer.rule.factor(call.layer.module, local, call.kept, grads)
            uses.setdefault(name, []).append(factor)
    return uses
