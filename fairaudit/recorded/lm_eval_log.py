"""Logs of lm-evaluation-harness (``--log_samples``): one row for each document and filter.

A row holds the document, every text that was scored or asked with what stood before it, and the
answers before any filter, which are the same for all filters and count once.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairaudit.errors import DataError
from fairaudit.lines import lines_of
from fairaudit.recorded.recorded_rows import objects_of
from fairaudit.recorded.recorded_signs import LOWEST, TURN


@dataclass(frozen=True, slots=True)
class LogRow:
    """One document of a log.

    Parameters
    ----------
    place : str
        File and row, for messages.
    doc : mapping
        The document as the task has it.
    scored : tuple of (str, float)
        Each text that was scored, without what stood before it, and its log-likelihood in nats.
    before : tuple of str
        What stood before each of them.
    written : tuple of str
        What the model wrote, time after time, of a task that lets it write.
    metrics : mapping
        What the log says of the row itself.
    """

    place: str
    doc: Mapping[str, Any]
    scored: tuple[tuple[str, float], ...]
    before: tuple[str, ...]
    written: tuple[str, ...]
    metrics: Mapping[str, Any]


def is_log(content: bytes) -> bool:
    """Whether a file begins as a log of samples does."""
    first = next(iter(lines_of(content[:1_000_000].decode("utf-8-sig", "replace").lstrip())), "")
    return first.startswith(("{", "[")) and '"doc"' in first and '"resps"' in first


def read_log(content: bytes, place: str) -> list[LogRow]:
    """Read the documents of a log, each once.

    Raises
    ------
    DataError
        Naming the row, if the file is no such log, or a document occurs twice with other scores.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    found: dict[str, LogRow] = {}
    filters: set[tuple[str, str]] = set()
    for number, content_of_row in objects_of(text, place):
        row = _row(content_of_row, f"{place}: row {number}")
        key = json.dumps(row.doc, sort_keys=True, default=str)
        of_filter = (key, str(content_of_row.get("filter")))
        if of_filter in filters:
            raise DataError(
                f"{row.place}: the same document again; a log of several runs, or of repeats, has "
                "to be parted"
            )
        filters.add(of_filter)
        earlier = found.setdefault(key, row)
        if (earlier.scored, earlier.written) != (row.scored, row.written):
            raise DataError(f"{row.place}: other answers than in {earlier.place}, of one document")
    if not found:
        raise DataError(f"{place}: holds no samples")
    return list(found.values())


def _row(content: Any, place: str) -> LogRow:
    if not isinstance(content, dict) or not isinstance(content.get("doc"), dict):
        raise DataError(f"{place}: not a sample of a log: it has no 'doc'")
    try:
        arguments = content["arguments"]
        asked = list(arguments.values()) if isinstance(arguments, dict) else list(arguments)
        before, texts = zip(*map(_texts, asked), strict=True)
        said = [list(one) for one in content["resps"]]
        if len(texts) != len(said):
            raise ValueError(f"{len(texts)} arguments and {len(said)} responses")
        if isinstance(said[0][0], str):
            written = tuple(one for repeats in said for one in repeats)
            if not all(isinstance(one, str) for one in written):
                raise TypeError("texts and scores in one response")
            return LogRow(place, content["doc"], (), before, written, content)
        if any(one != repeats[0] for repeats in said for one in repeats):
            raise ValueError("repeats with different scores")
        scored = tuple(
            (text, log_likelihood(one[0][0], place)) for text, one in zip(texts, said, strict=True)
        )
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{place}: not a sample of lm-evaluation-harness ({error!r})") from error
    return LogRow(place, content["doc"], scored, before, (), content)


def _texts(argument: Any) -> tuple[str, str]:
    """Both arguments of a request, as list or by name: what stood before, and what was scored."""
    pair = [argument["arg_0"], argument["arg_1"]] if isinstance(argument, dict) else argument[:2]
    before, text = (one if isinstance(one, str) else "" for one in pair)
    return before, text


def log_likelihood(value: Any, place: str) -> float:
    """Return a log-likelihood in nats.

    Raises
    ------
    DataError
        If it is none: not finite, above 0, or lower than any model gives.
    """
    number = float(value)
    if not math.isfinite(number) or number < LOWEST:
        raise DataError(f"{place}: the log-likelihood is {value}")
    if number > 0:
        raise DataError(
            f"{place}: the score is {number:g}, but a log-likelihood is 0 or below; {TURN}"
        )
    return number
