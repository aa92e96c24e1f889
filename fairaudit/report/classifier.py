"""The check of a text classifier in a terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fairaudit.report import words
from fairaudit.report.names import axis_name, metric_of, suite_name
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.terminal_tables import grid
from fairaudit.results import Estimate
from fairaudit.results.classifier import ALPHA, ClassifierCheck
from fairaudit.vocabulary.metrics import CLASSIFIER_GAP, FLAGGED_SHARE
from fairaudit.vocabulary.units import Unit

_LEGEND: Final = (
    "gap: probability for the first group minus that for the second, in the same sentence; * shown "
    "after correction for all gaps. flagged: share with a probability above 50 %."
)


def render_check(found: ClassifierCheck) -> Group:
    """Everything a terminal shows of a check: gaps, flagged shares, and labelled texts."""
    parts: list[RenderableType] = [
        Text(shorten(found.classifier, 70), style="bold"),
        Text(f"probability of '{clean(found.label)}'", style="dim"),
        Text(),
    ]
    for suite in dict.fromkeys(one.suite for one in found.gaps):
        parts += [_gaps(found, suite), Text(), _flags(found, suite), Text()]
    if found.calibration:
        parts += [_labelled(found), Text(), _calibration(found), Text()]
    parts += [Text(_LEGEND, style="dim"), Text(answer(found), style="bold")]
    return Group(*parts)


def answer(found: ClassifierCheck) -> str:
    """Say in a sentence on which axes the classifier treats groups differently."""
    leaning = [axis for axis in found.axes if found.leans(axis)]
    if not leaning:
        return (
            "No axis shows a gap of the classifier's own. Finding none does not mean there is none."
        )
    largest = [words.size(_value(found, axis), Unit.POINTS) for axis in leaning]
    named = [
        f"{axis_name(axis).lower()} ({size})" for axis, size in zip(leaning, largest, strict=True)
    ]
    return (
        "The classifier scores the same sentence differently when it names another group: largest "
        f"gap by axis: {words.listed(named)}. Such a gap enters every audit that uses it."
    )


def _value(found: ClassifierCheck, axis: str) -> float:
    largest = found.largest(axis)
    return 0.0 if largest is None or largest.value is None else largest.value


def _gaps(found: ClassifierCheck, suite: str) -> Table:
    table = grid(f"Own gap, {_where(suite)}", "value", "95 % interval", "n", "")
    for one in found.gaps:
        if one.suite == suite:
            first, _, second = (one.group or "").partition("/")
            shown = one.p_adjusted is not None and one.p_adjusted < ALPHA
            table.add_row(
                Text(f"  {axis_name(one.axis)}: {clean(first)} − {clean(second)}"),
                *_numbers(one, Unit.POINTS),
                Text("*" if shown else "", style="yellow"),
            )
    return table


def _flags(found: ClassifierCheck, suite: str) -> Table:
    table = grid(f"Flagged, {_where(suite)}", "value", "95 % interval", "n")
    for one in found.estimates:
        if one.suite == suite and one.name == FLAGGED_SHARE.name:
            name = f"  {axis_name(one.axis)}: {clean(one.group or '')}"
            table.add_row(Text(name), *_numbers(one))
    return table


def _labelled(found: ClassifierCheck) -> Table:
    table = grid("Labelled texts", "value", "95 % interval", "n")
    known = {FLAGGED_SHARE.name, CLASSIFIER_GAP.name}
    for one in found.estimates:
        if one.name not in known:
            about = f", {clean(one.group)}" if one.group else ""
            name = f"  {metric_of(one).label}{about}"
            table.add_row(Text(name), *_numbers(one))
    return table


def _calibration(found: ClassifierCheck) -> Table:
    table = grid("Calibration", "said", "so", "95 % interval", "n")
    for one in found.calibration:
        low, high = (words.number(bound, Unit.PERCENT) for bound in (one.low, one.high))
        table.add_row(
            Text("  texts of like probability"),
            Text(words.quantity(one.probability, Unit.PERCENT)),
            Text(words.quantity(one.share, Unit.PERCENT)),
            Text(f"[{low}, {high}]"),
            Text(words.count(one.n)),
        )
    return table


def _numbers(one: Estimate, unit: Unit | None = None) -> tuple[Text, Text, Text]:
    unit = unit or metric_of(one).unit
    interval = words.MISSING if one.interval is None else words.bounds(one.interval, unit)
    return Text(words.quantity(one.value, unit)), Text(interval), Text(words.count(one.n))


def _where(suite: str) -> str:
    return suite_name(suite).lower()
