"""Gradients of groups while the arms were trained: curves, areas between them, pushes on bias."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Final

from fairaudit.report.diagnostics import plots
from fairaudit.report.diagnostics.quantities_in_words import group_name
from fairaudit.report.experiment.arms import arm_of, arms_of
from fairaudit.report.experiment.view import axis_rank
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.words import quantity
from fairaudit.results.experiment import Convergence, ExperimentResult, Push
from fairaudit.vocabulary.arms import Arm
from fairaudit.vocabulary.units import Unit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAPTION: Final = (
    "How unequally the gradients of two groups shrank while each arm was trained: log-ratio of "
    "their norms, less its value before training. Lines are means over seeds; of up to six "
    "arms bands show the range of the seeds. 0: both converge alike; above it the first group "
    "stays behind."
)
_TITLE: Final = "Do the gradients of groups converge alike?"


@dataclass(frozen=True, slots=True)
class ArmCourse:
    """One arm on one axis: the areas of its seeds between curve and 0, and their mean."""

    arm: Arm
    found: Convergence
    areas: tuple[float, ...]

    @property
    def mean(self) -> float | None:
        """Mean over seeds, signed: above 0 the first group stays behind."""
        return fmean(self.areas) if self.areas else None

    @property
    def pair(self) -> str:
        """Which groups are compared."""
        return f"{group_name(self.found.group)} against {group_name(self.found.other)}"


def rows(result: ExperimentResult) -> tuple[ArmCourse, ...]:
    """Return every arm that was looked at, by axis, in order of reading."""
    place = {arm.id: number for number, arm in enumerate(arms_of(result))}
    ordered = sorted(
        result.convergence, key=lambda one: (axis_rank(one.axis), place.get(one.arm, len(place)))
    )
    return tuple(
        ArmCourse(arm_of(one.arm), one, tuple(area for area in one.areas if area is not None))
        for one in ordered
    )


def pushes(result: ExperimentResult) -> tuple[Push, ...]:
    """Return the push of every group in every arm, in order of reading."""
    place = {arm.id: number for number, arm in enumerate(arms_of(result))}
    return tuple(
        sorted(result.pushes, key=lambda one: (axis_rank(one.axis), place.get(one.arm, len(place))))
    )


def small(value: float | None) -> str:
    """Return a push in few digits, or a dash."""
    return quantity(value, Unit.SIGNED_SIZE)


def draw(result: ExperimentResult) -> Figure:
    """Draw the curves of all arms, a panel per axis and pair of groups."""
    panels: dict[tuple[str, str], list[plots.Curve]] = {}
    for row in rows(result):
        panels.setdefault((row.found.axis, row.pair), []).append(_course(row))
    pairs = list(dict.fromkeys(pair for _, pair in panels))
    drawn = [
        plots.Panel(_heading(axis, pair, alone=len(pairs) == 1), tuple(courses))
        for (axis, pair), courses in panels.items()
    ]
    of = f", {shorten(pairs[0], 60)}" if len(pairs) == 1 else ""
    subtitle = f"{shorten(result.name, 40)}. Log-ratio of gradient norms since the start{of}."
    return plots.over_training(drawn, title=_TITLE, subtitle=subtitle)


def _heading(axis: str, pair: str, *, alone: bool) -> str:
    return shorten(axis_name(axis) if alone else f"{axis_name(axis)}: {pair}", 34)


def _course(row: ArmCourse) -> plots.Curve:
    found = row.found
    steps = list(_by_step(found))
    return plots.Curve(
        row.arm.name,
        tuple(fmean(values) if values else None for values in steps),
        tuple((min(values), max(values)) if len(values) > 1 else None for values in steps),
        tuple(step / max(found.steps[-1], 1) for step in found.steps),
    )


def _by_step(found: Convergence) -> Iterator[list[float]]:
    for place in range(len(found.steps)):
        known = (curve[place] for curve in found.by_seed if place < len(curve))
        yield [value for value in known if value is not None]
