"""Answers to questions of BBQ in files that other programs wrote.

A file holds the benchmark's own records with a column more for each model (the form in which its
authors publish answers), or a table with ``category``, ``example_id`` and a column of answers. An
answer is one of the three texts; any other is counted as not understood, never as wrong.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.auditing.score_tables import chosen_rows, score_table
from fairaudit.errors import DataError, UsageError
from fairaudit.items import NO_ANSWER, NOT_UNDERSTOOD, Item, Skipped
from fairaudit.lines import lines_of
from fairaudit.recorded.recorded_scores import Recorded
from fairaudit.scoring.texts.answers import answer_of
from fairaudit.suites import DataFinder, SuiteData, bbq
from fairaudit.suites.bbq_records import CATEGORIES, Record, parsed_row, read_records
from fairaudit.suites.data import DataUnavailableError

_KEYS: Final = ("category", "example_id")
_OWN: Final = frozenset(Record.model_fields)

#: An item's name, and what was answered to it: a text, or nothing.
_Answers = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _File:
    """Answers by item id, and the items as far as the file itself describes them."""

    answers: _Answers
    items: Mapping[str, Item]
    column: str


def read_bbq(content: bytes, finder: DataFinder, place: str, column: str | None) -> Recorded:
    """Read recorded answers.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    finder : DataFinder
        Where the benchmark may be; records of the file are checked against it.
    place : str
        Name of the file.
    column : str or None
        Which answers; None where the file holds those of one model.

    Raises
    ------
    DataError
        Naming row and column, if the file is malformed, or its questions are not BBQ's.
    UsageError
        If it is not said which column holds the answers.
    """
    found = _read(content, place, column)
    benchmark = _benchmark(finder, {name.partition("/")[0] for name in found.answers})
    if benchmark is None:
        items, unchecked = _unchecked(found, place)
    else:
        items, unchecked = _checked(found, benchmark, place), ()
    choices = {item.item_id: _choice(item, found) for item in items}
    rows = [
        row for item in items for row in chosen_rows(item, "bbq/recorded", choices[item.item_id])
    ]
    return Recorded(
        score_table(rows),
        items,
        () if benchmark is None else benchmark.sources,
        (
            f"{place}: the answers are those of column '{found.column}'",
            *unchecked,
            *bbq.notes(items, ()),
            *_gaps(list(choices.values()), place),
        ),
    )


def _read(content: bytes, place: str, column: str | None) -> _File:
    if column in _OWN:
        raise UsageError(f"{place}: column '{column}' is the question's own, and holds no answers")
    text = content.decode("utf-8-sig", errors="replace").lstrip()
    first = next(iter(lines_of(text)), "")
    if not first:
        raise DataError(f"{place}: holds no answers")
    if first.startswith("{") and "answer_info" in parsed_row(first, f"{place}: row 1"):
        return _read_records(content, place, column)
    return _read_table(text, place, column)


def _read_records(content: bytes, place: str, column: str | None) -> _File:
    answers: _Answers = {}
    items = {}
    for number, record, row in read_records(content, place):
        column = column or _only_column(row, _OWN, place)
        item = bbq.item_of(record)
        items[item.item_id] = item
        answers[item.item_id] = _cell(row, column, f"{place}: row {number}")
    assert column is not None
    return _File(answers, items, column)


def _read_table(text: str, place: str, column: str | None) -> _File:
    answers: _Answers = {}
    for number, row in _table_rows(text, place):
        where = f"{place}: row {number}"
        column = column or _only_column(row, frozenset(_KEYS), place)
        category, example = (row.get(name) for name in _KEYS)
        if category not in CATEGORIES or not str(example).isdecimal():
            raise DataError(
                f"{where}: columns 'category' and 'example_id' must name a question of BBQ"
            )
        item_id = f"{category}/{int(str(example))}"
        if item_id in answers:
            raise DataError(f"{where}: example {example} of {category} occurs twice")
        answers[item_id] = _cell(row, column, where)
    assert column is not None
    return _File(answers, {}, column)


def _table_rows(text: str, place: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if text.startswith("{"):
        for number, line in enumerate(lines_of(text), 1):
            if line.strip():
                yield number, parsed_row(line, f"{place}: row {number}")
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        if not set(_KEYS) <= set(reader.fieldnames or ()):
            raise DataError(f"{place}: row 1: no columns 'category' and 'example_id'")
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{place}: row {reader.line_num}: not as many cells as columns")
            yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{place}: row {reader.reader.line_num}: not CSV ({error})") from error


def _only_column(row: Mapping[str, Any], known: frozenset[str], place: str) -> str:
    others = [name for name in row if name not in known]
    if len(others) == 1:
        return others[0]
    if not others:
        raise DataError(f"{place}: no column holds answers")
    raise UsageError(f"{place}: name the column of the answers with --column: {', '.join(others)}")


def _cell(row: Mapping[str, Any], column: str, where: str) -> str | None:
    if column not in row:
        raise DataError(f"{where}: column '{column}' is missing")
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        raise DataError(f"{where}: column '{column}' holds {value!r}, not the text of an answer")
    return value


def _benchmark(finder: DataFinder, categories: set[str]) -> SuiteData | None:
    """Those categories of the benchmark, where all of them can be had."""
    try:
        return bbq.load_categories(finder, categories)
    except DataUnavailableError:
        return None


def _checked(found: _File, benchmark: SuiteData, place: str) -> tuple[Item, ...]:
    """All items of the file's categories; each question of the file must be one of them."""
    known = {item.item_id: item for item in benchmark.items}
    strangers = [name for name in found.answers if name not in known]
    if strangers:
        raise DataError(f"{place}: {len(strangers)} questions are not in BBQ ({strangers[0]})")
    differing = [name for name, item in found.items.items() if item != known[name]]
    if differing:
        raise DataError(
            f"{place}: {len(differing)} records are not as in BBQ (first: {differing[0]}); keep "
            "its texts and roles as they are"
        )
    return benchmark.items


def _unchecked(found: _File, place: str) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """All items as far as they are known without the benchmark, and a note that says so."""
    if not found.items:
        raise DataError(
            f"{place}: the questions are named by number only; name the folder of BBQ with --data"
        )
    items = tuple(found.items.values())
    note = (
        f"{place} could not be checked against BBQ, which is not at hand; name its folder with "
        "--data"
    )
    return (*items, *_absent(items, place)), (note,)


def _absent(items: Sequence[Item], place: str) -> Iterator[Item]:
    """Yield an item for each record of a category that the file lacks.

    Half of a category's records are ambiguous; which are missing is not known.
    """
    present = Counter(item.item_id.partition("/")[0] for item in items)
    for category, count in present.items():
        axis, n = CATEGORIES[category]
        if count > n:
            raise DataError(f"{place}: {count:,} records of {category}; BBQ has {n:,}")
        for number in range(count, n):
            condition = ("ambig", "disambig")[number % 2]
            facts = {"condition": condition, "polarity": "neg", "correct": ""}
            name = f"{category}/absent-{number}"
            texts = dict.fromkeys(("target", "other", "unknown"), "")
            yield Item(name, axis, None, f"{category}/absent", texts, facts=facts)


def _choice(item: Item, found: _File) -> str | Skipped:
    """Role of the answer that was given, or why there is none."""
    said = found.answers.get(item.item_id)
    if said is None:
        return NO_ANSWER
    roles = tuple(item.texts)
    place = answer_of(said, tuple(item.texts.values()))
    return NOT_UNDERSTOOD if place is None else roles[place]


def _gaps(choices: Sequence[str | Skipped], place: str) -> Iterator[str]:
    """Say how many questions have no answer, and how many one that is none of the three."""
    for skipped, words in (
        (NO_ANSWER, "have no answer"),
        (NOT_UNDERSTOOD, "have an answer that is none of the three"),
    ):
        n = sum(choice is skipped for choice in choices)
        if n:
            yield f"{place}: {n:,} of {len(choices):,} questions {words} and are skipped"
