"""Bias beside capability: where each model stands, for comparisons of several candidates.

A model can look fair because it is dull. In the plane a candidate that lost bias together with
ability moves down and to the left; one that only lost bias moves straight towards the ideal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report.comparison.view import MatrixRow, matrix
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name, metric_of, suite_name
from fairaudit.report.scale import Scale, fit
from fairaudit.report.verdicts import word_of
from fairaudit.results import Change, Comparison, ComparisonResult
from fairaudit.vocabulary.metrics import TOKEN_ACCURACY
from fairaudit.vocabulary.tones import Tone

#: Planes of one report; every number stands in the tables too.
_MOST: Final = 6
_PROBE: Final = TOKEN_ACCURACY.name
CAPTION: Final = "Each model at its bias (up) and its capability (right)."


@dataclass(frozen=True, slots=True)
class Point:
    """One model: its name, where it stands, and its verdict (baseline: none)."""

    name: str
    x: float
    y: float
    tone: Tone
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class Plane:
    """One bias (up) against one capability (right), a point per model."""

    title: str
    x: Mark
    y: Mark
    x_label: str
    y_label: str
    x_scale: Scale
    y_scale: Scale
    points: tuple[Point, ...]


def planes(result: ComparisonResult) -> tuple[Plane, ...]:
    """Return a plane for each bias with a capability beside it, at most six.

    Empty for a single candidate, whose two points a table shows as well.
    """
    if len(result.candidates) < 2:
        return ()
    # The worst groups of two candidates differ: their values have no common axis.
    rows = (row for row in matrix(result) if not row.first.group_changes)
    made = (_plane(row, result) for row in rows)
    return tuple(plane for plane in made if plane is not None)[:_MOST]


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Return places for labels that want to be at ``wanted``: in order, ``gap`` apart.

    They stay between ``low`` and ``high`` as long as there is room for all of them.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    places = [0.0] * len(wanted)
    floor = low
    for index in order:
        places[index] = max(wanted[index], floor)
        floor = places[index] + gap
    ceiling = high
    for index in reversed(order):
        places[index] = min(places[index], ceiling)
        ceiling = places[index] - gap
    return places


def _plane(row: MatrixRow, result: ComparisonResult) -> Plane | None:
    pairs = [
        (found, change)
        for found in row.cells
        if found is not None and (change := _beside(found, result.changes)) is not None
    ]
    shown = [pair for pair in pairs if pair[0].value_candidate is not None]
    if len(shown) < 2:
        return None
    first, change = shown[0]
    points = (*_baseline(first, change, result), *(_point(*pair) for pair in shown))
    x, y = _mark(change, None), _mark(first, first.ideal)
    x_scale, y_scale = fit(_along(x, points, "x")), fit(_along(y, points, "y"))
    assert x_scale is not None
    assert y_scale is not None
    where = f"{axis_name(first.axis)} · {suite_name(first.suite)}"
    turned = " (lower is more stereotyped)" if first.direction < 0 else ""
    labels = metric_of(change).label, f"{metric_of(first).label}{turned}"
    return Plane(where, x, y, *labels, x_scale, y_scale, points)


def _beside(found: Comparison, changes: Sequence[Change]) -> Change | None:
    """Return the capability that stands beside a bias: its own, pooled, or the probe text's."""
    own = [
        one
        for one in changes
        if one.candidate == found.candidate
        and one.kind == "capability"
        and one.group is None
        and None not in (one.value_baseline, one.value_candidate)
    ]
    for axis in (found.axis, "all"):
        for one in own:
            if one.protocol == found.protocol and one.axis == axis:
                return one
    return next((one for one in own if one.name == _PROBE), None)


def _point(found: Comparison, change: Change) -> Point:
    assert found.value_candidate is not None
    assert change.value_candidate is not None
    return Point(
        found.candidate, change.value_candidate, found.value_candidate, word_of(found).tone
    )


def _baseline(found: Comparison, change: Change, result: ComparisonResult) -> tuple[Point, ...]:
    x, y = change.value_baseline, found.value_baseline
    if x is None or y is None:
        return ()
    return (Point(result.baseline, x, y, Tone.APART, is_baseline=True),)


def _mark(found: Comparison | Change, ideal: float | None) -> Mark:
    return Mark(None, None, metric_of(found).unit, ideal=ideal)


def _along(mark: Mark, points: Sequence[Point], way: str) -> list[Mark]:
    """Return marks to fit a scale around: every point of an axis, and its ideal."""
    return [Mark(getattr(point, way), None, mark.unit, ideal=mark.ideal) for point in points]
