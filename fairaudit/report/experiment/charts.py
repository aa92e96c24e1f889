"""Bias by ε: one chart per axis, a row per arm, from no privacy to the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from fairaudit.report.comparison.plane import Plane, Point
from fairaudit.report.experiment import numbers, view
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.grouping import anchor, grouped
from fairaudit.report.marks import Mark, Span
from fairaudit.report.names import Unit, axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results.experiment import ExperimentResult, Level
from fairaudit.vocabulary.arms import BASE, PLAIN, Arm
from fairaudit.vocabulary.metrics import ideal_of
from fairaudit.vocabulary.tones import Tone

#: Names that find room beside a plane.
_MOST_POINTS: Final = 16
PLANES: Final = "Each arm at its bias (up) and its perplexity on held-out text (right)."


@dataclass(frozen=True, slots=True)
class ArmLevel:
    """One arm: its level over seeds, and how it is drawn."""

    arm: Arm
    level: Level
    mark: Mark


@dataclass(frozen=True, slots=True)
class Chart:
    """All arms on one axis; ``alike`` are the marks of every chart that shares its scale."""

    axis: str
    stem: str
    metric: str
    protocol: str
    rows: tuple[ArmLevel, ...]
    alike: tuple[Mark, ...]

    @property
    def scale(self) -> Scale:
        """The drawn axis."""
        made = fit(self.alike)
        assert made is not None, "a chart holds values"
        return made

    @property
    def implied(self) -> bool:
        """Whether the known world says what its text implies."""
        return any(row.level.implied is not None for row in self.rows)


def charts(result: ExperimentResult) -> tuple[Chart, ...]:
    """Return a chart for each axis; those of one protocol and metric share a scale."""
    found = {axis: rows for axis in view.axes(result) if (rows := _rows(result, axis))}
    alike = grouped(
        (row for rows in found.values() for row in rows), lambda row: _endpoint(row.level)
    )
    taken: set[str] = set()
    return tuple(
        Chart(
            axis,
            "epsilon_" + anchor(axis, taken).replace("-", "_"),
            rows[0].level.name,
            rows[0].level.protocol,
            tuple(rows),
            tuple(_for_scale(row.mark) for row in alike[_endpoint(rows[0].level)]),
        )
        for axis, rows in found.items()
    )


def caption(chart: Chart) -> str:
    """Return what the figure of an axis shows."""
    return f"Bias of every arm by ε: {shorten(axis_name(chart.axis), 50).lower()}."


def mark_of(level: Level, tone: Tone, spans: tuple[Span, ...] = ()) -> Mark:
    """Say how a level is drawn: against no leaning, and what the known world implies."""
    return Mark(
        level.value,
        level.interval,
        numbers.metric_named(level.name).unit,
        tone,
        ideal=ideal_of(level.name),
        chance=level.implied,
        singles=level.by_seed if level.n_seeds > 1 else (),
        spans=spans,
    )


def planes(result: ExperimentResult) -> tuple[Plane, ...]:
    """Return bias (up) against held-out perplexity (right), a point per arm, for each axis.

    Empty where utility was not measured for two arms, or where more names than find room.
    """
    utility = {
        row.arm.id: known
        for row in view.arm_rows(result)
        if (known := [value for value in row.perplexities if value is not None])
    }
    found = (_plane(chart, utility) for chart in charts(result))
    return tuple(plane for plane in found if plane is not None)


def _plane(chart: Chart, utility: dict[str, list[float]]) -> Plane | None:
    shown = [row for row in chart.rows if row.arm.id in utility]
    if not 2 <= len(shown) <= _MOST_POINTS:
        return None
    points = tuple(
        Point(
            row.arm.name,
            sum(utility[row.arm.id]) / len(utility[row.arm.id]),
            row.level.value,
            row.mark.tone,
            is_baseline=row.arm.kind is PLAIN,
        )
        for row in shown
    )
    label = numbers.metric_named(chart.metric)
    x = Mark(None, None, Unit.NUMBER)
    y = Mark(None, None, label.unit, ideal=ideal_of(chart.metric))
    x_scale = fit([replace(x, value=point.x) for point in points])
    y_scale = fit([Mark(point.y, None, label.unit, chance=y.ideal) for point in points])
    assert x_scale is not None
    assert y_scale is not None
    title = axis_name(chart.axis)
    return Plane(title, x, y, "Held-out perplexity", label.label, x_scale, y_scale, points)


def _rows(result: ExperimentResult, axis: str) -> list[ArmLevel]:
    levels = view.levels_of(result, axis)
    spans = _spans(levels)
    return [
        ArmLevel(arm_of(level.arm), level, mark_of(level, _tone(result, level), spans))
        for level in levels
    ]


def _tone(result: ExperimentResult, level: Level) -> Tone:
    """Colour an arm by where it lies beside the plain one."""
    if level.arm in (BASE, PLAIN):
        return Tone.APART
    return numbers.tone(view.difference_of(result, level.arm, PLAIN, level.axis))


def _spans(levels: Sequence[Level]) -> tuple[Span, ...]:
    """Return the stretches of the base and of the plain arm."""
    by_arm = {level.arm: level for level in levels}
    names: dict[str, str] = {BASE: "lower", PLAIN: "upper"}
    return tuple(_span(name, by_arm[arm]) for arm, name in names.items() if arm in by_arm)


def _span(name: str, level: Level) -> Span:
    if level.interval is None:
        return Span(name, level.value, level.value)
    return Span(name, level.interval.low, level.interval.high)


def _for_scale(mark: Mark) -> Mark:
    """Return a mark whose axis holds its levels, but need not be symmetric around the ideal."""
    levels = [level for level in (mark.ideal, mark.chance) if level is not None]
    return replace(mark, ideal=None, chance=None, singles=(*mark.singles, *levels))


def _endpoint(level: Level) -> tuple[str, str]:
    return level.protocol, level.name
