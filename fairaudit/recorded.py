"""`audit_scores`: statistics for scores that were recorded elsewhere.

Reads StereoSet prediction files and CrowS-Pairs score tables, compressed or not. The numbers get
the same estimates and intervals as a model's own, under protocol ids that end in ``recorded``.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import io
import json
import math
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fairaudit._version import __version__
from fairaudit.errors import DataError, UsageError
from fairaudit.items import Item
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.results import AuditResult, ModelIdentity, Provenance, Run, Settings, SuiteRun
from fairaudit.score_tables import recorded_rows, score_table
from fairaudit.suites import DataFinder, Suite, crows_pairs, get_suite, stereoset
from fairaudit.suites.data import read_bytes

FORMATS: Final = ("auto", "stereoset", "crows_pairs")
_SCORE_COLUMNS: Final = ("sent_more_score", "sent_less_score")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Score-table rows made from a file, and what had to be said about it."""

    rows: list[dict[str, Any]]
    items: tuple[Item, ...]
    sources: tuple[Any, ...]
    notes: tuple[str, ...] = ()


def audit_scores(
    path: str | os.PathLike[str],
    *,
    suite: str,
    data: str | os.PathLike[str] | None = None,
    format: str = "auto",
    label: str | None = None,
    output: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> AuditResult:
    """Estimate bias from recorded scores.

    Parameters
    ----------
    path : path
        A StereoSet prediction file (JSON: split → list of ``id`` and ``score``) or a CrowS-Pairs
        score table (CSV with ``sent_more_score`` and ``sent_less_score``); ``.gz`` is read too.
    suite : str
        ``stereoset`` or ``crows_pairs``.
    data : path, optional
        Folder with benchmark files; StereoSet's sentences are needed to know what was scored.
    format : str
        ``auto``: the format of the suite.
    label : str, optional
        Name of the audit; default the file's name.
    output : path, optional
        Folder for the audit.
    seed : int
        Seed of the bootstrap.

    Raises
    ------
    FairauditError
        If the file is malformed or does not belong to the suite.
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    chosen = get_suite(suite)
    kind = _format(format, chosen.name)
    content = read_bytes(Path(path))
    finder = DataFinder(Path(data) if data is not None else None)
    place = Path(path).name
    recorded = (
        _stereoset(content, finder, place) if kind == "stereoset" else _crows_pairs(content, place)
    )
    table = score_table(recorded.rows)
    name = label or place.split(".")[0]
    result = AuditResult(
        label=name,
        suites=(_suite_run(chosen, recorded, table),),
        estimates=with_adjusted_p(chosen.estimate(table, seed)),
        provenance=Provenance(
            model=ModelIdentity(id=name),
            settings=Settings(
                seed=seed, suites=(suite,), recorded=hashlib.sha256(content).hexdigest()
            ),
            versions={"fairaudit": __version__, "python": platform.python_version()},
        ),
        notes=recorded.notes,
        run=Run(
            started=started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            host=platform.node(),
        ),
    ).with_tables({suite: table})
    if output is not None:
        from fairaudit.auditing import save_audit

        save_audit(result, Path(output))
    return result


def _format(format: str, suite: str) -> str:
    if format not in FORMATS:
        raise UsageError(f"format '{format}' is not known; there are {', '.join(FORMATS)}")
    if suite not in FORMATS:
        raise UsageError(
            f"recorded scores of suite '{suite}' cannot be read; those of "
            f"{' and '.join(FORMATS[1:])} can"
        )
    if format not in {"auto", suite}:
        raise UsageError(f"recorded scores of suite '{suite}' cannot be read as '{format}'")
    return suite


def _suite_run(suite: Suite, recorded: Recorded, table: Any) -> SuiteRun:
    return SuiteRun(
        suite=suite.name,
        status="run",
        sources=recorded.sources,
        protocols=tuple(sorted(table["protocol"].unique())),
        n_items=len(recorded.items),
        n_skipped=table.loc[table["status"] == "skipped", "item_id"].nunique(),
        caveats=suite.caveats,
    )


def _stereoset(content: bytes, finder: DataFinder, place: str) -> Recorded:
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
    return Recorded(rows, items, data.sources, data.notes)


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


def _crows_pairs(content: bytes, place: str) -> Recorded:
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
    return Recorded(rows, items, (), notes if swapped else ())


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
