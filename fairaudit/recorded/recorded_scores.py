"""Scores in files that other programs wrote: StereoSet predictions, CrowS-Pairs score tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from fairaudit.auditing.score_tables import recorded_rows, score_table
from fairaudit.errors import DataError
from fairaudit.items import Item
from fairaudit.parsing import parse_json
from fairaudit.recorded.recorded_signs import (
    LOWEST,
    refuse_certainty,
    refuse_contradicted,
    refuse_losses,
    refuse_odd_predictions,
)
from fairaudit.results import Source
from fairaudit.results.classifier import ClassifierCheck
from fairaudit.results.texts import PromptTexts
from fairaudit.suites import DataFinder, SuiteData, crows_pairs, stereoset
from fairaudit.suites.data import DataUnavailableError

if TYPE_CHECKING:
    import pandas as pd

#: Scores of an item's sentences by role.
_Scores = dict[str, float | None]

_SCORE_COLUMNS: Final = ("sent_more_score", "sent_less_score")
_SWAPPED: Final = (
    "the file's score columns are swapped in antistereo rows, as its column 'score' shows "
    "(a known fault of the script that writes such files); they were swapped back"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A score table made from a file, and what had to be said about it."""

    table: pd.DataFrame
    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    texts: Mapping[str, tuple[PromptTexts, ...]] = field(default_factory=dict)
    text_scorers: tuple[str, ...] = ()
    #: What classifiers among them make of groups, by their id.
    checks: Mapping[str, ClassifierCheck] = field(default_factory=dict)


def read_stereoset(content: bytes, finder: DataFinder, place: str) -> Recorded:
    """Read a StereoSet prediction file: split → list of ``id`` and ``score``.

    A split of which the file scores nothing is not there; what another one lacks is skipped.

    Raises
    ------
    DataError
        If it is malformed or scores sentences that StereoSet does not hold.
    """
    data = stereoset.SUITE.load(finder)
    scores = _prediction_scores(content, place)
    if not scores:
        raise DataError(f"{place}: holds no scores")
    strangers = scores.keys() - {one for item in data.items for one in _sentence_ids(item).values()}
    if strangers:
        raise DataError(
            f"{place}: {len(strangers)} sentence ids are not in StereoSet's development set "
            f"(first: {min(strangers)})"
        )
    found = [(item, _scores_of(item, scores)) for item in data.items]
    splits = {
        _split(item) for item, one in found if any(score is not None for score in one.values())
    }
    kept = [(item, one) for item, one in found if _split(item) in splits]
    rows = [
        row
        for item, one in kept
        for row in recorded_rows(item, f"stereoset/{_split(item)}-recorded", one)
    ]
    gaps = (
        _gaps([one for item, one in kept if _split(item) == split], f"{split} clusters", place)
        for split in stereoset.SPLITS
    )
    items = tuple(item for item, _ in kept)
    return Recorded(score_table(rows), items, data.sources, (*data.notes, *chain(*gaps)))


def _split(item: Item) -> str:
    return str(item.facts["split"])


def _sentence_ids(item: Item) -> dict[str, str]:
    return {role: str(item.facts[f"{role}_id"]) for role in item.texts}


def _scores_of(item: Item, scores: Mapping[str, float]) -> _Scores:
    return {role: scores.get(sentence) for role, sentence in _sentence_ids(item).items()}


def _prediction_scores(content: bytes, place: str) -> dict[str, float]:
    """Scores by sentence id, of both splits."""
    try:
        splits = parse_json(content)
        entries = {split: list(splits.get(split, [])) for split in stereoset.SPLITS}
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise DataError(f"{place}: not a StereoSet prediction file ({error})") from error
    found: dict[str, float] = {}
    for split, of_split in entries.items():
        scores = []
        for number, entry in enumerate(of_split, 1):
            where = f"{place}: {split} entry {number}"
            sentence, score = _prediction(entry, where)
            if sentence in found:
                raise DataError(f"{where}: duplicate id {sentence}")
            found[sentence] = score
            scores.append(score)
        refuse_odd_predictions(scores, split, place)
    refuse_certainty(list(found.values()), place)
    return found


def _prediction(entry: Any, place: str) -> tuple[str, float]:
    try:
        sentence, score = str(entry["id"]), float(entry["score"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{place}: {error!r}") from error
    if isinstance(entry["score"], bool):
        raise DataError(f"{place}: the score is {entry['score']}, no number")
    if not math.isfinite(score) or score < LOWEST:
        raise DataError(f"{place}: the score is {score}")
    return sentence, score


def read_crows_pairs(content: bytes, finder: DataFinder, place: str) -> Recorded:
    """Read a CrowS-Pairs score table: ``sent_more_score`` and ``sent_less_score`` for each pair.

    Pairs are known by their sentences; those that the file lacks are skipped. Where the benchmark
    can be had, each must be one of its pairs.

    Raises
    ------
    DataError
        Naming row and column, if it is malformed; or if it holds a pair twice, or a stranger.
    """
    items = crows_pairs.by_text(crows_pairs.parse(content, delimiter=",", place=place), place)
    swapped, found = _crows_pairs_scores(content, items, place)
    benchmark = _benchmark(finder)
    if benchmark is None:
        whole, unchecked = _unchecked(items, place)
    else:
        whole, unchecked = crows_pairs.by_text(benchmark.items, crows_pairs.ORIGINAL.path), ()
        _check_pairs(items, whole, place)
    scores = [found.get(item.item_id, dict.fromkeys(item.texts)) for item in whole]
    rows = [
        row
        for item, one in zip(whole, scores, strict=True)
        for row in recorded_rows(item, "crows_pairs/recorded", one)
    ]
    notes = (*((_SWAPPED,) if swapped else ()), *unchecked, *_gaps(scores, "pairs", place))
    return Recorded(score_table(rows), whole, benchmark.sources if benchmark else (), notes)


def _crows_pairs_scores(
    content: bytes, items: Sequence[Item], place: str
) -> tuple[bool, dict[str, _Scores]]:
    """Whether the columns of antistereo rows were swapped back, and the scores by item id."""
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    missing = [name for name in _SCORE_COLUMNS if name not in table[0]]
    if missing:
        raise DataError(
            f"{place}: column '{missing[0]}' is missing; write log-likelihoods into it, losses "
            "with the opposite sign"
        )
    pairs = [_pair_scores(row, f"{place}: row {number}") for number, row in enumerate(table, 2)]
    refuse_losses(pairs, place)
    refuse_certainty([one for pair in pairs for one in pair if one is not None], place)
    refuse_contradicted(table, pairs, place)
    swapped = _columns_are_swapped(table, pairs, place)
    found: dict[str, _Scores] = {}
    for item, (more, less) in zip(items, pairs, strict=True):
        if swapped and item.facts["direction"] == "antistereo":
            more, less = less, more
        found[item.item_id] = {"stereotype": more, "anti_stereotype": less}
    return swapped, found


def _benchmark(finder: DataFinder) -> SuiteData | None:
    """CrowS-Pairs, where it can be had: scores carry their sentences and are read without it."""
    try:
        return crows_pairs.SUITE.load(finder)
    except DataUnavailableError:
        return None


def _unchecked(items: Sequence[Item], place: str) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """All pairs as far as they are known without the benchmark, and a note that says so."""
    n = sum(crows_pairs.N_PAIRS.values())
    if len(items) > n:
        raise DataError(f"{place}: holds {len(items):,} pairs; CrowS-Pairs has {n:,}")
    note = (
        f"{place} could not be checked against CrowS-Pairs, which is not at hand; name its folder "
        "with --data"
    )
    return (*items, *crows_pairs.absent(items)), (note,)


def _check_pairs(items: Sequence[Item], benchmark: Sequence[Item], place: str) -> None:
    known = {item.item_id: item for item in benchmark}
    strangers = [row for row, item in enumerate(items, 2) if item.item_id not in known]
    if strangers:
        raise DataError(
            f"{place}: {len(strangers)} pairs are not in CrowS-Pairs (first: row {strangers[0]}); "
            "keep its sentences as they are"
        )
    for row, item in enumerate(items, 2):
        theirs = known[item.item_id]
        if (item.axis, item.facts) != (theirs.axis, theirs.facts):
            raise DataError(
                f"{place}: row {row}: column 'stereo_antistereo' or 'bias_type' is not as in "
                "CrowS-Pairs"
            )


def _gaps(scores: Sequence[_Scores], what: str, place: str) -> Iterator[str]:
    """Yield what is to be said of items without a score of each sentence, if there are any."""
    n = sum(None in one.values() for one in scores)
    if n:
        yield f"{place}: {n:,} of {len(scores):,} {what} lack a score and are skipped"


def _pair_scores(row: Mapping[str, str], place: str) -> tuple[float | None, float | None]:
    return tuple(_number(row[name], f"{place}: column '{name}'") for name in _SCORE_COLUMNS)  # type: ignore[return-value]


def _number(text: str | None, place: str) -> float | None:
    if text is None or not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{place}: '{text}' is not a number") from None
    if not math.isfinite(value) or value < LOWEST:
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
