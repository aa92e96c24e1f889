"""Gradient checkpointing: activations inside a block are computed again instead of kept."""

from __future__ import annotations

from typing import Any

from fairaudit.errors import ModelError

#: Where blocks keep the rate of a dropout of their own.
_RATES = ("dropout", "activation_dropout", "hidden_dropout", "residual_dropout")


def recompute_activations(model: Any) -> None:
    """Switch gradient checkpointing on in a model that stays in evaluation mode otherwise.

    transformers recomputes blocks in training mode only; dropout, which must stay off for the
    gradient of a record to be a function of the record, is in layers inside them.

    Raises
    ------
    ModelError
        If the model has no blocks to recompute, or its blocks drop out by themselves.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    name = type(model).__name__
    blocks = [one for one in model.modules() if isinstance(one, GradientCheckpointingLayer)]
    if not blocks or not getattr(model, "supports_gradient_checkpointing", True):
        raise ModelError(f"{name} cannot recompute activations; leave out gradient checkpointing")
    rates = (getattr(block, rate, 0.0) for block in blocks for rate in _RATES)
    if any(isinstance(rate, float) and rate > 0 for rate in rates):
        raise ModelError(
            f"the blocks of {name} would drop out at random while they are recomputed; set the "
            "dropout of its config to 0, or leave out gradient checkpointing"
        )
    # transformers renamed it.
    switch = getattr(model, "activation_checkpointing_enable", None)
    (switch or model.gradient_checkpointing_enable)({"use_reentrant": False})
    for block in blocks:
        # The flag of the block alone: what is inside keeps its own.
        block.training = True
