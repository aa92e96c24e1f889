"""PEFT adapters: which base they belong to, and merging them into it without rounding."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import torch

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.keys import KeyReport
from fairaudit.scoring.checkpoints.local import ADAPTER_CONFIG
from fairaudit.scoring.checkpoints.place import (
    Place,
    load_error,
    locate,
)
from fairaudit.scoring.checkpoints.weights import quantization

#: Tokens on which an adapter and its merged model must agree, and how closely, in fp32.
_PROBED: Final = 8
_TOLERANCE: Final = 1e-3


def base_of(place: Place, before: tuple[Place, ...] = ()) -> tuple[Place, str | None]:
    """Find the base model that an adapter names, and the revision that it names.

    Parameters
    ----------
    place : Place
        An adapter.
    before : tuple of Place
        Adapters that were put on top of it.

    Raises
    ------
    ModelError
        If it names none or one that cannot be found, or adapters name each other in a circle.
    """
    settings = place.read_json(ADAPTER_CONFIG)
    name, revision = settings.get("base_model_name_or_path"), settings.get("revision")
    if not name:
        raise ModelError(f"{place.name}: {ADAPTER_CONFIG} names no base model")
    try:
        base = locate(
            str(name), revision=revision or None, trust_remote_code=place.trust_remote_code
        )
    except ModelError as error:
        raise ModelError(f"{place.name}, base model of this adapter: {error}") from error
    if base in (place, *before):
        raise ModelError(f"{place.name}: the adapter is its own base model, by {ADAPTER_CONFIG}")
    return base, revision or None


def with_adapter(place: Place, folder: Path, base: Any) -> Any:
    """Put an adapter into its base model.

    The base is in fp32, and so are the product of the adapter's matrices and the sum; nothing of a
    small update is rounded away. A quantised base keeps its weights, and the adapter stands beside
    them.

    Parameters
    ----------
    place : Place
        The adapter.
    folder : Path
        Where its files lie, from `adapter_folder`.
    base : PreTrainedModel
        Its base, changed in place.

    Returns
    -------
    PreTrainedModel
        The base with merged weights, trainable where the base was.

    Raises
    ------
    ModelError
        If peft is not there, a weight of the adapter has no place or is missing, or merging would
        change what the adapter computes.
    """
    try:
        import peft
    except ImportError as error:
        raise ModelError(f"{place.name} is a PEFT adapter: pip install peft") from error
    trainable = [name for name, weight in base.named_parameters() if weight.requires_grad]
    with warnings.catch_warnings():
        # What peft warns of (missing keys) is an error here.
        warnings.simplefilter("ignore")
        try:
            adapted = peft.PeftModel.from_pretrained(base, str(folder)).eval()
        except Exception as error:
            raise load_error(place.name, "adapter", error) from error
        _check_mergeable(adapted, place.name)
        _check_keys(adapted, str(folder), place.name)
        merged = _merged(adapted, place.name, keep=quantization(base.config) is not None)
    for name in trainable:
        merged.get_parameter(name).requires_grad_(True)
    return merged


def _check_mergeable(adapted: Any, name: str) -> None:
    config = adapted.active_peft_config
    if config.is_prompt_learning:
        raise ModelError(
            f"{name}: a {config.peft_type.value} adapter changes no weights and cannot be merged"
        )


def _check_keys(adapted: Any, folder: str, name: str) -> None:
    """Compare the keys of the adapter's file with those that its config asks for."""
    from peft import get_peft_model_state_dict, load_peft_weights, set_peft_model_state_dict

    weights = adapted.state_dict(keep_vars=True)
    # Loading a second time changes nothing, and says of every key what became of it.
    report: Any = set_peft_model_state_dict(adapted, load_peft_weights(folder, device="cpu"))
    own = get_peft_model_state_dict(adapted, state_dict=weights, save_embedding_layers=False)
    wanted = {id(weight) for weight in own.values()}
    missing = [key for key in report.missing_keys if id(weights[key]) in wanted]
    KeyReport(missing, report.unexpected_keys).check(
        name,
        "do the adapter's weights, its adapter_config.json and the base model belong together?",
    )


def _merged(adapted: Any, name: str, *, keep: bool) -> Any:
    """Merge an adapter, or ``keep`` it beside the base's weights; check that scores stay."""
    ids = _probe(adapted)
    wanted = _logits(adapted, ids)
    try:
        merged = adapted.get_base_model() if keep else adapted.merge_and_unload(safe_merge=True)
    except Exception as error:
        raise load_error(name, "adapter", error) from error
    distance = float((_logits(merged, ids) - wanted).abs().max())
    if not distance <= _TOLERANCE * (1.0 + float(wanted.abs().max())):
        raise ModelError(
            f"{name}: merged into its base, the adapter gives other scores (logits differ by "
            f"{distance:.2g}); it may change a weight that two layers share; merge it with the "
            "program that trained it and name the whole model"
        )
    return merged


def _probe(model: Any) -> torch.Tensor:
    embedding = model.get_input_embeddings().weight
    rows = int(embedding.shape[0])
    return torch.arange(1, _PROBED + 1, device=embedding.device)[None] * 7919 % rows


@torch.no_grad()
def _logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    logits: torch.Tensor = model(input_ids=ids).logits.float()
    return logits
