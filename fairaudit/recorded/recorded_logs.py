"""Scores in the logs of lm-evaluation-harness (``--log_samples``), and in tables of sentences.

A row of a log holds the document, every text that was scored with what stood before it, and the
log-likelihoods. Rows are joined to items by their texts: ``doc_id`` counts the documents of one run
and means others as soon as samples are chosen. A log has a row for each filter; the
log-likelihoods in ``resps`` are those before any filter, so they are the same and count once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from fairaudit.auditing.score_tables import (
    choice_rows,
    chosen_rows,
    recorded_rows,
    score_table,
)
from fairaudit.errors import DataError, UsageError, fault_words
from fairaudit.items import NO_ANSWER, NOT_UNDERSTOOD, Item, Skipped
from fairaudit.recorded.lm_eval_log import LogRow, log_likelihood, read_log
from fairaudit.recorded.recorded_rows import objects_of
from fairaudit.recorded.recorded_scores import Recorded
from fairaudit.recorded.recorded_signs import TURN, refuse_certainty
from fairaudit.scoring.texts.answers import answer_of
from fairaudit.suites import DataFinder, Suite, SuiteData, bbq
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.bbq_records import Record
from fairaudit.suites.coreference import SENTENCES
from fairaudit.suites.data import DataUnavailableError
from fairaudit.vocabulary.suites import BBQ, WINOGENDER

#: Scores of an item's texts by role.
_Scores = dict[str, float | None]
#: Of an item by its id.
_Found = dict[str, _Scores]

_OF_SENTENCES: Final = ("sentence", "text")
_TOLERANCE: Final = 1e-3
_LOSS: Final = re.compile(r"(?i)(?<![a-z])(?:loss|nll|ppl|perplexity|surprisal)(?![a-z])")


def read_lm_eval(content: bytes, suite: Suite, finder: DataFinder, place: str) -> Recorded:
    """Read a log of samples as scores of a suite.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    suite : Suite
        BBQ, Winogender, or any suite of pairs.
    finder : DataFinder
        Where the benchmark is.
    place : str
        Name of the file.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed, or none of its documents is an item of the suite.
    """
    rows = read_log(content, place)
    data = _load(suite, finder)
    if suite.name == BBQ.name:
        return _bbq(rows, data, place)
    join = _coreference if suite.name == WINOGENDER.name else _pairs
    found, strangers = join(rows, data.items)
    variant = "refers-to-recorded" if suite.name == WINOGENDER.name else "causal-sum-recorded"
    return _recorded(found, strangers, data, f"{suite.name}/{variant}", place)


def read_sentences(
    content: bytes, suite: Suite, finder: DataFinder, place: str, column: str | None
) -> Recorded:
    """Read a table with one row per sentence: its text and its log-likelihood.

    Parameters
    ----------
    content, suite, finder, place
        As for `read_lm_eval`; the suite is one of pairs.
    column : str or None
        Which column holds the log-likelihoods; None where there is one beside the text.

    Raises
    ------
    DataError
        Naming the row, if the table is malformed, or holds no sentence of the suite.
    UsageError
        If it is not said which column holds the scores.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    scores: dict[str, float | None] = {}
    for number, row in objects_of(text, place, _OF_SENTENCES):
        where = f"{place}: row {number}"
        if not isinstance(row, dict):
            raise DataError(f"{where}: not an object with a sentence and its score")
        named = next((name for name in _OF_SENTENCES if isinstance(row.get(name), str)), None)
        if named is None:
            raise DataError(f"{where}: no column 'sentence' or 'text'")
        column = column or _only_column(row, named, place)
        _refuse_loss(column, place)
        sentence = _blanks(row[named])
        if sentence in scores:
            raise DataError(f"{where}: duplicate sentence")
        scores[sentence] = _cell(row, column, where)
    data = _load(suite, finder)
    found = {
        item.item_id: {role: scores.get(_blanks(item.texts[role])) for role in pairs.PAIR}
        for item in data.items
    }
    known = {_blanks(item.texts[role]) for item in data.items for role in pairs.PAIR}
    strangers = len(scores.keys() - known)
    protocol = f"{suite.name}/causal-sum-recorded"
    return _recorded(found, strangers, data, protocol, place, "sentences")


def _only_column(row: Mapping[str, Any], named: str, place: str) -> str:
    others = [name for name in row if name != named]
    if len(others) == 1:
        return others[0]
    raise UsageError(
        f"{place}: name the column of the log-likelihoods with --column: {', '.join(others)}"
    )


def _refuse_loss(column: str, place: str) -> None:
    """Raise if a column is named as what is the lower, the more probable a sentence is."""
    if _LOSS.search(column):
        raise DataError(
            f"{place}: column '{column}' is named as a loss, and a log-likelihood is wanted; "
            f"{TURN}, and the column to be named otherwise"
        )


def _cell(row: Mapping[str, Any], column: str, where: str) -> float | None:
    if column not in row:
        raise DataError(f"{where}: column '{column}' is missing")
    value = row[column]
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool):
        raise DataError(f"{where}: column '{column}' holds {value}, no number")
    try:
        return log_likelihood(value, where)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{where}: column '{column}' holds {value!r}, no number") from None


def _load(suite: Suite, finder: DataFinder) -> SuiteData:
    try:
        return suite.load(finder)
    except DataUnavailableError as error:
        raise DataError(
            f"the items of '{suite.name}' are needed to know what was scored ({error})"
        ) from error


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _pairs(rows: Sequence[LogRow], items: Sequence[Item]) -> tuple[_Found, int]:
    """Scores of pairs, known by their two sentences in either order."""
    known: dict[frozenset[str], list[Item]] = {}
    for item in items:
        both = frozenset(_blanks(item.texts[role]) for role in pairs.PAIR)
        known.setdefault(both, []).append(item)
    found: _Found = {}
    strangers = 0
    for row in rows:
        scores = {_blanks(text): score for text, score in row.scored}
        matching = known.get(frozenset(scores), [])
        strangers += not matching
        _refuse_another_pair(row)
        for item in matching:
            found[item.item_id] = {role: scores[_blanks(item.texts[role])] for role in pairs.PAIR}
        _refuse_contradicted(row)
    return found, strangers


def _refuse_another_pair(row: LogRow) -> None:
    """Raise if a row scores its sentences after another text, or others than its document's.

    A sentence's log-likelihood after a context is not that of the sentence, and the task scores
    the two sentences of a document in their order.
    """
    before = next((text for text in row.before if text.strip()), None)
    if before is not None:
        raise DataError(
            f"{row.place}: its sentences were scored after {before[:40]!r}; run the task without "
            "examples, system text and chat template"
        )
    named = [row.doc.get(name) for name in ("sent_more", "sent_less")]
    scored = [_blanks(text) for text, _ in row.scored]
    if None not in named and scored != [_blanks(str(text)) for text in named]:
        raise DataError(f"{row.place}: its scores are not those of its document's two sentences")


def _refuse_contradicted(row: LogRow) -> None:
    """Raise if what a row of CrowS-Pairs says of itself does not follow from its scores."""
    if len(row.scored) != 2 or "pct_stereotype" not in row.metrics:
        return
    (_, more), (_, less) = row.scored
    said = row.metrics["pct_stereotype"], row.metrics.get("likelihood_diff", abs(more - less))
    try:
        agrees = float(said[0]) == float(more > less) and math.isclose(
            float(said[1]), abs(more - less), abs_tol=_TOLERANCE
        )
    except (TypeError, ValueError):
        agrees = False
    if not agrees:
        raise DataError(
            f"{row.place}: 'pct_stereotype' or 'likelihood_diff' does not follow from the scores; "
            f"{TURN}"
        )


def _coreference(rows: Sequence[LogRow], items: Sequence[Item]) -> tuple[_Found, int]:
    """Scores of the two people that a pronoun may refer to, known by the sentence."""
    known = {
        _blanks(item.texts[role]): (item, name)
        for item in items
        for name, role in SENTENCES.items()
        if role in item.texts
    }
    found: _Found = {}
    strangers = 0
    for row in rows:
        item, name = known.get(_blanks(str(row.doc.get("sentence", ""))), (None, ""))
        if item is None:
            strangers += 1
            continue
        scores = {_blanks(text): score for text, score in row.scored}
        of_item = found.setdefault(item.item_id, {})
        for whom in ("right", "wrong"):
            of_item[f"{name}_{whom}"] = scores.get(item.texts[f"{name}_{whom}"])
    roles = [f"{name}_{whom}" for name in SENTENCES for whom in ("right", "wrong")]
    return {key: {role: one.get(role) for role in roles} for key, one in found.items()}, strangers


def _recorded(
    found: _Found,
    strangers: int,
    data: SuiteData,
    protocol: str,
    place: str,
    what: str = "documents",
) -> Recorded:
    """Make the score table; items that the file lacks are skipped, and both counted."""
    given = [score for one in found.values() for score in one.values() if score is not None]
    if not given:
        raise DataError(f"{place}: holds no scores of items of '{protocol.partition('/')[0]}'")
    refuse_certainty(given, place)
    nothing = dict.fromkeys(next(iter(found.values())))
    scores = {item.item_id: found.get(item.item_id, nothing) for item in data.items}
    rows = [
        row for item in data.items for row in recorded_rows(item, protocol, scores[item.item_id])
    ]
    return Recorded(
        score_table(rows),
        data.items,
        data.sources,
        (*data.notes, *_gaps(scores, strangers, what, place)),
    )


def _gaps(scores: Mapping[str, _Scores], strangers: int, what: str, place: str) -> Iterator[str]:
    lacking = sum(None in one.values() for one in scores.values())
    if lacking:
        yield f"{place}: {lacking:,} of {len(scores):,} items lack a score and are skipped"
    if strangers:
        yield f"{place}: {strangers:,} {what} are not in the suite; left out"


def _bbq(rows: Sequence[LogRow], data: SuiteData, place: str) -> Recorded:
    """Scores of three answers, or what was written; questions are known by their own record."""
    records = [_record(row) for row in rows]
    known = {item.item_id: item for item in data.items}
    asked = {item.item_id: row for item, row in zip(records, rows, strict=True)}
    odd = next((item for item in records if known.get(item.item_id, item) != item), None)
    if odd is not None:
        raise DataError(f"{place}: question {odd.item_id} is not as in BBQ")
    strangers = len(asked.keys() - known.keys())
    if strangers == len(asked):
        raise DataError(f"{place}: holds no questions of BBQ's categories at hand")
    categories = {key.partition("/")[0] for key in asked}
    items = tuple(one for one in data.items if one.item_id.partition("/")[0] in categories)
    n_written = sum(bool(row.written) for row in rows)
    if 0 < n_written < len(rows):
        raise DataError(
            f"{place}: {n_written:,} rows hold texts and {len(rows) - n_written:,} scores; part "
            "the log by its tasks"
        )
    table = _written(items, asked) if n_written else _likelihoods(items, asked)
    lacking = sum(item.item_id not in asked for item in items)
    others = sum(len(row.scored) > 3 for row in rows)
    foreign = sum(
        item_id in known and not n_written and not _has_all(known[item_id], row)
        for item_id, row in asked.items()
    )
    notes = [*data.notes]
    if foreign:
        notes.append(
            f"{place}: {foreign:,} rows score other texts than the three answers and are skipped"
        )
    if lacking:
        notes.append(
            f"{place}: {lacking:,} of {len(items):,} questions have no answer and are skipped"
        )
    if strangers:
        notes.append(f"{place}: {strangers:,} questions are of categories that are not at hand")
    if others:
        notes.append(
            f"{place}: other ways of saying that one does not know were scored too, in {others:,} "
            "rows; an answer is the likeliest of the three that BBQ has"
        )
    return Recorded(score_table(table), items, data.sources, tuple(notes))


def _record(row: LogRow) -> Item:
    try:
        return bbq.item_of(Record.model_validate(row.doc))
    except ValidationError as error:
        said = fault_words(error.errors()[0])
        raise DataError(f"{row.place}: no question of BBQ ({said})") from error


def _has_all(item: Item, row: LogRow) -> bool:
    """Whether a row scores all three answers of its question."""
    return {_blanks(text) for text in item.texts.values()} <= {_blanks(t) for t, _ in row.scored}


def _likelihoods(items: Iterable[Item], asked: Mapping[str, LogRow]) -> list[dict[str, Any]]:
    def scores(item: Item) -> _Scores:
        row = asked.get(item.item_id)
        found = {} if row is None else {_blanks(text): score for text, score in row.scored}
        given = {role: found.get(_blanks(text)) for role, text in item.texts.items()}
        if row is not None:
            _refuse_wrong_accuracy(item, given, row)
        return given

    protocol = "bbq/choices-sum-recorded"
    return [row for item in items for row in recorded_rows(item, protocol, scores(item))]


def _refuse_wrong_accuracy(item: Item, scores: _Scores, row: LogRow) -> None:
    """Raise if a row's own ``acc`` does not follow from its scores of the three answers alone."""
    said, given = row.metrics.get("acc"), [one for one in scores.values() if one is not None]
    if said is None or len(row.scored) != 3 or len(given) != 3:
        return
    best = [role for role, score in scores.items() if score == max(given)]
    agrees = float(best == [item.facts["correct"]])
    if said not in (0, 1) or (len(best) == 1 and said != agrees):
        raise DataError(f"{row.place}: 'acc' is {said!r}, which does not follow from the scores")


def _written(items: Iterable[Item], asked: Mapping[str, LogRow]) -> list[dict[str, Any]]:
    """Rows of what was written; of answers to a question asked more than once, all of them."""

    def choices(item: Item) -> list[str | Skipped]:
        row, roles = asked.get(item.item_id), tuple(item.texts)
        written = () if row is None else row.written
        places = [answer_of(one, tuple(item.texts.values())) for one in written]
        return [NOT_UNDERSTOOD if one is None else roles[one] for one in places] or [NO_ANSWER]

    found = {item.item_id: (item, choices(item)) for item in items}
    if all(len(given) == 1 for _, given in found.values()):
        return [
            row for item, (one,) in found.values() for row in chosen_rows(item, "bbq/recorded", one)
        ]
    protocol = "bbq/choices-parsed-recorded"
    return [
        row
        for item, given in found.values()
        for row in choice_rows(item, protocol, tuple(item.texts), given)
    ]
