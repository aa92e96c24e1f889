"""Records in text, JSONL and CSV files, plain or compressed with gzip, line by line.

A text file has one record a line; blank lines are kept and are no records. In JSONL and CSV a
column holds the text; every row that is written also says which record it came from and whether it
is the original (variant 0) or a twin, so that both can be kept one privacy unit.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, Literal, cast

from fairaudit.errors import DataError
from fairaudit.lines import lines_with_ends
from fairaudit.parsing import parse_json

#: Columns added to JSONL and CSV.
RECORD: Final = "cda_record"
VARIANT: Final = "cda_variant"
#: File types by suffix, each also with ``.gz`` behind it.
SUFFIXES: Final = (".txt", ".jsonl", ".csv")


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of a file.

    Parameters
    ----------
    text : str or None
        The record's text; None for what is kept but is no record.
    content : object
        The whole row, in the form of its file type.
    """

    text: str | None
    content: Any


def file_type(path: Path) -> str:
    """Return the suffix that says how a file is read, without ``.gz``.

    Raises
    ------
    DataError
        If the name ends otherwise.
    """
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if name.suffix not in SUFFIXES:
        raise DataError(f"{path}: the name must end in {', '.join(SUFFIXES)}, or one of them + .gz")
    return name.suffix


def open_bytes(path: Path, mode: Literal["rb", "wb"], *, compressed: bool) -> IO[bytes]:
    """Open a file, through gzip if asked."""
    return cast("IO[bytes]", gzip.open(path, mode) if compressed else path.open(mode))


def decoded_lines(path: Path, stream: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of a file as text, ends kept, the byte-order mark dropped."""
    for number, line in enumerate(stream, 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: line {number} is not UTF-8 (byte {error.start + 1}); convert the file"
            ) from error
        yield text.removeprefix("\ufeff") if number == 1 else text


def read_rows(path: Path, lines: Iterator[str], column: str) -> Iterator[FileRow]:
    """Yield the rows of a file of any type.

    Raises
    ------
    DataError
        For a missing column or two of one name, a cell that is not text, a ragged CSV row, and a
        line that is not JSON or holds what no file of JSON can: NaN, infinity, half a character.
    """
    readers = {".txt": _text_rows, ".jsonl": _json_rows, ".csv": _csv_rows}
    yield from readers[file_type(path)](path, lines, column)


def _text_rows(_path: Path, lines: Iterator[str], _column: str) -> Iterator[FileRow]:
    for line in _lines(lines):
        text = line.rstrip("\r\n")
        yield FileRow(text, line[len(text) :] or "\n") if text.strip() else FileRow(None, line)


def _lines(lines: Iterator[str]) -> Iterator[str]:
    """Lines that end at a lone carriage return too; a file is read up to each line feed."""
    return chain.from_iterable(map(lines_with_ends, lines))


def _json_rows(path: Path, lines: Iterator[str], column: str) -> Iterator[FileRow]:
    for number, line in enumerate(_lines(lines), 1):
        if not line.strip():
            continue
        try:
            content = parse_json(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: line {number} is not JSON ({error})") from error
        if not isinstance(content, dict):
            raise DataError(f"{path}: line {number} is not a JSON object")
        _check_writable(f"{path}: line {number}", content)
        yield FileRow(_cell(path, number, content, column), content)


def _check_writable(place: str, content: dict[str, Any]) -> None:
    """Refuse what Python reads as JSON, but nobody could read once it is written."""
    try:
        json_line(content).encode("utf-8")
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise DataError(f"{place} holds {half}, half a character; remove it") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place} cannot be written as JSON ({error}); change it") from None


def _csv_rows(path: Path, lines: Iterator[str], column: str) -> Iterator[FileRow]:
    reader = csv.DictReader(lines, strict=True)
    try:
        names = list(reader.fieldnames or ())
        if len(set(names)) < len(names):
            raise DataError(f"{path}: two columns have one name; there are {', '.join(names)}")
        for content in reader:
            if None in content or None in content.values():
                raise DataError(f"{path}: line {reader.line_num} has not as many cells as columns")
            yield FileRow(_cell(path, reader.line_num, content, column), content)
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num} is not CSV ({error})") from error


def _cell(path: Path, number: int, content: dict[str, Any], column: str) -> str:
    if RECORD in content or VARIANT in content:
        raise DataError(f"{path}: has a column {RECORD} or {VARIANT}: it was augmented before")
    if column not in content:
        raise DataError(
            f"{path}: line {number} has no column '{column}'; there are {', '.join(content)}; "
            "name one with --column"
        )
    if not isinstance(content[column], str):
        raise DataError(f"{path}: line {number}: column '{column}' is not text")
    return str(content[column])


def write_row(kind: str, row: FileRow, text: str, column: str, record: int, variant: int) -> str:
    """Return one line of the new file: a row with another text."""
    if kind == ".txt":
        return f"{text}{row.content}"
    content = row.content | {column: text, RECORD: record, VARIANT: variant}
    if kind == ".jsonl":
        return json_line(content)
    return csv_line(content.values())


def json_line(content: dict[str, Any]) -> str:
    """Return one line of JSONL."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def csv_line(cells: Iterable[Any]) -> str:
    """Return one line of CSV."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
