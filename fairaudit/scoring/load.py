"""Loading a checkpoint, and refusing one whose scores could not be trusted.

Safetensors only, no remote code unless asked, no silently initialised head, no NaN weights, no
tokenizer with ids beyond the embedding. What passes is fingerprinted by content.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import transformers

from fairaudit.errors import ModelError, UsageError
from fairaudit.results import ModelIdentity

Kind = Literal["causal", "masked"]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "vocab.txt", "tokenizer.model", "spiece.model")
_VOLATILE = {"_name_or_path", "transformers_version", "dtype", "torch_dtype", "use_cache"}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to be scored, and what identifies it.

    ``storable``: whether its fingerprint tells all there is to know. A model in memory may carry
    hooks or switched-off adapters, remote code may change; what they score is never stored.
    """

    model: Any
    tokenizer: Any
    kind: Kind
    identity: ModelIdentity
    device: str
    dtype: str
    max_length: int | None
    vocabulary_size: int
    folder: Path | None
    storable: bool


def load_model(
    source: str | os.PathLike[str] | tuple[Any, Any],
    *,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    trust_remote_code: bool = False,
) -> LoadedModel:
    """Load a checkpoint and check it.

    Parameters
    ----------
    source : str, path or (model, tokenizer)
        A local folder, a PEFT adapter folder, a Hub id, or a model already in memory, which is
        used as it is.
    device : str
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``, ...
    dtype : str
        ``auto`` (float32), ``float32``, ``bfloat16`` or ``float16``; sums are in fp32 in any case.
    revision : str or None
        Branch, tag or commit of a Hub model.
    trust_remote_code : bool
        Run code that comes with the checkpoint.

    Raises
    ------
    ModelError
        In one line: what is wrong with the checkpoint and what to do.
    """
    target = choose_device(device)
    if isinstance(source, tuple):
        model, tokenizer = source
        name, folder = str(getattr(model, "name_or_path", "") or type(model).__name__), None
    else:
        name = os.fspath(source)
        folder = checkpoint_folder(name)
        options = {"revision": revision, "trust_remote_code": trust_remote_code}
        tokenizer = load_tokenizer(name, options)
        model = _load_weights(name, folder, options)
        name = folder.resolve().name if folder is not None else name
    check_finite(model)
    check_vocabulary(model, tokenizer)
    kind = _kind(model.config, tokenizer)
    identity = ModelIdentity(
        id=name,
        revision=revision,
        fingerprint=fingerprint(model, tokenizer),
        architecture=type(model).__name__,
        n_parameters=sum(parameter.numel() for parameter in model.parameters()),
    )
    if not isinstance(source, tuple):
        model = model.to(device=target, dtype=_dtype(dtype))
    return LoadedModel(
        model=model.eval(),
        tokenizer=tokenizer,
        kind=kind,
        identity=identity,
        device=next(model.parameters()).device.type,
        dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
        max_length=longest_row(model, tokenizer),
        vocabulary_size=model.get_input_embeddings().num_embeddings,
        folder=folder,
        storable=not isinstance(source, tuple) and not trust_remote_code,
    )


def fingerprint(model: Any, tokenizer: Any) -> str:
    """SHA-256 of weights, config and tokenizer: equal for equal models wherever they lie.

    Weights enter by value (as fp32), so storing the same numbers in a wider type or in other
    shards changes nothing.
    """
    digest = hashlib.sha256()
    for name, parameter in sorted(model.named_parameters()):
        digest.update(f"{name}{tuple(parameter.shape)}".encode())
        digest.update(parameter.detach().float().cpu().contiguous().numpy().tobytes())
    config = {k: v for k, v in model.config.to_dict().items() if k not in _VOLATILE}
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    digest.update(_tokenizer_text(tokenizer).encode())
    return digest.hexdigest()


def _tokenizer_text(tokenizer: Any) -> str:
    """Text form of a tokenizer, without the truncation and padding that a user may have set."""
    if not tokenizer.is_fast:
        return json.dumps(tokenizer.get_vocab(), sort_keys=True)
    content = json.loads(tokenizer.backend_tokenizer.to_str())
    return json.dumps({**content, "truncation": None, "padding": None}, sort_keys=True)


def choose_device(device: str) -> torch.device:
    """Return the device of that name; ``auto`` is a GPU if there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise UsageError(f"'{device}' is not a device; use auto, cpu, cuda or cuda:N") from error
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise UsageError("no CUDA device is available; use --device cpu")
    return chosen


def _dtype(dtype: str) -> torch.dtype:
    if dtype == "auto":
        return torch.float32
    if dtype not in DTYPES:
        raise UsageError(f"'{dtype}' is not a dtype; use auto, {', '.join(DTYPES)}")
    return DTYPES[dtype]


def checkpoint_folder(name: str) -> Path | None:
    """Return the local folder, or None for a Hub id; complain about what is neither."""
    path = Path(name)
    if path.is_dir():
        _check_folder(path)
        return path
    if path.exists():
        raise ModelError(f"{name} is a file; name the checkpoint's folder")
    if not _HUB_ID.fullmatch(name):
        raise ModelError(f"{name}: no such folder")
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        _check_cached(name)
    return None


def _check_cached(name: str) -> None:
    """Offline, a Hub model can still lie in the Hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    found = any(
        isinstance(try_to_load_from_cache(name, file), str)
        for file in ("config.json", "adapter_config.json")
    )
    if not found:
        raise ModelError(f"{name}: no such folder, and the Hub cannot be asked while offline")


def _check_folder(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    if not files & {"config.json", "adapter_config.json"}:
        raise ModelError(f"{folder}: no config.json; is it a checkpoint in Hugging Face form?")
    if not any(name.endswith(".safetensors") for name in files):
        pickles = sorted(name for name in files if name.endswith((".bin", ".pt", ".pth", ".ckpt")))
        if pickles:
            raise ModelError(
                f"{folder}: only pickle weights ({pickles[0]}), which can run code when loaded; "
                "save the model with safe_serialization first"
            )
        raise ModelError(f"{folder}: no weights (*.safetensors)")
    if not files & set(_TOKENIZER_FILES):
        raise ModelError(f"{folder}: no tokenizer; save it there with tokenizer.save_pretrained")


def load_tokenizer(name: str, options: dict[str, Any]) -> Any:
    """Load a tokenizer; a `ModelError` in one line where that fails."""
    try:
        return transformers.AutoTokenizer.from_pretrained(name, **options)
    except Exception as error:
        raise load_error(name, "tokenizer", error) from error


def _load_weights(name: str, folder: Path | None, options: dict[str, Any]) -> Any:
    if folder is not None and (folder / "adapter_config.json").exists():
        return _load_adapter(folder, options)
    try:
        config = transformers.AutoConfig.from_pretrained(name, **options)
        kind = _kind(config, None)
        auto = {
            "causal": transformers.AutoModelForCausalLM,
            "masked": transformers.AutoModelForMaskedLM,
        }[kind]
        model, report = auto.from_pretrained(
            name,
            config=config,
            dtype="auto",
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    except ModelError:
        raise
    except Exception as error:
        raise load_error(name, "model", error) from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"{name}: {len(missing)} weights are missing from the checkpoint and would be random "
            f"(first: {missing[0]}); was it saved without its language-model head?"
        )
    return model


def _load_adapter(folder: Path, options: dict[str, Any]) -> Any:
    """Load the base model named by a PEFT adapter and merge the adapter into it."""
    try:
        from peft import PeftConfig, PeftModel
    except ImportError as error:
        raise ModelError(f"{folder} is a PEFT adapter: pip install peft") from error
    try:
        base = PeftConfig.from_pretrained(str(folder)).base_model_name_or_path
    except Exception as error:
        raise load_error(str(folder), "adapter", error) from error
    if not base:
        raise ModelError(f"{folder}: adapter_config.json names no base model")
    base_options = {**options, "revision": None}
    model = _load_weights(str(base), checkpoint_folder(str(base)), base_options)
    try:
        return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    except Exception as error:
        raise load_error(str(folder), "adapter", error) from error


def load_error(name: str, part: str, error: Exception) -> ModelError:
    """Say in one line what of a checkpoint cannot be loaded."""
    if "trust_remote_code" in str(error):
        return ModelError(
            f"{name}: the {part} needs code that comes with the checkpoint; read that code, then "
            "allow it with --trust-remote-code"
        )
    first_line = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return ModelError(f"{name}: the {part} cannot be loaded ({first_line[:300]})")


def _kind(config: Any, tokenizer: Any) -> Kind:
    """Masked or causal, from the architecture that the checkpoint names."""
    names = config.architectures or []
    if any(name.endswith("ForMaskedLM") for name in names):
        if tokenizer is not None and tokenizer.mask_token_id is None:
            raise ModelError("the tokenizer of this masked model has no mask token")
        return "masked"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names):
        return "causal"
    named = ", ".join(names) or "none"
    raise ModelError(
        f"architecture {named} is neither a causal nor a masked language model with a head"
    )


def check_finite(model: Any) -> None:
    """Refuse weights that hold NaN or infinity."""
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise ModelError(f"the weights contain NaN or infinity (first in {name})")


def check_vocabulary(model: Any, tokenizer: Any) -> None:
    """Refuse a tokenizer with ids beyond the rows of the embedding."""
    rows = model.get_input_embeddings().num_embeddings
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if largest >= rows:
        raise ModelError(
            f"the tokenizer has ids up to {largest}, the model's embedding only {rows} rows; "
            "they do not belong together"
        )


def longest_row(model: Any, tokenizer: Any) -> int | None:
    """Longest row: the model's positions and the tokenizer's own limit, where they are stated."""
    limits = []
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions is not None:
        limits.append(int(positions) - _reserved_positions(model))
    if tokenizer.model_max_length < 10**9:
        limits.append(int(tokenizer.model_max_length))
    return min(limits, default=None)


def _reserved_positions(model: Any) -> int:
    """RoBERTa counts positions from ``padding_idx + 1``, so the first rows are never used."""
    for name, module in model.named_modules():
        if name.endswith("embeddings.position_embeddings"):
            padding = getattr(module, "padding_idx", None)
            return 0 if padding is None else padding + 1
    return 0
