"""Calibration: the bias that was measured against the one that a known world's text implies.

Where the text was drawn from a world of known bias, a model that learned it well should lean as
far as the text does: its point lies on the diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report.draw import INK, MUTED, WIDTH, in_unit, line_style, quiet, sheet, tick
from fairaudit.report.experiment import numbers
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.grouping import grouped
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results.experiment import ExperimentResult, Level
from fairaudit.vocabulary.arms import BASE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION: Final = (
    "Bias measured after training against the bias that an arm's own text implies, one point per "
    "arm and axis. On the diagonal, a model leans as far as its text does."
)
# Inches.
_PLOT, _LEFT, _BELOW, _HEAD = 4.2, 0.75, 0.62, 0.75
_LEGEND: Final = (
    "Mean over seeds with interval. Line: measured equals implied; below it, the model leans less "
    "than its text. Circles: plain; triangles: private. Text with twins implies nothing known."
)
#: By whether an arm is private.
_MARKERS: Final = {False: "o", True: "^"}


@dataclass(frozen=True, slots=True)
class Calibration:
    """Levels of one protocol and metric of which the implied value is known, by axis."""

    metric: str
    protocol: str
    axes: dict[str, list[Level]]
    scale: Scale


def calibration(result: ExperimentResult) -> Calibration | None:
    """Return the endpoint with most levels that a known world implies, or None without any.

    The base model is left out: it never saw the text.
    """
    known = [
        level
        for level in result.levels
        if level.implied is not None and level.group is None and level.arm != BASE
    ]
    endpoints = grouped(known, lambda level: (level.protocol, level.name))
    if not endpoints:
        return None
    (protocol, metric), shown = max(endpoints.items(), key=lambda entry: len(entry[1]))
    unit = numbers.metric_named(metric).unit
    marks = [Mark(level.value, level.interval, unit, chance=level.implied) for level in shown]
    scale = fit(marks)
    assert scale is not None, "a level has a value"
    return Calibration(metric, protocol, grouped(shown, lambda level: level.axis), scale)


def calibration_figure(result: ExperimentResult) -> Callable[[], Figure] | None:
    """Return how to draw the calibration of an experiment, or None where nothing is implied."""
    found = calibration(result)
    return None if found is None else partial(_draw, found, shorten(result.name, 60))


def _draw(found: Calibration, name: str) -> Figure:
    height = _HEAD + _PLOT + _BELOW
    figure = sheet(height, "Measured against implied bias", f"{name}. {_wrapped()}")
    box = (_LEFT / WIDTH, _BELOW / height, _PLOT / WIDTH, _PLOT / height)
    axes = figure.add_axes(box)
    _prepare(axes, found)
    for place, (axis, levels) in enumerate(found.axes.items()):
        colour, _ = line_style(place)
        for level in levels:
            _point(axes, level, colour)
        axes.plot([], [], "o", color=colour, label=shorten(axis_name(axis), 40))
    axes.legend(loc="upper left", bbox_to_anchor=(1.04, 1), frameon=False, labelcolor=INK)
    return figure


def _wrapped() -> str:
    middle = _LEGEND.index(" Circles")
    return f"{_LEGEND[:middle]}\n{_LEGEND[middle + 1 :]}"


def _prepare(axes: Axes, found: Calibration) -> None:
    scale, metric = found.scale, numbers.metric_named(found.metric)
    unit = in_unit(metric.unit)
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(scale.low, scale.high)
    labels = [tick(at, metric.unit) for at in scale.ticks]
    axes.set_xticks(scale.ticks, labels)
    axes.set_yticks(scale.ticks, labels)
    quiet(axes)
    ends = (scale.low, scale.high)
    axes.plot(ends, ends, color=MUTED, linewidth=0.9, zorder=1)
    axes.set_xlabel(f"Implied by the text{unit}", size=8, color=MUTED)
    axes.set_ylabel(f"Measured: {shorten(metric.label, 40).lower()}{unit}", size=8, color=MUTED)


def _point(axes: Axes, level: Level, colour: str) -> None:
    assert level.implied is not None
    if level.interval is not None:
        ends = (level.interval.low, level.interval.high)
        at = (level.implied, level.implied)
        axes.plot(at, ends, color=colour, linewidth=1.6, alpha=0.45, zorder=2)
    axes.plot(
        level.implied,
        level.value,
        marker=_MARKERS[arm_of(level.arm).private],
        markersize=5.2,
        markeredgewidth=1.2,
        markeredgecolor=colour,
        markerfacecolor="white",
        linestyle="none",
        zorder=3,
    )
