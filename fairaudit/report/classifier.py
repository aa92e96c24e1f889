"""The check of a text classifier in a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from rich.console import Group

from fairaudit.report import words
from fairaudit.report.document import Block, Column, Document, Heading, Paragraph, Span, Table, View
from fairaudit.report.names import axis_name, metric_of, suite_name
from fairaudit.report.render.terminal import render_terminal
from fairaudit.report.safe_text import shorten
from fairaudit.results import Estimate
from fairaudit.results.classifier import ALPHA, ClassifierCheck
from fairaudit.vocabulary.metrics import CLASSIFIER_GAP, FLAGGED_SHARE, Metric
from fairaudit.vocabulary.units import Unit

_HERE: Final = View.TERMINAL
_LEGEND: Final = (
    "gap: probability for the first group minus that for the second, in the same sentence; * shown "
    "after correction for all gaps. flagged: share with a probability above 50 %."
)


def render_check(found: ClassifierCheck) -> Group:
    """Everything a terminal shows of a check: gaps, flagged shares, and labelled texts."""
    head: tuple[Block, ...] = (
        Heading(shorten(found.classifier, 70), View.TERMINAL),
        Paragraph(f"probability of '{found.label}'", "intro", View.TERMINAL),
        *_tables(found),
        Paragraph(_LEGEND, "intro", View.TERMINAL),
        Paragraph(answer(found), "answer", View.TERMINAL),
    )
    return render_terminal(Document(found.classifier, head))


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


def _tables(found: ClassifierCheck) -> Iterator[Table]:
    for suite in dict.fromkeys(one.suite for one in found.gaps):
        where, own = suite_name(suite).lower(), [one for one in found.gaps if one.suite == suite]
        star = Column("", lambda one: Span("*", "caution") if _is_shown(one) else "")
        yield Table((*_columns(f"Own gap, {where}", _pair, Unit.POINTS), star), own, views=_HERE)
        flagged = [one for one in _named(found, FLAGGED_SHARE) if one.suite == suite]
        yield Table(_columns(f"Flagged, {where}", _group), flagged, views=_HERE)
    if found.calibration:
        known = {FLAGGED_SHARE.name, CLASSIFIER_GAP.name}
        labelled = [one for one in found.estimates if one.name not in known]
        yield Table(_columns("Labelled texts", _labelled), labelled, views=_HERE)
        yield Table(_CALIBRATION, found.calibration, views=_HERE)


def _columns(
    head: str, name: Callable[[Estimate], str], unit: Unit | None = None
) -> tuple[Column, ...]:
    def unit_of(one: Estimate) -> Unit:
        return unit or metric_of(one).unit

    return (
        Column(head, lambda one: f"  {name(one)}"),
        Column("value", lambda one: words.quantity(one.value, unit_of(one)), "num"),
        Column("95 % interval", lambda one: words.bounds(one.interval, unit_of(one))),
        Column("n", lambda one: words.count(one.n), "num"),
    )


_CALIBRATION: Final = (
    Column("Calibration", lambda _: "  texts of like probability"),
    Column("said", lambda one: words.quantity(one.probability, Unit.PERCENT)),
    Column("so", lambda one: words.quantity(one.share, Unit.PERCENT)),
    Column("95 % interval", lambda one: _ends(one.low, one.high)),
    Column("n", lambda one: words.count(one.n), "num"),
)


def _ends(*ends: float) -> str:
    return f"[{', '.join(words.number(end, Unit.PERCENT) for end in ends)}]"


def _named(found: ClassifierCheck, metric: Metric) -> list[Estimate]:
    return [one for one in found.estimates if one.name == metric.name]


def _is_shown(found: Estimate) -> bool:
    return found.p_adjusted is not None and found.p_adjusted < ALPHA


def _pair(found: Estimate) -> str:
    first, _, second = (found.group or "").partition("/")
    return f"{axis_name(found.axis)}: {first} − {second}"


def _group(found: Estimate) -> str:
    return f"{axis_name(found.axis)}: {found.group or ''}"


def _labelled(found: Estimate) -> str:
    return f"{metric_of(found).label}{f', {found.group}' if found.group else ''}"
