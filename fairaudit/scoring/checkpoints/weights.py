"""Loading the weights of a whole model, and at which precision."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
import transformers

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.keys import check_keys
from fairaudit.scoring.checkpoints.parallel import part
from fairaudit.scoring.checkpoints.place import Place, load_error, stored_types, weight_files
from fairaudit.scoring.checkpoints.spread import check_copy

#: Number types that a file can hold throughout and that a model can be kept in.
_NARROW: Final = {"BF16": torch.bfloat16, "F16": torch.float16}
#: Flag of a bitsandbytes layer: whether it repacks its weights when it first runs on a CPU.
_REPACKS: Final = "support_avx512bf16_for_cpu"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a model is to run, and in which precision; None: in that of its kind.

    ``split``: whether each process of the run takes a part of every layer. ``mapped``: whether
    weights stay in their file, until they are moved.
    """

    device: torch.device
    dtype: torch.dtype | None = None
    split: bool = False
    mapped: bool = False


def load_weights(
    place: Place, auto: Any, config: Any, target: Target, *, dtype: torch.dtype | None
) -> tuple[Any, tuple[str, ...]]:
    """Load a model whose every weight comes from its file.

    Parameters
    ----------
    place : Place
        A whole model.
    auto : type
        The auto class of `transformers` for its task.
    config : PreTrainedConfig
        Its config.
    target : Target
        Device and precision of a quantised model; others are read on the CPU.
    dtype : dtype or None
        Precision in which a model that is not quantised is read; None: that of its file.

    Returns
    -------
    model, notes
        The model, and what to tell about its file.

    Raises
    ------
    ModelError
        If the file cannot be read, or holds other weights than the model.
    """
    files = weight_files(place, config)
    try:
        model, report = auto.from_pretrained(
            place.name,
            config=config,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **_precision(config, files, target, dtype),
            **_whole_files(config),
            **({"tp_plan": "auto"} if target.split else {}),
            **place.options,
        )
    except Exception as error:
        raise load_error(place.name, _part(config), error) from error
    notes = check_keys(model, report, place.name)
    _check_read(model, place.name)
    if quantization(model.config) is not None:
        _keep_blocks(model)
    elif not target.mapped:
        own(model)
    return model, notes


def _keep_blocks(model: Any) -> None:
    """Leave 4-bit blocks of bitsandbytes as their file has them.

    On CPUs with AVX-512 BF16 the first forward pass would repack them in place for a kernel that
    rounds to bfloat16, and reading the weights after it (a fingerprint, an adapter) would leave
    other weights behind (seen in bitsandbytes 0.50).
    """
    for module in model.modules():
        if hasattr(module, _REPACKS):
            setattr(module, _REPACKS, False)


def _check_read(model: Any, name: str) -> None:
    """Refuse a method that `transformers` passes over: the blocks would be read as weights."""
    stored = quantization(model.config)
    if stored is not None and getattr(model, "hf_quantizer", None) is None:
        raise ModelError(
            f"{name}: quantised by {stored}, which this version of transformers does not know; if "
            "the weights are plain numbers, remove quantization_config from config.json"
        )


def _whole_files(config: Any) -> dict[str, Any]:
    """Ask for the blocks of a quantised model to be read, not mapped into memory.

    They keep scales and views of themselves beside the parameters, so they cannot be copied out of
    their file afterwards, as `own` does for plain weights. Versions of `transformers` without the
    option leave them mapped.
    """
    known = inspect.signature(transformers.PreTrainedModel.from_pretrained).parameters
    return {"disable_mmap": True} if quantization(config) and "disable_mmap" in known else {}


def own(model: Any) -> None:
    """Copy weights out of their file, which stays mapped into memory after loading.

    Whoever overwrites the file would change the model under its fingerprint. What accelerate has
    put on a GPU or on the disk is a copy already.

    Raises
    ------
    ModelError
        If main memory cannot hold them.
    """
    check_copy(model)
    for tensor in (*model.parameters(), *model.buffers()):
        if tensor.device.type == "cpu":
            mine = part(tensor)
            mine.data = mine.data.clone()


def _precision(
    config: Any, files: Iterable[Path], target: Target, dtype: torch.dtype | None
) -> dict[str, Any]:
    if quantization(config) is not None:
        return {"dtype": target.dtype or "auto", "device_map": {"": target.device}}
    return {"dtype": dtype or stored_dtype(files)}


def stored_dtype(files: Iterable[Path]) -> torch.dtype:
    """Return the narrowest precision that rounds no weight of a checkpoint.

    The config may name a narrower one than its files have.
    """
    types = stored_types(files)
    same = types.pop() if len(types) == 1 else ""
    return _NARROW.get(same, torch.float32)


def _part(config: Any) -> str:
    stored = quantization(config)
    return "model" if stored is None else f"model, quantised by {stored},"


def quantization(config: Any) -> str | None:
    """Name how a checkpoint is quantised: method and bits; None if it is not.

    >>> from types import SimpleNamespace as Config
    >>> quantization(Config(quantization_config={"quant_method": "bitsandbytes",
    ...     "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}))
    'bitsandbytes 4 bit nf4'
    """
    stored = getattr(config, "quantization_config", None)
    if stored is None:
        return None
    settings = stored if isinstance(stored, dict) else stored.to_dict()
    method = settings.get("quant_method", "an unnamed method")
    parts = [str(getattr(method, "value", method))]
    bits = _bits(settings)
    if bits:
        parts.append(f"{bits} bit")
    if settings.get("load_in_4bit"):
        parts.append(str(settings.get("bnb_4bit_quant_type", "")))
    return " ".join(filter(None, parts))


def _bits(settings: Mapping[str, Any]) -> str:
    """Bits of a weight, as the methods write them; several where groups of layers differ."""
    if settings.get("load_in_4bit"):
        return "4"
    if settings.get("load_in_8bit"):
        return "8"
    if settings.get("bits"):
        return str(settings["bits"])
    groups = settings.get("config_groups")
    schemes = [(one.get("weights") or {}) for one in groups.values()] if groups else []
    return " and ".join(str(n) for n in sorted({s["num_bits"] for s in schemes if "num_bits" in s}))


def storage(quantised: str | None, files: Iterable[Path]) -> str:
    """Name how safetensors files store a model: ``safetensors BF16``, with the method of blocks."""
    types = " ".join(sorted(stored_types(files)))
    return f"safetensors {types}" + ("" if quantised is None else f", {quantised}")


def cast(model: Any, dtype: torch.dtype) -> None:
    """Round weights to a precision, once and in place.

    As when a model is loaded in that precision, buffers that are computed from the config (the
    angles of rotary positions) stay as they are, and so do weights that its class keeps in fp32.
    """
    kept = _kept_in_fp32(model, dtype)
    stored = model.state_dict(keep_vars=True)
    for name, tensor in stored.items():
        if tensor.is_floating_point() and (kept is None or not kept.search(name)):
            tensor.data = tensor.data.to(dtype)
    model.config.dtype = dtype


def _kept_in_fp32(model: Any, dtype: torch.dtype) -> re.Pattern[str] | None:
    names = set(getattr(model, "_keep_in_fp32_modules_strict", None) or ())
    if dtype == torch.float16:
        names |= set(getattr(model, "_keep_in_fp32_modules", None) or ())
    if dtype == torch.float32 or not names:
        return None
    return re.compile("|".join(rf"((^|\.){name}($|\.))" for name in sorted(names)))


def check_not_quantised(model: Any, name: str, purpose: str) -> None:
    """Refuse a quantised model where gradients of its weights are wanted.

    Parameters
    ----------
    model : PreTrainedModel
        As loaded.
    name, purpose : str
        What the message calls it, and what needs the weights.

    Raises
    ------
    ModelError
        If it is quantised.
    """
    stored = quantization(model.config)
    if stored is not None:
        raise ModelError(f"{name} is quantised ({stored}); {purpose} needs its full weights")
