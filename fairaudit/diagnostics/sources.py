"""Probe records from a user's texts: a file, a table or a list, grouped by column or by words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.diagnostics.groups_by_words import WordListClassifier
from fairaudit.diagnostics.records import ProbeRecord, ProbeTexts, probe_texts
from fairaudit.errors import DataError, UsageError
from fairaudit.lines import first_line, lines_of

if TYPE_CHECKING:
    import pandas as pd

Source = str | os.PathLike[str] | Sequence[str] | Any

_READERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    ".csv": ("read_csv", {}),
    ".tsv": ("read_csv", {"sep": "\t"}),
    ".jsonl": ("read_json", {"lines": True}),
    ".parquet": ("read_parquet", {}),
}


def from_texts(
    source: Source,
    *,
    group_column: str | None = None,
    template_column: str | None = None,
    text_column: str = "text",
    axis: str = "gender",
    public: bool = False,
) -> ProbeTexts:
    """Read a user's texts as probe records.

    Parameters
    ----------
    source : path, list of str, or pandas.DataFrame
        A ``.txt`` file of lines, ``.csv``, ``.tsv``, ``.jsonl`` or ``.parquet``; or the rows.
    group_column : str or None
        Column with the group; None: the one group that a text names by the word list of ``axis``.
    template_column : str or None
        Column with what is resampled together; None: every text by itself.
    text_column : str
        Column with the text.
    axis : str
        Axis of the word list.
    public : bool
        Whether the texts are public.

    Raises
    ------
    DataError
        If the source cannot be read, a column is missing, a text is empty or the groups cannot be
        compared.
    """
    name = Path(source).name if isinstance(source, str | os.PathLike) else "the texts"
    table = _table(source, text_column)
    wanted = (text_column, group_column, template_column)
    for column in (each for each in wanted if each is not None):
        if column not in table.columns:
            raise DataError(f"{name}: no column '{column}'; there are {', '.join(table.columns)}")
    records = _records(table, name, group_column, template_column, text_column)
    if group_column is not None:
        return probe_texts(records, source=name, public=public)
    return _classified(records, name, axis, public)


def _table(source: Source, text_column: str) -> pd.DataFrame:
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        return source
    if not isinstance(source, str | os.PathLike):
        return pd.DataFrame({text_column: list(source)})
    path = Path(source)
    try:
        if path.suffix == ".txt":
            lines = lines_of(path.read_bytes().decode("utf-8-sig"))
            return pd.DataFrame({text_column: [line for line in lines if line.strip()]})
        if path.suffix not in _READERS:
            known = ", ".join([".txt", *_READERS])
            raise UsageError(f"{path}: texts are read from {known}")
        reader, options = _READERS[path.suffix]
        if path.suffix in (".csv", ".tsv"):
            # Words such as "None" and "NA" are words.
            options = {**options, "keep_default_na": False}
        table: pd.DataFrame = getattr(pd, reader)(path, **options)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not readable ({first_line(error)})") from error
    return table


def _records(
    table: pd.DataFrame,
    name: str,
    group_column: str | None,
    template_column: str | None,
    text_column: str,
) -> list[ProbeRecord]:
    records = []
    for place, (_, row) in enumerate(table.iterrows(), 1):
        text, group = row[text_column], "" if group_column is None else row[group_column]
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{name}: row {place}: the text is empty")
        template = f"row {place}" if template_column is None else str(row[template_column])
        if group_column is not None and (group is None or not str(group).strip()):
            raise DataError(f"{name}: row {place}: no value in column '{group_column}'")
        records.append(ProbeRecord(f"row {place}", text, group_column or "", str(group), template))
    return records


def _classified(records: list[ProbeRecord], name: str, axis: str, public: bool) -> ProbeTexts:
    classifier = WordListClassifier(axis)
    found = [(record, classifier.group_of(record.text)) for record in records]
    kept = [
        ProbeRecord(record.id, record.text, axis, group, record.template)
        for record, group in found
        if group is not None
    ]
    left_out = len(records) - len(kept)
    notes = [f"Groups are those that the word list of {axis} finds in a text."]
    if left_out:
        notes.append(f"{left_out} texts name several groups of {axis} and were left out.")
    return probe_texts(kept, source=name, public=public, notes=notes)
