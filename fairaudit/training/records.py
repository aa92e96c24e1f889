"""Records: what one person contributed, and what differential privacy protects.

A non-empty row of the training data is one record. With a unit column, all rows that share its
value form one record together, up to a stated number of rows, so that a person who wrote many rows
is protected as a whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fairaudit.errors import DataError
from fairaudit.training.finetune_options import Source
from fairaudit.training.passages import Passage, is_empty
from fairaudit.training.tables import read_rows


@dataclass(frozen=True, slots=True)
class Records:
    """The training text by privacy unit.

    Parameters
    ----------
    rows : tuple of tuple of Passage
        Texts of each record, at least one; prompts and conversations as they are.
    unit : {"record", "user"}
        Whether a record is a row, or all rows of one value of the unit column.
    n_empty : int
        Rows without text, which are no records.
    n_overflow : int
        Rows beyond the cap of their unit, left out.
    alike : tuple of tuple of str
        Names of units that differ in case, spaces or the form of a number only, and are units of
        their own nevertheless.
    """

    rows: tuple[tuple[Passage, ...], ...]
    unit: Literal["record", "user"] = "record"
    n_empty: int = 0
    n_overflow: int = 0
    alike: tuple[tuple[str, ...], ...] = ()

    @property
    def most_copies(self) -> int:
        """How often the most frequent record stands in the text; 1: each is there once."""
        return max(Counter(self.rows).values())

    @property
    def data_hash(self) -> str:
        """SHA-256 of all texts in their order and grouping."""
        content = json.dumps(self.rows, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def read_records(
    source: Source,
    *,
    text_column: str | None = None,
    unit_column: str | None = None,
    max_rows_per_unit: int = 16,
) -> Records:
    """Read training text and form records.

    Parameters
    ----------
    source : path, list of str, or datasets.Dataset
        A file of lines (``.txt``), ``.jsonl``, ``.csv``, ``.tsv`` or ``.parquet``, each also
        as ``.gz`` (Parquet excepted); or the rows themselves.
    text_column : str or None
        Column with the text, or with lists of turns; by default ``text``, the pair ``prompt`` and
        ``completion``, ``messages``, or the only column beside the unit's.
    unit_column : str or None
        Rows with the same value here, but for spaces around it, are one record; None: each row
        is one. 1 and 1.0 are one value.
    max_rows_per_unit : int
        Rows that a unit may bring; those after are left out and counted.

    Returns
    -------
    Records
        Records in the order of the source, with counts of what was left out.

    Raises
    ------
    DataError
        If the source cannot be read, a column is missing, or no record is left.
    """
    rows = read_rows(source, text_column, unit_column)
    kept = [
        (unit, text.strip() if isinstance(text, str) else text)
        for unit, text in rows
        if text is not None and not is_empty(text)
    ]
    n_empty = len(rows) - len(kept)
    if not kept:
        raise DataError(f"{_name(source)}: no training text, all {len(rows)} rows are empty")
    if unit_column is None:
        return Records(tuple((text,) for _, text in kept), n_empty=n_empty)
    units = _by_unit(kept)
    capped = tuple(tuple(texts[:max_rows_per_unit]) for texts in units.values())
    overflow = len(kept) - sum(len(texts) for texts in capped)
    return Records(capped, unit="user", n_empty=n_empty, n_overflow=overflow, alike=_alike(units))


def _by_unit(rows: Iterable[tuple[str | None, Passage]]) -> dict[str, list[Passage]]:
    units: dict[str, list[Passage]] = {}
    for unit, text in rows:
        if not unit:
            raise DataError(
                "a row with text has no value in the unit column, so nobody can say whose it is"
            )
        units.setdefault(unit, []).append(text)
    return units


def _alike(names: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Names that a reader would take for one person's."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_folded(name), []).append(name)
    return tuple(tuple(same) for same in found.values() if len(same) > 1)


def _folded(name: str) -> str:
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    try:
        number = float(plain)
    except ValueError:
        return plain
    return str(int(number)) if number.is_integer() else plain


def _name(source: Source) -> str:
    return str(Path(source)) if isinstance(source, str | os.PathLike) else "the training data"
