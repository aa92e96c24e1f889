"""Low-rank adapters (Hu et al. 2022): fewer parameters to clip and to add noise to."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from fairaudit.errors import ModelError, UsageError
from fairaudit.results.training import LoraRecord


def add_adapters(model: Any, rank: int, seed: int) -> tuple[Any, LoraRecord]:
    """Freeze a model and add an adapter of a rank to each of its linear layers.

    The vocabulary head carries none. α is twice the rank, so the adapter's product enters with
    weight 2 whatever the rank.

    Parameters
    ----------
    model : PreTrainedModel
        The base model, changed in place.
    rank : int
        Rank of the adapters.
    seed : int
        Seed of their initialisation.

    Returns
    -------
    PeftModel, LoraRecord
        The model to train, and what ``training.json`` says about it.

    Raises
    ------
    ModelError
        If peft is not installed, or the model has no linear layer.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ModelError("low-rank adapters need peft: pip install peft") from error
    layers = _linear_layers(model)
    if not layers:
        raise ModelError(f"{type(model).__name__} has no linear layer that could carry an adapter")
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=0.0,
        target_modules=sorted(layers),
        # GPT-2's Conv1D keeps its weight the other way round.
        fan_in_fan_out="Conv1D" in layers.values(),
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        # peft asks transformers for an attribute that transformers has renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")
        torch.manual_seed(seed)
        adapted = get_peft_model(model, config)
    targets = tuple(sorted({name.rsplit(".", 1)[-1] for name in layers}))
    return adapted, LoraRecord(rank=rank, alpha=2.0 * rank, targets=targets)


def check_rank(model: Any, rank: int) -> None:
    """Raise unless some layer could have this rank; one that has not would only cost memory.

    Raises
    ------
    UsageError
        If the rank is above that of every linear layer.
    """
    widest = max(
        (min(model.get_submodule(n).weight.shape) for n in _linear_layers(model)), default=0
    )
    if rank > widest > 0:
        raise UsageError(f"LoRA rank {rank} is above {widest}, the rank of the widest layer itself")


def _linear_layers(model: Any) -> dict[str, str]:
    """Full name and kind of the layers inside the encoder or decoder stack."""
    head = model.get_output_embeddings()
    body = model.base_model
    inside = {id(module) for module in body.modules()}
    return {
        name: type(module).__name__
        for name, module in model.named_modules()
        if type(module).__name__ in ("Linear", "Conv1D")
        and module is not head
        and id(module) in inside
    }
