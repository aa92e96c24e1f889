"""The rows of a user's own suite file, whatever its form: CSV, TSV, JSONL or TOML.

A spreadsheet may have written it: a byte-order mark, semicolons or tabs between the cells, and a
first column without a name that numbers the rows are taken as they are meant.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fairaudit.errors import SuiteFileError
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_json, parse_toml

SUFFIXES: Final = (".toml", ".jsonl", ".csv", ".tsv")
_SEPARATORS: Final = (",", ";", "\t")
#: What spreadsheets call the column that numbers the rows.
_NUMBERS: Final = ("", "Unnamed: 0")


@dataclass(frozen=True, slots=True)
class SuiteFile:
    """What a file holds: what it says of itself, and its rows with where they stand.

    ``rows`` counts lines in JSONL, CSV and TSV, and items in TOML. ``faults`` are the rows that
    could not be read at all.
    """

    content: bytes
    header: dict[str, Any] = field(default_factory=dict)
    rows: list[tuple[int, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_suite_file(path: Path, known: Collection[str]) -> SuiteFile:
    """Read a file.

    Parameters
    ----------
    path : path
        Its name says its form.
    known : collection of str
        Names of columns, by which the separator of cells is told.

    Raises
    ------
    SuiteFileError
        If it cannot be read as a whole. What is wrong with a row is a fault.
    """
    reader = {".toml": _toml, ".jsonl": _jsonl, ".csv": _csv, ".tsv": _csv}.get(path.suffix)
    if reader is None:
        raise SuiteFileError(f"{path}: a suite file ends in {', '.join(SUFFIXES)}")
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise SuiteFileError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SuiteFileError(f"{path}: not UTF-8 ({error})") from error
    found = SuiteFile(content)
    reader(found, path, text, known)
    return found


_Reader = Callable[[SuiteFile, Path, str, Collection[str]], None]


def _jsonl(found: SuiteFile, _path: Path, text: str, _known: Collection[str]) -> None:
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            found.rows.append((number, parse_json(line, object_pairs_hook=_once)))
        except (ValueError, RecursionError) as error:
            found.faults.append(f"row {number}: not JSON ({error})")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make an object, of whose keys none may stand twice: nobody can say which is meant."""
    twice = next((key for key, n in Counter(key for key, _ in pairs).items() if n > 1), None)
    if twice is not None:
        raise ValueError(f"duplicate key '{twice}'")
    return dict(pairs)


def _csv(found: SuiteFile, path: Path, text: str, known: Collection[str]) -> None:
    separator = _separator(text, known)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=separator)
    try:
        names = Counter(name for name in reader.fieldnames or () if name not in _NUMBERS)
        twice = next((name for name, n in names.items() if n > 1), None)
        if twice is not None:
            raise SuiteFileError(f"{path}: row 1: duplicate column '{twice}'")
        for row in _numbered(reader):
            if None in row:
                found.faults.append(f"row {reader.line_num}: more cells than columns")
            else:
                found.rows.append((reader.line_num, row))
    except csv.Error as error:
        # What follows cannot be parted into rows.
        found.faults.append(f"row {reader.reader.line_num}: not CSV ({error})")


def _numbered(reader: csv.DictReader[str]) -> Iterator[dict[Any, Any]]:
    """Rows without empty cells; a column of numbers without a name holds ids."""
    for row in reader:
        filled = {key: value for key, value in row.items() if value}
        number = next((filled.pop(name) for name in _NUMBERS if name in filled), None)
        yield filled if number is None else {"item_id": number, **filled}


def _separator(text: str, known: Collection[str]) -> str:
    """Return what parts the cells: that which makes most known names of the first line."""
    head = next(iter(lines_of(text)), "")
    names = {one: {cell.strip('" ') for cell in head.split(one)} for one in _SEPARATORS}
    return max(_SEPARATORS, key=lambda one: len(names[one] & set(known)))


def _toml(found: SuiteFile, path: Path, text: str, _known: Collection[str]) -> None:
    try:
        content = parse_toml(text)
    except (ValueError, RecursionError) as error:
        raise SuiteFileError(f"{path}: not TOML ({error})") from error
    rows = content.pop("items", [])
    if not isinstance(rows, list):
        raise SuiteFileError(f"{path}: write the pairs as [[items]]")
    found.header.update(content)
    found.rows.extend(enumerate(rows, 1))
