"""Rows of (unit, text) from files of lines, JSONL, CSV, Parquet, lists and data sets."""

from __future__ import annotations

import csv
import gzip
import os
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

from fairaudit.errors import DataError
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_json
from fairaudit.training.passages import Passage, Prompted, parts_of, passage_of

TextAndUnit = tuple[str | None, Passage | None]

_READERS: Final = (".txt", ".text", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
#: Columns that hold the text where none is named, the first that are there.
_COLUMNS: Final = (("text",), Prompted._fields, ("messages",))
#: Longer cells than this are no text but a file that was not closed by a quote.
_MAX_CELL: Final = 10**8


def read_rows(source: Any, text_column: str | None, unit_column: str | None) -> list[TextAndUnit]:
    """Read all rows of a source as (unit or None, text or None).

    Raises
    ------
    DataError
        If the source cannot be read or a column is missing; the message names file and row.
    """
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source), text_column, unit_column)
    if isinstance(getattr(source, "column_names", None), dict):
        raise DataError(f"the data set has the splits {', '.join(source)}; pass one of them")
    if hasattr(source, "column_names") and hasattr(source, "__getitem__"):
        return _columns(source, list(source.column_names), "the data set", text_column, unit_column)
    if isinstance(source, Sequence):
        return _list(source, unit_column)
    raise DataError(f"training data must be a file, a list of texts or a data set, not {source!r}")


def _list(texts: Sequence[Any], unit_column: str | None) -> list[TextAndUnit]:
    if unit_column is not None:
        raise DataError("a list of texts has no unit column; pass a file or a data set")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataError(f"text {place} of the list is {type(text).__name__}, not a string")
        _check_characters(text, f"text {place} of the list")
    return [(None, text) for text in texts]


def check_file(path: Path) -> None:
    """Refuse a file that is of no kind that is read, or not there.

    Parameters
    ----------
    path : Path
        Where it should be.

    Raises
    ------
    DataError
        Naming it.
    """
    _suffix(path)
    if not path.exists():
        raise DataError(_missing(path))


def _missing(path: Path) -> str:
    return f"{path}: no such file"


def _read_file(path: Path, text_column: str | None, unit_column: str | None) -> list[TextAndUnit]:
    suffix = _suffix(path)
    try:
        if suffix == ".parquet":
            return _parquet(path, text_column, unit_column)
        with _open(path) as stream:
            if suffix in (".txt", ".text"):
                return _lines(stream, path, unit_column)
            if suffix in (".csv", ".tsv"):
                table = _csv(stream, path, "\t" if suffix == ".tsv" else ",")
            else:
                table = _json_lines(stream, path)
            return _table_rows(table, path, text_column, unit_column)
    except FileNotFoundError:
        raise DataError(_missing(path)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start})") from error


def _suffix(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    suffix = Path(name).suffix
    if suffix not in _READERS:
        raise DataError(
            f"{path}: unknown kind of file '{suffix}'; there are {', '.join(_READERS)}, also as .gz"
        )
    return suffix


def _open(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return open(path, encoding="utf-8-sig", newline="")


def _lines(stream: IO[str], path: Path, unit_column: str | None) -> list[TextAndUnit]:
    if unit_column is not None:
        raise DataError(f"{path}: a file of lines has no unit column; use JSONL, CSV or Parquet")
    return [(None, line) for line in lines_of(stream.read())]


def _csv(stream: IO[str], path: Path, delimiter: str) -> Iterator[dict[str, Any]]:
    """Cells stay text: no word such as None or NA becomes a missing value."""
    csv.field_size_limit(_MAX_CELL)
    reader = csv.DictReader(stream, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row:
                raise DataError(f"{path}, line {reader.line_num}: more cells than columns")
            yield row
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: {error}") from error


def _json_lines(stream: IO[str], path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = parse_json(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: not a JSON object")
        yield row


def _table_rows(
    table: Iterator[dict[str, Any]], path: Path, text_column: str | None, unit_column: str | None
) -> list[TextAndUnit]:
    rows = list(table)
    if not rows:
        return []
    text, unit = _choose(list(rows[0]), str(path), text_column, unit_column)
    found = []
    for number, row in enumerate(rows, 1):
        missing = [name for name in (*text, *([unit] if unit else [])) if name not in row]
        if missing:
            raise DataError(f"{path}, row {number}: column '{missing[0]}' is missing")
        cells = [row[name] for name in text]
        found.append(_row(cells, None if unit is None else row[unit], f"{path}, row {number}"))
    return found


def _parquet(path: Path, text_column: str | None, unit_column: str | None) -> list[TextAndUnit]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = list(pq.read_schema(path).names)
        text, unit = _choose(names, str(path), text_column, unit_column)
        table = pq.read_table(path, columns=[*text, *([unit] if unit else [])])
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: not a readable Parquet file ({error})") from error
    return _columns(table.to_pydict(), names, str(path), text_column, unit_column)


def _columns(
    columns: Any, names: list[str], name: str, text_column: str | None, unit_column: str | None
) -> list[TextAndUnit]:
    text, unit = _choose(names, name, text_column, unit_column)
    cells = list(zip(*(list(columns[one]) for one in text), strict=True))
    units = [None] * len(cells) if unit is None else list(columns[unit])
    pairs = zip(cells, units, strict=True)
    return [_row(*pair, f"{name}, row {number}") for number, pair in enumerate(pairs, 1)]


def _choose(
    names: list[str], name: str, text_column: str | None, unit_column: str | None
) -> tuple[tuple[str, ...], str | None]:
    """Find the columns with the text, two for prompts and completions, and that of the unit."""
    for wanted in (text_column, unit_column):
        if wanted is not None and wanted not in names:
            raise DataError(f"{name}: no column '{wanted}'; there are {', '.join(names)}")
    if text_column is not None:
        return (text_column,), unit_column
    others = [column for column in names if column != unit_column]
    for known in _COLUMNS:
        if set(known) <= set(others):
            return known, unit_column
    if len(others) != 1:
        raise DataError(
            f"{name}: which column holds the text? There are {', '.join(names)}; name one 'text', "
            "or have the columns 'prompt' and 'completion', or 'messages'"
        )
    return (others[0],), unit_column


def _row(cells: Sequence[Any], unit: Any, where: str) -> TextAndUnit:
    passage = _prompted(cells, where) if len(cells) > 1 else passage_of(cells[0], where)
    for part in () if passage is None else parts_of(passage):
        _check_characters(part, where)
    return _unit_name(unit), passage


def _prompted(cells: Sequence[Any], where: str) -> Prompted | None:
    prompt, completion = cells
    if completion is None:
        return None
    for name, cell in zip(Prompted._fields, (prompt or "", completion), strict=True):
        if not isinstance(cell, str):
            raise DataError(f"{where}: the {name} is {type(cell).__name__}, not a string")
    return Prompted(prompt or "", completion)


def _unit_name(value: Any) -> str | None:
    """Name of a unit: without spaces around it, and the same for 1 and 1.0; NaN is none."""
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unicodedata.normalize("NFC", str(value).strip())


def _check_characters(text: str, where: str) -> None:
    """Refuse half of a surrogate pair: JSON may hold it, but no tokenizer takes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])
        raise DataError(f"{where}: {half} is half a character; remove it") from None
