"""Texts that people labelled, to check a classifier by: one row per text, in JSON or CSV.

A row has ``text`` and ``label``; 1, true, yes or the name of the classifier's label say that people
gave it, 0, false, no or another name that they did not. ``group`` may say whom the text is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fairaudit.auditing.classifier_check import LabelledText
from fairaudit.errors import DataError
from fairaudit.recorded.recorded_rows import objects_of
from fairaudit.suites.data import read_bytes

_YES: Final = frozenset({"1", "1.0", "true", "yes"})
_NO: Final = frozenset({"0", "0.0", "false", "no"})


def read_labelled(path: Path, label: str) -> list[LabelledText]:
    """Read labelled texts.

    Parameters
    ----------
    path : path
        JSONL, JSON or CSV, gzip or not.
    label : str
        The label that is looked at, by its name.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed; if only one of both answers was given.
    """
    try:
        content = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name}: not UTF-8 ({error})") from error
    found = [
        _labelled(row, label, f"{path.name}: row {number}")
        for number, row in objects_of(content, path.name, needed=("text",))
    ]
    if len({one.labelled for one in found}) < 2:
        raise DataError(f"{path.name}: all {len(found):,} texts have the same label")
    return found


def _labelled(row: Any, label: str, where: str) -> LabelledText:
    if not isinstance(row, Mapping) or not isinstance(row.get("text"), str):
        raise DataError(f"{where}: 'text' must be a text")
    if not row["text"].strip():
        raise DataError(f"{where}: the text is empty")
    given = str(row.get("label", "")).strip().lower()
    if not given or row["label"] is None:
        raise DataError(f"{where}: 'label' is missing; write 1 for '{label}', otherwise 0")
    if given not in _YES | _NO | {label.lower()} and given.replace(".", "").isdigit():
        raise DataError(f"{where}: label {given} is neither 0 nor 1")
    group = row.get("group")
    return LabelledText(
        text=row["text"],
        labelled=given in _YES or given == label.lower(),
        group=str(group) if group not in (None, "") else None,
    )
