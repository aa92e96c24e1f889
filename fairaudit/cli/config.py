"""``--config FILE``: options of a verb in a TOML file, under what stands on the command line."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer

from fairaudit.errors import UsageError
from fairaudit.options import Entry, entries
from fairaudit.parsing import parse_toml

ReadConfig = Callable[[typer.Context, Path | None], Path | None]


def reads(record: type, argument: str, parameter: str) -> ReadConfig:
    """Return the callback of ``--config``: the file's values become the defaults of the call.

    Parameters
    ----------
    record : type
        The options of the verb.
    argument : str
        Name of the option that stands without a flag; the file may leave it out.
    parameter : str
        What the command calls that argument.
    """

    def read(context: typer.Context, path: Path | None) -> Path | None:
        if path is not None:
            found = read_config(record, path)
            if argument in found:
                found[parameter] = [found.pop(argument)]
            context.default_map = {**(context.default_map or {}), **found}
        return path

    return read


def read_config(record: type, path: Path) -> dict[str, Any]:
    """Read the options of a record as the command line takes them; paths are the file's.

    Raises
    ------
    UsageError
        With the file's name: it cannot be read, or a name or value is none of the record's.
    """
    known = {one.name: one for one in entries(record) if one.option.help or one.positional}
    found = {}
    for name, value in _content(path).items():
        entry = known.get(name.replace("-", "_"))
        if entry is None:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise UsageError(f"{path}: unknown option '{name}'{hint}")
        try:
            found[entry.name] = _typed(entry, value, path.parent)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error
    return found


def _content(path: Path) -> Mapping[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not a TOML file ({error})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error


def _typed(entry: Entry, value: Any, folder: Path) -> Any:
    """Check a value, and write it as it is typed on a command line."""
    read = entry.read(_of_kind(entry, value))
    if entry.element is None:
        return _placed(entry, read, folder)
    members = [str(_placed(entry, one, folder)) for one in read]
    return members if entry.option.cli is not None else ",".join(members)


def _of_kind(entry: Entry, value: Any) -> Any:
    """Refuse a value of a kind that TOML tells apart and a record does not."""
    if entry.element is not None:
        if isinstance(value, str):
            return value
        if not isinstance(value, list) or any(type(one) is not entry.element for one in value):
            raise UsageError(f"{entry.words} must be a list of {_KINDS[entry.element]}")
        if any("," in one for one in value if isinstance(one, str)):
            raise UsageError(f"{entry.words}: no member may have a comma in it")
        return value
    if isinstance(value, bool) is not (entry.alternatives == (bool,)):
        kind = "true or false" if entry.alternatives == (bool,) else entry.kind
        raise UsageError(f"{entry.words} must be {kind}, not {value!r}")
    if not isinstance(value, str | bool | int | float):
        raise UsageError(f"{entry.words} must be {entry.kind}, not {value!r}")
    if not isinstance(value, str) and str in entry.alternatives:
        raise UsageError(f"{entry.words} must be text, not {value!r}")
    return value


_KINDS = {str: "texts", int: "whole numbers"}


def _placed(entry: Entry, value: Any, folder: Path) -> Any:
    """Read a path from the file's folder: of an output always, else where something is there."""
    if not isinstance(value, str):
        return value
    beside = folder / value
    only_a_path = entry.name == "output"
    return os.fspath(beside) if only_a_path or (value and beside.exists()) else value
