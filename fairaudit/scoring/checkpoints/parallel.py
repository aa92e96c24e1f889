"""Models split over the processes of one run, each with a part of every layer.

transformers knows how to cut the layers of many architectures (their ``base_model_tp_plan``). All
processes then run every batch at the same time, and each of them sees all logits.
"""

from __future__ import annotations

from typing import Any

import torch

from fairaudit.errors import ModelError, UsageError
from fairaudit.ranks import ranks


def check_launched(source: object) -> None:
    """Refuse to split a model where there is nobody to share it with.

    Raises
    ------
    UsageError
        If one process runs, or the model is in memory already.
    """
    if isinstance(source, tuple):
        raise UsageError("a model in memory stays in one piece; leave out tensor_parallel")
    if ranks().size == 1:
        raise UsageError(
            "tensor parallelism needs several processes: torchrun --nproc-per-node 2 -m fairaudit "
            "audit … --tensor-parallel"
        )


def check_plan(config: Any, name: str) -> None:
    """Refuse a model that transformers cannot cut as this many processes need it.

    Raises
    ------
    ModelError
        If its class has no plan, or its heads cannot be dealt evenly.
    """
    is_tower = config.get_text_config() is not config
    if is_tower or not getattr(config, "base_model_tp_plan", None):
        raise ModelError(
            f"{name}: transformers has no tensor-parallel plan for {config.model_type}; use "
            "--device-map auto"
        )
    size = ranks().size
    heads = getattr(config, "num_attention_heads", 0)
    shared = getattr(config, "num_key_value_heads", None) or heads
    if heads % size or shared % size:
        raise ModelError(
            f"{name}: {heads} heads ({shared} of keys and values) cannot be dealt evenly to {size} "
            "processes; start as many as divide both"
        )


def check_split(model: Any, name: str, quantised: str | None) -> None:
    """Refuse a model of which this process holds everything, or whose blocks were cut.

    Raises
    ------
    ModelError
        If no weight was cut.
    """
    is_cut = any(hasattr(weight, "full_tensor") for weight in model.parameters())
    if quantised is not None or not is_cut:
        raise ModelError(
            f"{name}: only whole checkpoints in safetensors are split, no adapters, GGUF files or "
            "quantised ones; use --device-map auto"
        )


def note(name: str) -> str:
    """Say in a result how a model was split."""
    return f"{name}: each layer was split over {ranks().size} processes"


def part(tensor: torch.Tensor) -> torch.Tensor:
    """Return what this process holds of a tensor, itself and not a copy."""
    with torch.no_grad():
        mine = getattr(tensor, "to_local", None)
        found: torch.Tensor = tensor if mine is None else mine()
    return found


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """Return a tensor with the parts of all processes; all of them must ask at the same time."""
    # The class is that of split tensors, which only exist once this module is loaded.
    gathered = getattr(tensor, "full_tensor", None)
    found: torch.Tensor = tensor if gathered is None else gathered()
    return found
