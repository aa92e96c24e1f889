"""Loading a model, and refusing one whose scores could not be trusted.

Safetensors and GGUF only, no remote code unless asked, every weight from its file and every weight
of the file used, no NaN. Adapters are merged into their base in fp32. What passes is fingerprinted
by content.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
import transformers

from fairaudit.errors import ModelError, UsageError
from fairaudit.ranks import ranks
from fairaudit.results import AdapterOrigin, ModelIdentity
from fairaudit.scoring.borrowed import borrowed_name, warn_if_slow
from fairaudit.scoring.causality import kind_of_causal
from fairaudit.scoring.checkpoints.adapters import base_of, with_adapter
from fairaudit.scoring.checkpoints.gguf import load_gguf, read_content
from fairaudit.scoring.checkpoints.identity import check_finite, fingerprint
from fairaudit.scoring.checkpoints.limits import check_ids, longest_row
from fairaudit.scoring.checkpoints.parallel import check_launched, check_plan, check_split
from fairaudit.scoring.checkpoints.parallel import note as split_note
from fairaudit.scoring.checkpoints.place import (
    Place,
    adapter_folder,
    load_config,
    load_tokenizer,
    locate,
    weight_files,
)
from fairaudit.scoring.checkpoints.spread import check_room, devices_of, spread
from fairaudit.scoring.checkpoints.text_tower import has_text_tower, text_tower
from fairaudit.scoring.checkpoints.wanted import (
    DTYPE_NAMES,
    check_map,
    check_wanted,
    read_memory,
)
from fairaudit.scoring.checkpoints.weights import (
    Target,
    cast,
    load_weights,
    own,
    quantization,
    storage,
)

__all__ = ["LoadedModel", "choose_device", "fingerprint", "load_model"]

Kind = Literal["causal", "masked"]
_AUTO = {
    "causal": transformers.AutoModelForCausalLM,
    "masked": transformers.AutoModelForMaskedLM,
}
DTYPES: dict[str, torch.dtype] = {name: getattr(torch, name) for name in DTYPE_NAMES}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to be scored, and what identifies it.

    Parameters
    ----------
    model, tokenizer : object
        As `transformers` has them, the model in evaluation.
    kind : {"causal", "masked"}
        What it predicts.
    identity : ModelIdentity
        Name, fingerprint and how it is stored.
    device, dtype : str
        Where it is computed, and in which precision.
    max_length : int or None
        Longest row that it takes; None: no limit.
    vocabulary_size : int
        Rows of its embedding.
    folder : Path or None
        Where its files lie; None: in memory alone.
    storable : bool
        Whether its fingerprint tells all there is to know. A model in memory may carry hooks or
        switched-off adapters, remote code may change; what they score is never stored.
    notes : tuple of str
        What a result must say about how it was loaded.
    unrounded : callable or None
        Reads the model again as its file has it, where weights were rounded to a lower precision.
    parts : int
        Processes that each hold a part of its layers.
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
    notes: tuple[str, ...] = ()
    unrounded: Callable[[], Any] | None = None
    parts: int = 1

    @property
    def pad_id(self) -> int:
        """Token on places that are masked out; the tokenizer's own, where the model has it."""
        known = (self.tokenizer.pad_token_id, self.tokenizer.eos_token_id, 0)
        return next(
            int(token) for token in known if token is not None and 0 <= token < self.vocabulary_size
        )

    def check_ids(self, ids: Iterable[int]) -> None:
        """Refuse tokens of a text that the model has no row for.

        Raises
        ------
        ModelError
            If an id is beyond the embedding.
        """
        check_ids(ids, self.vocabulary_size)


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """A model as its files give it, before it is rounded and moved."""

    model: Any
    tokenizer: Any
    name: str
    adapter: AdapterOrigin | None = None
    notes: tuple[str, ...] = ()
    #: How its file stores the weights; None: they were in memory.
    stored_as: str | None = None
    #: How the weights were quantised before they were unpacked.
    unpacked: str | None = None


def load_model(
    source: str | os.PathLike[str] | tuple[Any, Any],
    *,
    device: str = "auto",
    dtype: str = "auto",
    revision: str | None = None,
    trust_remote_code: bool = False,
    gguf_file: str | None = None,
    device_map: str | None = None,
    max_memory: str | None = None,
    tensor_parallel: bool = False,
) -> LoadedModel:
    """Load a checkpoint and check it.

    Parameters
    ----------
    source : str, path or (model, tokenizer)
        A local folder, a GGUF file, a PEFT adapter folder, a Hub id, or a model already in memory,
        which is used as it is.
    device : str
        ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``, ...
    dtype : str
        ``auto`` (float32), ``float32``, ``bfloat16`` or ``float16``; sums are in fp32 in any case.
        A quantised checkpoint stays quantised; ``auto`` then keeps the precision of its other
        weights.
    revision : str or None
        Branch, tag or commit of a Hub model.
    trust_remote_code : bool
        Run code that comes with the checkpoint.
    gguf_file : str or None
        Which GGUF file of a folder or Hub model is meant.
    device_map : str or None
        How to spread a model that fits no single device: ``auto``, ``balanced``,
        ``balanced_low_0`` or ``sequential``.
    max_memory : str or None
        What each device may hold of it, as ``0=20GiB,cpu=64GiB``; None: what is free.
    tensor_parallel : bool
        Whether each process of this run takes a part of every layer.

    Returns
    -------
    LoadedModel
        Model and tokenizer, in evaluation, with kind, identity and what had to be noted.

    Raises
    ------
    ModelError
        In one line: what is wrong with the checkpoint and what to do.
    """
    ranks().one_model = tensor_parallel
    target = Target(
        choose_device(device), _dtype(dtype), split=tensor_parallel, mapped=device_map is not None
    )
    memory = None if max_memory is None else read_memory(max_memory)
    if device_map is not None:
        _check_spread(device_map, source)
    if tensor_parallel:
        check_launched(source)
    place, unrounded = None, None
    if isinstance(source, tuple):
        read = _in_memory(*source)
    else:
        place = locate(
            source,
            revision=revision,
            trust_remote_code=trust_remote_code,
            gguf_file=gguf_file,
        )
        read = _read(place, target)
    check_finite(read.model)
    if tensor_parallel:
        check_split(read.model, read.name, quantization(read.model.config))
    kind = _kind(read.model.config, read.tokenizer, type(read.model).__name__)
    identity = _identity(read, revision)
    if place is not None and quantization(read.model.config) is None:
        unrounded = _reader(place, read.model, target, identity.fingerprint)
        if target.split:
            read = _rounded(place, read, target)
        else:
            device_of_all = torch.device("cpu") if target.mapped else target.device
            check_room(read.model, device_of_all, target.dtype or torch.float32)
            cast(read.model, target.dtype or torch.float32)
            read.model.to(device=device_of_all)
    model = read.model.eval() if device_map is None else _spread(read, device_map, memory)
    limit, notes = longest_row(model, read.tokenizer), read.notes
    notes += (split_note(read.name),) if tensor_parallel else ()
    if kind == "causal":
        kind, found = kind_of_causal(model, read.tokenizer, limit)
        notes += found
    return LoadedModel(
        model=model,
        tokenizer=read.tokenizer,
        kind=kind,
        identity=identity,
        device=devices_of(model),
        dtype=_precision(model),
        max_length=limit,
        vocabulary_size=model.get_input_embeddings().num_embeddings,
        # What lies beside a GGUF file need not be about it.
        folder=None if place is None or place.gguf is not None else place.folder,
        storable=place is not None and not trust_remote_code,
        parts=ranks().size if tensor_parallel else 1,
        notes=notes,
        unrounded=unrounded,
    )


def _check_spread(device_map: str, source: object) -> None:
    check_map(device_map)
    if isinstance(source, tuple):
        raise UsageError("a model in memory stays where it is; leave out the device map")


def _spread(read: _Checkpoint, device_map: str, memory: Mapping[int | str, int] | None) -> Any:
    if quantization(read.model.config) is not None:
        raise ModelError(f"{read.name}: a quantised model is not spread; leave out --device-map")
    model = spread(read.model.eval(), device_map, memory)
    # What is on no disk is still mapped from the file.
    own(model)
    return model


def _reader(
    place: Place, model: Any, target: Target, known: str | None
) -> Callable[[], Any] | None:
    """Return what reads a model again in fp32, if it is about to be rounded."""
    wanted = target.dtype or torch.float32
    is_same = all(weight.dtype == wanted for weight in model.parameters())
    if wanted == torch.float32 or (is_same and not target.split):
        return None
    exact = replace(target, device=torch.device("cpu"), dtype=torch.float32)

    def again() -> Any:
        found = _read(place, exact)
        check_unchanged(place.name, known, fingerprint(found.model, found.tokenizer))
        return found.model

    return again


def _rounded(place: Place, read: _Checkpoint, target: Target) -> _Checkpoint:
    """Read a split model anew in the precision that is wanted: parts cannot be cast in place."""
    wanted = target.dtype or torch.float32
    if all(weight.dtype == wanted for weight in read.model.parameters()):
        return read
    return replace(_read_whole(place, read.tokenizer, target, dtype=wanted), notes=read.notes)


def check_unchanged(name: str, before: str | None, now: str | None) -> None:
    """Refuse a checkpoint whose files were overwritten since it was read.

    Parameters
    ----------
    name : str
        What the message calls the checkpoint.
    before, now : str or None
        Fingerprints of its files.

    Raises
    ------
    ModelError
        If the fingerprints differ.
    """
    if before != now:
        raise ModelError(
            f"{name} was changed while it was in use; put the files back, or start again with the "
            "new ones"
        )


def _in_memory(model: Any, tokenizer: Any) -> _Checkpoint:
    warn_if_slow(model)
    name = borrowed_name(model)
    notes: tuple[str, ...] = ()
    if has_text_tower(model.config):
        model, notes = text_tower(model, name)
    return _Checkpoint(model, tokenizer, name, notes=notes)


def _read(place: Place, target: Target) -> _Checkpoint:
    """Read a checkpoint; a whole model that is to be rounded is read as its file has it."""
    if place.is_adapter:
        # An adapter is merged into weights of its own, in one piece.
        return _read_adapter(place, (), replace(target, split=False, mapped=False))
    if place.gguf is not None:
        return _read_gguf(place)
    tokenizer = load_tokenizer(place)
    exact = target.dtype in (None, torch.float32) and not target.mapped
    return _read_whole(place, tokenizer, target, dtype=torch.float32 if exact else None)


def _read_whole(
    place: Place, tokenizer: Any, target: Target, *, dtype: torch.dtype | None
) -> _Checkpoint:
    config = load_config(place)
    if target.split:
        check_plan(config, place.name)
    of_text = _AUTO[_kind(config, None)]
    auto = transformers.AutoModelForImageTextToText if has_text_tower(config) else of_text
    # Loading may unpack the blocks, and then the config no longer names them.
    quantised = quantization(config)
    model, notes = load_weights(place, auto, config, target, dtype=dtype)
    if has_text_tower(config):
        model, found = text_tower(model, place.id)
        notes += found
    stored = storage(quantised, weight_files(place, config))
    unpacked = quantised if quantization(model.config) is None else None
    if unpacked is not None:
        notes += (f"{place.id}: {unpacked} was unpacked to plain weights to run on this device",)
    return _Checkpoint(model, tokenizer, place.id, notes=notes, stored_as=stored, unpacked=unpacked)


def _read_gguf(place: Place) -> _Checkpoint:
    # First, because a damaged file makes whatever reads it next fail in a way of its own.
    content = read_content(place)
    config, tokenizer = load_config(place), load_tokenizer(place)
    model, notes = load_gguf(place, _AUTO[_kind(config, None)], config, content)
    return _Checkpoint(
        model,
        tokenizer,
        place.id,
        notes=notes,
        stored_as=str(content),
        unpacked=str(content) if content.is_quantised else None,
    )


def _read_adapter(place: Place, before: tuple[Place, ...], target: Target) -> _Checkpoint:
    """Read an adapter into its base, which may be an adapter again."""
    folder = adapter_folder(place)
    base_place, revision = base_of(place, before)
    if base_place.is_adapter:
        base = _read_adapter(base_place, (*before, place), target)
    elif base_place.gguf is not None:
        base = _read_gguf(base_place)
    else:
        tokenizer = load_tokenizer(base_place) if base_place.has_tokenizer else None
        base = _read_whole(base_place, tokenizer, target, dtype=torch.float32)
    known = None if base.tokenizer is None else fingerprint(base.model, base.tokenizer)
    tokenizer = load_tokenizer(place) if place.has_tokenizer else base.tokenizer
    if tokenizer is None:
        raise ModelError(
            f"{place.name}: neither the adapter nor its base has a tokenizer; save it beside the "
            "adapter with tokenizer.save_pretrained"
        )
    origin = AdapterOrigin(
        base=base_place.name,
        base_revision=revision,
        base_fingerprint=known,
        tokenizer="adapter" if place.has_tokenizer else "base",
        merged=quantization(base.model.config) is None,
    )
    model = with_adapter(place, folder, base.model)
    notes = (*base.notes, *_adapter_notes(place, origin))
    return _Checkpoint(model, tokenizer, place.id, origin, notes, base.stored_as, base.unpacked)


def _adapter_notes(place: Place, origin: AdapterOrigin) -> Iterator[str]:
    revision = "" if origin.base_revision is None else f" at revision '{origin.base_revision}'"
    how = "merged into" if origin.merged else "on top of quantised"
    yield f"{place.id}: adapter {how} {origin.base}{revision}"
    if origin.tokenizer == "base":
        yield f"{place.id}: the adapter has no tokenizer; that of its base model is used"


def _identity(read: _Checkpoint, revision: str | None) -> ModelIdentity:
    model = read.model
    stored = quantization(model.config)
    count = sum(parameter.numel() for parameter in model.parameters())
    return ModelIdentity(
        id=read.name,
        revision=revision,
        fingerprint=fingerprint(model, read.tokenizer),
        architecture=type(model).__name__,
        # Four bits of several weights share a byte; transformers counts the weights.
        n_parameters=count if stored is None else model.num_parameters(),
        adapter=read.adapter,
        quantization=stored or read.unpacked,
        stored_as=read.stored_as,
    )


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


def _dtype(dtype: str) -> torch.dtype | None:
    check_wanted(dtype, None, None)
    return None if dtype == "auto" else DTYPES[dtype]


def _precision(model: Any) -> str:
    """Precision of the weights, of those that are not quantised."""
    types = (weight.dtype for weight in model.parameters() if weight.is_floating_point())
    return str(next(types)).removeprefix("torch.")


def _kind(config: Any, tokenizer: Any, class_name: str | None = None) -> Kind:
    """Masked or causal, from the architecture that the checkpoint names, or its class has.

    The config of a model that was never saved names none.
    """
    names = config.architectures or [name for name in (class_name,) if name is not None]
    if any(name.endswith("ForMaskedLM") for name in names):
        if tokenizer is not None and tokenizer.mask_token_id is None:
            raise ModelError("the tokenizer of this masked model has no mask token")
        return "masked"
    if any(name.endswith(("ForCausalLM", "LMHeadModel")) for name in names):
        return "causal"
    if has_text_tower(config):
        return "causal"
    named = ", ".join(names) or "none"
    raise ModelError(
        f"architecture {named} is neither a causal nor a masked language model with a head"
    )
