"""Low-rank adapters (Hu et al. 2022): fewer parameters to clip and to add noise to."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any, Final

import torch

from fairaudit.errors import ModelError, UsageError
from fairaudit.results.training import LoraRecord
from fairaudit.training.recipe import Recipe

#: Classes of linear layers; two of them hold a frozen weight in 4 or 8 bits (bitsandbytes).
_LINEAR: Final = frozenset({"Linear", "Conv1D", "FalconLinear", "Linear4bit", "Linear8bitLt"})
#: DeBERTa's projections of relative positions.
_SHARED: Final = frozenset({"pos_key_proj", "pos_query_proj", "pos_proj", "pos_q_proj"})


def add_adapters(model: Any, recipe: Recipe) -> tuple[Any, LoraRecord]:
    """Freeze a model and add adapters to its linear layers.

    The vocabulary head carries none. By default all other layers carry one, and α is twice the
    rank, so that the adapter's product enters with weight 2 whatever the rank.

    Parameters
    ----------
    model : PreTrainedModel
        The base model, changed in place.
    recipe : Recipe
        With rank, α, names of the layers that carry one, and the seed of their initialisation.

    Returns
    -------
    PeftModel, LoraRecord
        The model to train, and what ``training.json`` says about it.

    Raises
    ------
    ModelError
        If peft is not installed, or the model has no linear layer.
    UsageError
        If a layer is named that the model does not have.
    """
    assert recipe.lora is not None
    rank = recipe.lora
    alpha = 2.0 * rank if recipe.lora_alpha is None else recipe.lora_alpha
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ModelError("low-rank adapters need peft: pip install peft") from error
    layers = _linear_layers(model)
    if recipe.lora_targets:
        layers = _named_layers(layers, recipe.lora_targets)
    if not layers:
        raise ModelError(f"{type(model).__name__} has no linear layer that could carry an adapter")
    config = LoraConfig(
        r=rank,
        # PEFT divides by the rank, whole or not.
        lora_alpha=alpha,  # type: ignore[arg-type]
        lora_dropout=0.0,
        target_modules=sorted(layers),
        # GPT-2's Conv1D keeps its weight the other way round.
        fan_in_fan_out="Conv1D" in layers.values(),
    )
    with torch.random.fork_rng(), warnings.catch_warnings():
        # peft asks transformers for an attribute that transformers has renamed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing")
        torch.manual_seed(recipe.seed)
        adapted = get_peft_model(model, config)
    targets = tuple(sorted({name.rsplit(".", 1)[-1] for name in layers}))
    return adapted, LoraRecord(rank=rank, alpha=alpha, targets=targets)


def _named_layers(layers: dict[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Layers whose last name, or whole name, is wanted."""
    known = {name.rsplit(".", 1)[-1] for name in layers}
    for name in wanted:
        if name not in known and name not in layers:
            raise UsageError(
                f"no linear layer is called '{name}'; there are {', '.join(sorted(known))}"
            )
    return {
        name: kind
        for name, kind in layers.items()
        if name in wanted or name.rsplit(".", 1)[-1] in wanted
    }


def choose_trained(model: Any, recipe: Recipe) -> None:
    """Freeze what a recipe without adapters leaves as it is.

    Biases alone are trained as in BiTFiT (Ben Zaken et al. 2022): every parameter called ``bias``.
    A pattern freezes the parameters in whose name it is found.

    Raises
    ------
    UsageError
        If a pattern is found in no name.
    ModelError
        If nothing is left to train.
    """
    names = [name for name, _ in model.named_parameters()]
    for pattern in recipe.freeze:
        if not any(re.search(pattern, name) for name in names):
            raise UsageError(f"freeze '{pattern}' is found in no parameter, such as '{names[0]}'")
    trained = 0
    for name, parameter in model.named_parameters():
        wanted = recipe.train_parameters == "all" or name.rsplit(".", 1)[-1] == "bias"
        if not wanted or any(re.search(pattern, name) for pattern in recipe.freeze):
            parameter.requires_grad_(False)
        trained += parameter.requires_grad
    if not trained:
        what = "no bias" if recipe.train_parameters == "bias" else "nothing"
        raise ModelError(f"{type(model).__name__} has {what} that could be trained")


def check_rank(model: Any, rank: int) -> None:
    """Raise unless some layer could have this rank; one that has not would only cost memory.

    Raises
    ------
    UsageError
        If the rank is above that of every linear layer.
    """
    widest = max((_rank(model.get_submodule(name)) for name in _linear_layers(model)), default=0)
    if rank > widest > 0:
        raise UsageError(f"LoRA rank {rank} is above {widest}, the rank of the widest layer itself")


def _rank(layer: Any) -> int:
    """Largest rank that a layer's weight can have; in 4 bits its shape is that of packed bytes."""
    if hasattr(layer, "in_features"):
        return min(int(layer.in_features), int(layer.out_features))
    return min(int(size) for size in layer.weight.shape)


def _linear_layers(model: Any) -> dict[str, str]:
    """Full name and kind of the layers inside the encoder or decoder stack.

    Projections of a table of positions that all rows share have no gradient per record.
    """
    head = model.get_output_embeddings()
    body = model.base_model
    inside = {id(module) for module in body.modules()}
    return {
        name: type(module).__name__
        for name, module in model.named_modules()
        if type(module).__name__ in _LINEAR
        and module is not head
        and id(module) in inside
        and name.rsplit(".", 1)[-1] not in _SHARED
    }
