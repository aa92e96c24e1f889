"""Several models in one command: where they are named, and what becomes of each.

A sweep outlives its bad checkpoint: that one is told in one line, and the others are audited. So do
several jobs with the same list and folder: a model that one of them audits is left to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import typer

from fairaudit.cli.streams import one_line
from fairaudit.errors import BusyError, FairauditError, UsageError
from fairaudit.lines import lines_of
from fairaudit.ranks import RankError

#: A list of models is read whole.
_LARGEST = 4 << 20
_INTERNAL = 70


def models_of(named: Iterable[str], file: str | None) -> list[str]:
    """Return models of the command line, then those of a file, one a line; ``-``: standard input.

    Blank lines and lines that begin with ``#`` are none.

    Raises
    ------
    UsageError
        If there is none, one stands twice, or the file cannot be read.
    """
    models = [*named, *(_listed(file) if file is not None else ())]
    if not models:
        raise UsageError("name a model, or a file of models with --models-from")
    twice = next((model for model in models if models.count(model) > 1), None)
    if twice is not None:
        raise UsageError(f"'{twice}' is named twice")
    return models


def _listed(file: str) -> list[str]:
    try:
        if file == "-":
            content = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise UsageError(f"{file}: larger than {_LARGEST >> 20} MB; one model a line")
        text = content.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: cannot be read as a list of models ({error})") from error
    found = [line.strip() for line in lines_of(text)]
    found = [line for line in found if line and not line.startswith("#")]
    if any("\0" in line for line in found):
        raise UsageError(f"{file}: not a text; one model a line")
    return found


def folder_names(models: Sequence[str]) -> list[str]:
    """Name a folder for each model: the last part of its path, or as many as tell it from others.

    >>> folder_names(["a/final", "b/final", "c/gpt2"])
    ['a-final', 'b-final', 'gpt2']

    Raises
    ------
    UsageError
        If two are one place.
    """
    parts = [_parts(model) for model in models]
    depth = [1] * len(models)
    while True:
        names = ["-".join(part[-n:]) for part, n in zip(parts, depth, strict=True)]
        shared = [names.count(name) > 1 for name in names]
        if not any(shared):
            return names
        if not any(s and n < len(part) for s, n, part in zip(shared, depth, parts, strict=True)):
            twice = names[shared.index(True)]
            raise UsageError(f"two models are called '{twice}'; audit them one by one")
        depth = [
            n + 1 if is_shared and n < len(part) else n
            for n, is_shared, part in zip(depth, shared, parts, strict=True)
        ]


def _parts(model: str) -> tuple[str, ...]:
    path = Path(model)
    # `.` and `..` name no folder; a Hub id is no path here.
    real = path.resolve() if path.name in {"", ".."} or path.exists() else path
    return tuple(part for part in real.parts if part not in {real.anchor, ".."})


def each_of(places: Sequence[tuple[str, Path | None]], do: Callable[..., Iterable[int]]) -> int:
    """Do something with each model and folder, and return the exit code of all.

    Of several models one that cannot be audited is told and does not keep the others. A failed
    gate (1) says more than an error (2), and that more than an undecided gate or a suite that did
    not run.
    """
    codes: list[int] = []
    for model, folder in places:
        try:
            codes += do(model, folder)
        except BusyError as busy:
            if len(places) == 1:
                raise
            _tell(f"{busy}; left to it")
        except FairauditError as error:
            if len(places) == 1 or error.exit_code == _INTERNAL:
                raise
            if not (isinstance(error, RankError) and error.is_told):
                _tell(f"{model}: {error}")
            codes.append(error.exit_code)
    return min(filter(None, codes), default=0)


def _tell(message: str) -> None:
    typer.echo(f"fairaudit: {one_line(message)}", err=True)
