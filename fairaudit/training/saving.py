"""The output folder: an ordinary Hugging Face checkpoint, there as a whole or not at all.

``training.json`` is written last, so a folder with that file is a finished fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

from fairaudit.durable import replaced_when_whole
from fairaudit.errors import FairauditError, ResultError
from fairaudit.lines import first_line
from fairaudit.results import files
from fairaudit.results.folders import refuse_files_of_others
from fairaudit.results.places import inside
from fairaudit.training.private import PrivateFolder

#: How a model is saved; see `staged_model`.
Form = Literal["whole", "merged", "adapter", "adapter beside"]
#: The folder of adapters beside the merged weights.
ADAPTER: Final = "adapter"


def check_output(folder: Path, *, resume: bool) -> None:
    """Raise unless a run may begin, or go on, in a folder.

    Raises
    ------
    ResultError
        If it cannot be written, holds a finished model, or an unfinished run of which nobody said
        that it should go on.
    """
    files.refuse_unwritable(folder)
    if (folder / "training.json").exists():
        raise ResultError(f"{folder} already holds a finished model; choose another folder")
    unfinished = PrivateFolder(folder).has_state
    if not unfinished and (folder / "config.json").exists():
        raise ResultError(f"{folder} already holds another model; choose another folder")
    if not unfinished:
        refuse_files_of_others(folder)
    if unfinished and not resume:
        raise ResultError(f"{folder} holds an unfinished run; go on with --resume or remove it")
    if resume and not unfinished:
        raise ResultError(f"{folder}: no unfinished run to go on with; leave out --resume")


@contextmanager
def staged_model(
    model: Any, tokenizer: Any, folder: Path, forms: Sequence[Form] = ("whole",)
) -> Iterator[Path]:
    """Save model and tokenizer beside the folder; they move into it when the block ends well.

    Files that the block adds move with them.

    Parameters
    ----------
    model, tokenizer : PreTrainedModel or PeftModel, PreTrainedTokenizer
        What is saved; the model is merged with its adapters where that is asked for.
    folder : path
        Where it goes.
    forms : sequence of {"whole", "merged", "adapter", "adapter beside"}
        The model as it is; with its adapters merged; its adapters alone; these too, in
        ``adapter/``.

    Raises
    ------
    ResultError
        If there is no room; the folder is as it was before.
    """
    with files.staged_folder(folder) as stage:
        try:
            # Merging changes the model, so adapters are saved before.
            if "adapter beside" in forms:
                model.save_pretrained(stage / ADAPTER)
            merged = model.merge_and_unload() if "merged" in forms else model
            merged.save_pretrained(stage)
            tokenizer.save_pretrained(stage)
        except FairauditError:
            raise
        except Exception as error:
            # Writers of weights have errors of their own for a full disk.
            reason = first_line(error)
            raise ResultError(f"{folder}: the model cannot be saved ({reason})") from error
        yield stage


def partial_name(name: str) -> str:
    """Return the name of a file that `write_last` has not finished.

    Parameters
    ----------
    name : str
        Name of the file.

    Returns
    -------
    str
        Hidden, in the same folder.
    """
    return f".{name}.partial"


def write_last(folder: Path, name: str, text: str) -> None:
    """Write a small file whole or not at all.

    Parameters
    ----------
    folder : Path
        The output folder; it is made where it is missing.
    name : str
        Name of the file.
    text : str
        What it will hold, written as UTF-8.

    Raises
    ------
    ResultError
        If it cannot be written, or a link leads out of the folder.
    """
    partial = inside(folder, partial_name(name))
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        with replaced_when_whole(partial, folder / name) as stream:
            stream.write(text.encode("utf-8"))
    except OSError as error:
        raise ResultError(f"{folder / name}: cannot write ({error.strerror})") from error
