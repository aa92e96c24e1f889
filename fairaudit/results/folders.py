"""What may be written into a folder: files of others are not overwritten, nor mixed with ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol, Self

from fairaudit.errors import ResultError
from fairaudit.parsing import parse_json
from fairaudit.results.files import refuse_unwritable, staged_folder
from fairaudit.results.places import remove_file

#: What may lie in a folder before its first result: it belongs beside one.
_BESIDE: Final = frozenset({"diagnostics", "log.jsonl", "private", "gate.json", "junit.xml"})
#: Files of a result that the next one in its place may lack; its report replaces all others.
_OF_ONE_RESULT: Final = (
    "gate.json",
    "model_card.md",
    "quantities.csv",
    "differences.csv",
    "items/*.parquet",
    "texts/*.jsonl",
    "records/*.parquet",
    "tables/*.csv",
    "tables/*.tex",
)


class Storable(Protocol):
    """A result that can be read back and says what makes it the same one."""

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read the result of a folder."""

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that makes two results the same result."""


def refuse_files_of_others(folder: Path, *, beside: Iterable[str] = _BESIDE) -> None:
    """Raise if a folder without a result holds anything but hidden files and those ``beside``.

    Raises
    ------
    ResultError
        Naming the first file.
    """
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    foreign = [name for name in names if not name.startswith(".") and name not in beside]
    if foreign:
        raise ResultError(
            f"{folder} holds files that are not from fairaudit ({foreign[0]}); "
            "choose a new or empty folder"
        )


def refuse_other_result(
    folder: Path, kind: type[Storable], identity: dict[str, Any], *, overwrite: bool = False
) -> None:
    """Raise unless ``folder`` is free or holds an earlier run of the same result.

    With ``overwrite`` it may hold any result of fairaudit.

    Raises
    ------
    ResultError
        If the folder is a file, holds another result, files of others, or a ``result.json`` that
        cannot be read.
    """
    refuse_unwritable(folder)
    if not (folder / "result.json").exists():
        refuse_files_of_others(folder)
    elif overwrite:
        _refuse_foreign_result(folder / "result.json")
    elif kind.load(folder).identity != identity:
        raise ResultError(
            f"{folder} holds another result; choose another folder, or replace it with --overwrite"
        )


@contextlib.contextmanager
def staged_result(target: Path, result: Storable, *, overwrite: bool) -> Iterator[Path]:
    """Stage the files of a result, which move into a folder that is free for it or holds it.

    The folder is looked at before they are written and again before they move: another process
    may have saved there meanwhile.

    Raises
    ------
    ResultError
        As of `refuse_other_result`, or if the folder cannot be written.
    """

    def check(folder: Path) -> None:
        refuse_other_result(folder, type(result), result.identity, overwrite=overwrite)

    def clear(folder: Path) -> None:
        check(folder)
        if overwrite:
            remove_result(folder)

    check(target)
    with staged_folder(target, check=clear) as stage:
        yield stage


def _refuse_foreign_result(path: Path) -> None:
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        ours = str(content["schema"]).startswith("fairaudit/")
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise ResultError(f"{path} is not from fairaudit; choose another folder or remove it")


def remove_result(folder: Path) -> None:
    """Remove what the next result in a folder might not write over, ``result.json`` first.

    Raises
    ------
    ResultError
        If a file cannot be removed, or lies outside of the folder.
    """
    for pattern in ("result.json", *_OF_ONE_RESULT):
        for path in list(folder.glob(pattern)):
            remove_file(folder, str(path.relative_to(folder)))
