"""Prompts and what was written after them, in the shapes in which programs write them.

Lines of JSON, a JSON list of objects, a JSON object of columns (alone or under ``data``), or CSV. A
row has a ``prompt`` and its texts under one of `KEYS`: a text, a list of texts, or a list of
objects that hold one. Lists are spelled in CSV as one row for each text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from fairaudit.errors import DataError
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_json
from fairaudit.results.texts import PromptTexts

#: Where the texts of a row may stand, the first that is there.
KEYS: Final = (
    "completions",
    "completion",
    "responses",
    "response",
    "generations",
    "generation",
    "outputs",
    "output",
    "generated_text",
)
_DELIMITERS: Final = (",", ";", "\t")
#: Where a text stands in an object of a list.
_INNER: Final = ("text", "completion", "response", "generated_text", "content")
#: Keys of files that an audit wrote: their texts are continuations alone.
_OWN: Final = frozenset(one.name for one in fields(PromptTexts))


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """One row of a file: a prompt, texts, and where it stands, for messages.

    ``item_id`` may name the item where a prompt stands in a suite more than once.
    """

    place: str
    prompt: str
    texts: tuple[str, ...]
    item_id: str | None
    is_own: bool


def read_rows(content: bytes, place: str, column: str | None = None) -> Iterator[RecordedRow]:
    """Read prompts and texts.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    place : str
        Its name, for messages.
    column : str, optional
        Where the texts stand; default the first of `KEYS` that is there.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    for number, row in objects_of(text, place, column=column):
        where = f"{place}: row {number}"
        if not isinstance(row, dict):
            raise DataError(f"{where}: not an object with prompt and completions")
        yield _recorded_row(row, where, column)


def objects_of(
    text: str, place: str, needed: Sequence[str] = ("prompt",), column: str | None = None
) -> Iterator[tuple[int, Any]]:
    """Rows of a file in any of the shapes above, with their numbers.

    Parameters
    ----------
    text, place : str
        The file, and its name for messages.
    needed : sequence of str
        Columns of which a table must have one.
    column : str, optional
        Where texts stand, in an object of columns; default any of `KEYS`.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed.
    """
    if text.strip() and text.lstrip()[0] not in "{[":
        return _csv_rows(text, place, needed)
    try:
        whole = parse_json(text)
    except (ValueError, RecursionError):
        return _lines(text, place)
    if isinstance(whole, list):
        return iter(enumerate(whole, 1))
    columns = whole.get("data", whole)
    if isinstance(columns, dict) and isinstance(columns.get("prompt"), list):
        return _by_column(columns, place, column)
    return iter([(1, whole)])


def _lines(text: str, place: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            yield number, parse_json(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place}: row {number}: not JSON ({error})") from error


def _by_column(
    columns: Mapping[str, Any], place: str, column: str | None
) -> Iterator[tuple[int, Any]]:
    names = ("prompt", "item_id", *KEYS) if column is None else ("prompt", "item_id", column)
    used = {name: columns[name] for name in names if name in columns}
    sizes = {name: len(one) if isinstance(one, list) else None for name, one in used.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(f"{place}: the lists {', '.join(used)} are not equally long")
    for number, values in enumerate(zip(*used.values(), strict=True), 1):
        # A column is named for all its texts.
        texts = {name: [one] if name.endswith("s") and isinstance(one, str) else one
                 for name, one in zip(used, values, strict=True)}  # fmt: skip
        yield number, texts


def _csv_rows(text: str, place: str, needed: Sequence[str]) -> Iterator[tuple[int, Any]]:
    head = next(iter(lines_of(text.lstrip())), "")
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if not set(needed) & set(reader.fieldnames or ()):
            raise DataError(
                f"{place}: row 1: neither JSON nor a header of CSV with the column '{needed[0]}'"
            )
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{place}: row {reader.line_num}: not as many cells as columns")
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{place}: row {reader.reader.line_num}: not CSV ({error})") from error


def _recorded_row(row: Mapping[str, Any], where: str, column: str | None) -> RecordedRow:
    prompt, item_id = row.get("prompt"), row.get("item_id")
    if not isinstance(prompt, str):
        raise DataError(f"{where}: 'prompt' must be a text")
    key = next((key for key in ([column] if column else KEYS) if key in row), None)
    if key is None:
        raise DataError(f"{where}: no texts; write them under '{column or KEYS[0]}'")
    return RecordedRow(
        place=where,
        prompt=prompt.strip(),
        texts=tuple(_texts(row[key], key, where)),
        item_id=None if item_id is None else str(item_id),
        is_own=row.keys() >= _OWN,
    )


def _texts(found: Any, key: str, where: str) -> Iterator[str]:
    """Texts of a row. A plural key holds a list: a lone text there is more likely a slip."""
    is_plural = key.endswith("s")
    if isinstance(found, str) and not is_plural:
        yield found
        return
    if not isinstance(found, list):
        raise DataError(f"{where}: '{key}' must be a {'list of texts' if is_plural else 'text'}")
    for one in found:
        inner = next((one[k] for k in _INNER if k in one), None) if isinstance(one, dict) else one
        if not isinstance(inner, str):
            raise DataError(f"{where}: '{key}' must be a list of texts")
        yield inner
