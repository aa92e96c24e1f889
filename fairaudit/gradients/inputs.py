"""A batch, checked and in the engine's order; positions where a model would broadcast them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fairaudit.errors import ModelError, UsageError
from fairaudit.gradients.capture import Layer

#: Two rows of three tokens, which any vocabulary has: no two of 1, rows, tokens and all are equal.
PROBE = [[0, 1, 1], [1, 0, 1]]


def n_rows(batch: Mapping[str, Any]) -> int:
    """Rows of a batch; 0 for an empty one.

    Raises
    ------
    UsageError
        If ids and labels are missing or do not fit together.
    """
    missing = {"input_ids", "labels"} - set(batch)
    if missing:
        raise UsageError(f"the batch lacks {sorted(missing)}")
    ids, labels = batch["input_ids"], batch["labels"]
    if len(ids) and (ids.ndim != 2 or ids.shape != labels.shape):
        raise UsageError(
            "input_ids and labels must both have shape [rows, tokens]; "
            f"got {list(ids.shape)} and {list(labels.shape)}"
        )
    return len(ids)


def model_inputs(
    batch: Mapping[str, Any], order: Tensor | None, device: torch.device
) -> dict[str, Tensor]:
    """Everything of the batch but the labels, rows in the given order, on the model's device.

    Raises
    ------
    UsageError
        If an entry does not have one row per row of `input_ids`.
    """
    rows = n_rows(batch)
    inputs = {}
    for name, value in batch.items():
        if name == "labels" or value is None:
            continue
        if not isinstance(value, Tensor) or value.ndim == 0 or len(value) != rows:
            raise UsageError(f"batch entry '{name}' must be a tensor of {rows} rows")
        inputs[name] = ordered(value, order).to(device)
    return inputs


def ordered(values: Tensor, order: Tensor | None) -> Tensor:
    """Rows in the given order."""
    return values if order is None else values[order.to(values.device)]


def positions(shape: tuple[int, int], device: torch.device) -> Tensor:
    """Position of every token of every row [R, T]."""
    return torch.arange(shape[1], device=device).expand(shape).contiguous()


@torch.no_grad()
def needs_positions(
    model: nn.Module, layers: Sequence[Layer], constants: Mapping[str, Any]
) -> bool:
    """Whether the model must be given `position_ids` of shape [R, T], by trying it on two rows.

    Models that look up positions 0, 1, 2, … once for the whole batch hide the gradients of single
    rows. Given the same positions row by row they compute the same; that is checked here.

    Raises
    ------
    ModelError
        If something stays broadcast, or the outputs change.
    """
    device = next(model.parameters()).device
    ids = torch.tensor(PROBE, device=device)
    with _evaluating(model):
        with _broadcast(layers) as found:
            plain = model(input_ids=ids, **constants).logits
        if not found:
            return False
        given = {"position_ids": positions((len(PROBE), len(PROBE[0])), device)}
        try:
            with _broadcast(layers) as remaining:
                explicit = model(input_ids=ids, **given, **constants).logits
        except TypeError:
            remaining, explicit = found, plain
    if remaining:
        raise ModelError(
            f"layers {sorted(remaining)} get an input that is broadcast over the batch, so that "
            "gradients per record do not exist; freeze them"
        )
    if not torch.allclose(plain, explicit, rtol=1e-3, atol=1e-4, equal_nan=True):
        raise ModelError(
            f"layers {sorted(found)} get positions that are broadcast over the batch, and the "
            "model computes something else when given them row by row; freeze these layers"
        )
    return True


@contextlib.contextmanager
def _broadcast(layers: Sequence[Layer]) -> Iterator[set[str]]:
    """Names of layers whose input has not one entry per row of `PROBE`, or per token of it."""
    rows, tokens = len(PROBE), len(PROBE[0])
    found: set[str] = set()
    handles = []
    for layer in layers:

        def look(
            module: nn.Module,
            args: tuple[Any, ...],
            kwargs: Mapping[str, Any],
            *,
            layer: Layer = layer,
        ) -> None:
            kept = layer.rule.keep(module, args, kwargs)
            if kept.ndim == 0 or kept.shape[0] not in (rows, rows * tokens):
                found.add(layer.name)

        handles.append(layer.module.register_forward_pre_hook(look, with_kwargs=True))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """No dropout inside, and every module back in its own mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
