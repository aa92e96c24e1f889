"""What a named file or folder is, from the names of its files alone.

Nothing heavy is imported here: a mistake is told before torch is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.hub_id import GGUF

CONFIG: Final = "config.json"
ADAPTER_CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "model.safetensors"
INDEX: Final = "model.safetensors.index.json"
#: Names that a line holds.
_NAMED: Final = 5


def gguf_of(path: Path, text: str, gguf_file: str | None = None) -> str | None:
    """Return the name of the GGUF file that is meant; None for a checkpoint's folder.

    Parameters
    ----------
    path : Path
        A file or folder that exists.
    text : str
        How it was named.
    gguf_file : str or None
        Which GGUF file of the folder is meant.

    Returns
    -------
    str or None
        Name of the file in its folder; None: the folder is a checkpoint.

    Raises
    ------
    ModelError
        If it holds no checkpoint that may be read.
    """
    if path.is_dir():
        named = gguf_file or _only_gguf(path)
        if named is None:
            _check_folder(path)
            return None
        found = path / named
        if found.parent.resolve() != path.resolve() or not found.is_file():
            raise ModelError(f"{text}: no file {named} in it")
        return named
    if path.suffix != GGUF:
        raise ModelError(f"{text} is a file; name the checkpoint's folder, or a {GGUF} file")
    if gguf_file is not None and gguf_file != path.name:
        raise ModelError(f"{text} and {gguf_file}: two GGUF files are named; name one")
    return path.name


def _only_gguf(folder: Path) -> str | None:
    """Return the GGUF file of a folder that is no checkpoint otherwise; None if it holds none.

    Raises
    ------
    ModelError
        If it holds several.
    """
    files = sorted(path.name for path in folder.glob(f"*{GGUF}"))
    if not files or (folder / CONFIG).exists() or (folder / ADAPTER_CONFIG).exists():
        return None
    if len(files) > 1:
        raise ModelError(
            f"{folder} holds {len(files)} GGUF files; choose one with --gguf-file: "
            f"{', '.join(files[:_NAMED])}{', …' if len(files) > _NAMED else ''}"
        )
    return files[0]


def _check_folder(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    if not files & {CONFIG, ADAPTER_CONFIG}:
        newest = _newest_checkpoint(folder)
        hint = "is it a checkpoint in Hugging Face form?"
        if newest is not None:
            hint = f"it holds checkpoints of a training; the newest is {newest}"
        raise ModelError(f"{folder}: no {CONFIG} and no {GGUF} file; {hint}")
    if ADAPTER_CONFIG in files and files & {WEIGHTS, INDEX}:
        raise ModelError(
            f"{folder} holds a whole model and an adapter; move the one that is not meant elsewhere"
        )
    if {WEIGHTS, INDEX} <= files:
        raise ModelError(
            f"{folder} holds both {WEIGHTS} and {INDEX}; remove the weights that are out of date"
        )


def _newest_checkpoint(folder: Path) -> Path | None:
    """Return the last of the folders that a `transformers.Trainer` leaves."""
    steps = {
        int(path.name.removeprefix("checkpoint-")): path
        for path in folder.glob("checkpoint-*")
        if path.is_dir() and path.name.removeprefix("checkpoint-").isdecimal()
    }
    return steps[max(steps)] if steps else None
