"""Scores in files that other programs wrote: StereoSet predictions, CrowS-Pairs score tables."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from fairaudit.errors import DataError
from fairaudit.items import Item
from fairaudit.results import Source
from fairaudit.results.texts import PromptTexts
from fairaudit.score_tables import recorded_rows, score_table
from fairaudit.suites import DataFinder, crows_pairs, stereoset

if TYPE_CHECKING:
    import pandas as pd

_SCORE_COLUMNS: Final = ("sent_more_score", "sent_less_score")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A score table made from a file, and what had to be said about it."""

    table: pd.DataFrame
    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    texts: Mapping[str, tuple[PromptTexts, ...]] = field(default_factory=dict)
    text_scorers: tuple[str, ...] = ()


def read_stereoset(content: bytes, finder: DataFinder, place: str) -> Recorded:
    """Read a StereoSet prediction file: split → list of ``id`` and ``score``.

    Raises
    ------
    DataError
        If it is malformed or scores sentences that StereoSet does not hold.
    """
    data = stereoset.SUITE.load(finder)
    scores = dict(_prediction_scores(content, place))
    if not scores:
        raise DataError(f"{place}: holds no scores")
    rows: list[dict[str, Any]] = []
    known: set[str] = set()
    for item in data.items:
        ids = {role: str(item.facts[f"{role}_id"]) for role in item.texts}
        known.update(ids.values())
        if scores.keys() & ids.values():
            found = {role: scores.get(sentence) for role, sentence in ids.items()}
            rows.extend(recorded_rows(item, f"stereoset/{item.facts['split']}-recorded", found))
    strangers = scores.keys() - known
    if strangers:
        raise DataError(
            f"{place}: {len(strangers)} sentence ids are not in StereoSet's development set "
            f"(first: {min(strangers)})"
        )
    scored = {row["item_id"] for row in rows}
    items = tuple(item for item in data.items if item.item_id in scored)
    return Recorded(score_table(rows), items, data.sources, data.notes)


def _prediction_scores(content: bytes, place: str) -> Iterator[tuple[str, float]]:
    try:
        splits = json.loads(content)
        entries = [(split, entry) for split in stereoset.SPLITS for entry in splits.get(split, [])]
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{place}: not a StereoSet prediction file ({error})") from error
    seen: set[str] = set()
    for number, (split, entry) in enumerate(entries, 1):
        try:
            sentence, score = str(entry["id"]), float(entry["score"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{place}: {split} entry {number}: {error!r}") from error
        if not math.isfinite(score):
            raise DataError(f"{place}: {split} entry {number}: the score is {score}")
        if sentence in seen:
            raise DataError(f"{place}: {split} entry {number}: id {sentence} stands twice")
        seen.add(sentence)
        yield sentence, score


def read_crows_pairs(content: bytes, place: str) -> Recorded:
    """Read a CrowS-Pairs score table: ``sent_more_score`` and ``sent_less_score`` for each pair.

    Raises
    ------
    DataError
        Naming row and column, if it is malformed.
    """
    items = crows_pairs.parse(content, delimiter=",", place=place)
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    missing = [name for name in _SCORE_COLUMNS if name not in table[0]]
    if missing:
        raise DataError(f"{place}: column '{missing[0]}' is missing")
    pairs = [_pair_scores(row, f"{place}: row {number}") for number, row in enumerate(table, 2)]
    swapped = _columns_are_swapped(table, pairs, place)
    rows: list[dict[str, Any]] = []
    for item, (more, less) in zip(items, pairs, strict=True):
        if swapped and item.facts["direction"] == "antistereo":
            more, less = less, more
        rows.extend(
            recorded_rows(
                item, "crows_pairs/recorded", {"stereotype": more, "anti_stereotype": less}
            )
        )
    notes = (
        "the file's score columns are swapped in antistereo rows, as its column 'score' shows "
        "(a known fault of the script that writes such files); they were swapped back",
    )
    return Recorded(score_table(rows), items, (), notes if swapped else ())


def _pair_scores(row: Mapping[str, str], place: str) -> tuple[float | None, float | None]:
    return tuple(_number(row[name], f"{place}: column '{name}'") for name in _SCORE_COLUMNS)  # type: ignore[return-value]


def _number(text: str | None, place: str) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{place}: '{text}' is not a number") from None
    if not math.isfinite(value):
        raise DataError(f"{place}: the score is {text}")
    return value


def _columns_are_swapped(
    table: Iterable[Mapping[str, str]],
    pairs: Iterable[tuple[float | None, float | None]],
    place: str,
) -> bool:
    """Whether antistereo rows carry the scores of the other sentence.

    The authors' script writes ``score`` = 1 where ``sent_more`` is preferred, but in antistereo
    rows puts each score into the other sentence's column. The rows themselves show which.
    """
    swapped = straight = 0
    for row, (more, less) in zip(table, pairs, strict=True):
        marked = row.get("score", "")
        if row["stereo_antistereo"] != "antistereo" or marked not in {"0", "1"}:
            continue
        if more is None or less is None or more == less:
            continue
        if (more > less) == (marked == "1"):
            straight += 1
        else:
            swapped += 1
    if swapped and straight:
        raise DataError(f"{place}: column 'score' contradicts the two score columns")
    return swapped > 0
