"""What an audit is called with, looked at before anything heavy is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from fairaudit.errors import ModelError, UsageError
from fairaudit.scoring.checkpoints.hub_id import GGUF, HUB_ID, split_gguf
from fairaudit.scoring.checkpoints.local import gguf_of

_PAIR: Final = "pass the model and its tokenizer as a pair: (model, tokenizer)"


def check_source(source: Any, gguf_file: str | None = None) -> None:
    """Refuse what cannot be a model, and a path that is not there.

    Parameters
    ----------
    source : str, path or (model, tokenizer)
        What was named.
    gguf_file : str or None
        Which GGUF file of it is meant.

    Raises
    ------
    UsageError
        For a list, a model without its tokenizer, a pair in the wrong order.
    ModelError
        For a path that does not exist, or holds no checkpoint.
    """
    if isinstance(source, tuple):
        _check_pair(source)
        if gguf_file is not None:
            raise UsageError(f"a model in memory has no GGUF file '{gguf_file}'")
    elif _is_model(source):
        raise UsageError(f"a model in memory needs its tokenizer: {_PAIR}")
    elif not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"name a Hub id or a checkpoint's folder, or {_PAIR}; this is {_kind_of(source)}"
        )
    elif Path(source).exists():
        gguf_of(Path(source), os.fspath(source), gguf_file)
    else:
        _check_hub_id(os.fspath(source))


def _check_hub_id(name: str) -> None:
    if name.endswith(GGUF) and split_gguf(name)[1] is None:
        raise ModelError(f"{name}: no such file")
    if not HUB_ID.fullmatch(split_gguf(name)[0]):
        raise ModelError(f"{name}: no such folder")


def _check_pair(source: tuple[Any, ...]) -> None:
    if len(source) != 2:
        raise UsageError(f"{_PAIR}; this has {len(source)} parts")
    model, tokenizer = source
    if _is_model(tokenizer) and not _is_model(model):
        raise UsageError(f"{_PAIR}, in this order")
    if not _is_model(model):
        raise UsageError(f"{_PAIR}; the first part is {_kind_of(model)}")
    if not callable(tokenizer):
        raise UsageError(f"{_PAIR}; the second part is {_kind_of(tokenizer)}")


def _is_model(one: Any) -> bool:
    return callable(getattr(one, "parameters", None)) and not isinstance(one, type)


def _kind_of(one: Any) -> str:
    name = type(one).__name__
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
