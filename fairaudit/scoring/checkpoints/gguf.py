"""GGUF files: what one holds, and its weights as plain numbers.

A GGUF holds weights, config and tokenizer in one file. `transformers` unpacks its blocks into the
numbers that they stand for, so a model is scored with the values of its file, at the precision
that was asked for.
"""

from __future__ import annotations

import contextlib
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import torch
import transformers

from fairaudit.errors import ModelError
from fairaudit.lines import first_line
from fairaudit.scoring.checkpoints.keys import check_keys
from fairaudit.scoring.checkpoints.place import Place, load_error

#: Tensors that hold numbers as they are; all others are blocks with shared scales.
_PLAIN: Final = frozenset({"F64", "F32", "F16", "BF16"})
#: Angles of rotary positions, which `transformers` computes from the config.
_COMPUTED: Final = frozenset({"rope_freqs.weight"})
_EMBEDDING: Final = "token_embd.weight"
_TOKENS: Final = "tokenizer.ggml.tokens"


@dataclass(frozen=True, slots=True)
class GgufContent:
    """What a GGUF file says of itself.

    Parameters
    ----------
    stored : mapping of str to int
        Number of weights by the type that they are stored in (``Q4_1``, ``F32``).
    n_bytes : int
        Bytes of all weights.
    computed : tuple of str
        Tensors that are no weights; they are computed from the config instead.
    """

    stored: Counter[str]
    n_bytes: int
    computed: tuple[str, ...] = ()

    @property
    def n_weights(self) -> int:
        """Number of weights in the file."""
        return self.stored.total()

    @property
    def bits(self) -> float:
        """Bits per weight, with the scales of the blocks."""
        return 8.0 * self.n_bytes / self.n_weights

    @property
    def is_quantised(self) -> bool:
        """Whether any weight is stored in blocks."""
        return not self.stored.keys() <= _PLAIN

    def __str__(self) -> str:
        """Type of most weights, and bits per weight: ``gguf Q4_1, 5.6 bits per weight``."""
        return f"gguf {self.stored.most_common(1)[0][0]}, {self.bits:.1f} bits per weight"


def read_content(place: Place) -> GgufContent:
    """Read which weights a GGUF file holds, and check that it is whole.

    Raises
    ------
    ModelError
        If the package `gguf` is missing, the file is cut or damaged, or its tokenizer belongs to
        another model.
    """
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise ModelError(f"{place.name} is a GGUF file: pip install gguf") from error
    try:
        reader = GGUFReader(place.gguf_path)
        content = _content(reader)
    # The reader follows whatever lengths and types a damaged file states.
    except Exception as error:
        raise ModelError(
            f"{place.name}: the file is damaged, cut short, or no GGUF file "
            f"({first_line(error)[:200] or type(error).__name__}); fetch it again"
        ) from error
    _check_tokenizer(place, reader)
    return content


def _content(reader: Any) -> GgufContent:
    stored: Counter[str] = Counter()
    n_bytes, computed = 0, []
    for tensor in reader.tensors:
        if tensor.name in _COMPUTED:
            computed.append(tensor.name)
            continue
        stored[tensor.tensor_type.name] += int(tensor.n_elements)
        n_bytes += int(tensor.n_bytes)
    if not stored:
        raise ValueError("it holds no weights")
    return GgufContent(stored, n_bytes, tuple(computed))


def _check_tokenizer(place: Place, reader: Any) -> None:
    tokens = reader.fields.get(_TOKENS)
    if tokens is None:
        raise ModelError(f"{place.name}: no tokenizer in the file ({_TOKENS})")
    rows = [int(one.shape[-1]) for one in reader.tensors if one.name == _EMBEDDING]
    if rows and rows[0] != len(tokens.data):
        raise ModelError(
            f"{place.name}: its tokenizer has {len(tokens.data):,} tokens, its embedding "
            f"{rows[0]:,} rows; tokenizer and weights do not belong together"
        )


def load_gguf(
    place: Place, auto: Any, config: Any, content: GgufContent
) -> tuple[Any, tuple[str, ...]]:
    """Load a GGUF file as a plain model in fp32.

    Parameters
    ----------
    place : Place
        The file.
    auto : type
        The auto class of `transformers` for its task.
    config : PreTrainedConfig
        Its config.
    content : GgufContent
        What the file holds, from `read_content`.

    Returns
    -------
    model, notes
        The model, and what to tell about its file.

    Raises
    ------
    ModelError
        If the file cannot be read, or holds other weights than the model.
    """
    try:
        # Its bar of progress heeds no setting of transformers.
        with contextlib.redirect_stderr(io.StringIO()):
            model, report = auto.from_pretrained(
                place.source,
                config=config,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                **_unpacked(),
                **place.options,
            )
    except Exception as error:
        raise load_error(place.name, "model", error) from error
    notes = check_keys(model, report, place.name)
    _check_all_used(place, model, content)
    _forget_blocks(model)
    return model, (*notes, *_notes(place, content))


def _unpacked() -> dict[str, Any]:
    """Ask for plain weights: kernels that compute with blocks are code from the Hub."""
    made = getattr(transformers, "GgufConfig", None)
    return {} if made is None else {"quantization_config": made(dequantize=True)}


def _check_all_used(place: Place, model: Any, content: GgufContent) -> None:
    """Count the weights: `transformers` passes over tensors that it does not know."""
    used = sum(weight.numel() for weight in model.parameters())
    if used != content.n_weights:
        raise ModelError(
            f"{place.name}: the file holds {content.n_weights:,} weights, the model that "
            f"transformers makes of it {used:,}; this kind of GGUF is not read in full"
        )


def _forget_blocks(model: Any) -> None:
    """Make it a model like any other: its weights are plain numbers now."""
    for holder, name in ((model.config, "quantization_config"), (model, "quantization_method")):
        if hasattr(holder, name):
            delattr(holder, name)
    if getattr(model, "hf_quantizer", None) is not None:
        del model.hf_quantizer
    model.is_quantized = False


def _notes(place: Place, content: GgufContent) -> tuple[str, ...]:
    unpacked = f"{place.id}: {content}; its blocks were unpacked, and no weight was rounded"
    read = (unpacked,) if content.is_quantised else ()
    computed = (f"{place.id}: {name} is not read" for name in content.computed)
    return (*read, *computed)
