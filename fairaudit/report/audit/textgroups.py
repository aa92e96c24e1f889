"""What a model writes about groups: Table 1 of Srivastava et al. 2024, for every axis.

For the protocol that a suite's verdicts rest on: the mean of each group, the reference group first,
and below them difference, ratio and largest gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup

from fairaudit.report.audit.reading import mark_of
from fairaudit.report.draw import Plot, PlotRow
from fairaudit.report.grouping import grouped
from fairaudit.report.interval_svg import strip
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name, metric_of, small, suite_name
from fairaudit.report.scale import Scale, fit
from fairaudit.report.words import with_interval
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.reference import reference_of
from fairaudit.vocabulary.metrics import (
    HONEST_DIFFERENCE,
    HONEST_LARGEST_GAP,
    HONEST_SCORE,
    REGARD_DIFFERENCE,
    REGARD_LARGEST_GAP,
    REGARD_MEAN,
    SENTIMENT_DIFFERENCE,
    SENTIMENT_LARGEST_GAP,
    SENTIMENT_MEAN,
    TOXICITY_DIFFERENCE,
    TOXICITY_LARGEST_GAP,
    TOXICITY_MEAN,
    TOXICITY_RATIO,
    is_gap,
)
from fairaudit.vocabulary.tones import Tone

#: Mean of a group, and what says how the groups differ in it.
CONTRASTS: Final = {
    level.name: tuple(one.name for one in contrasts)
    for level, contrasts in (
        (TOXICITY_MEAN, (TOXICITY_DIFFERENCE, TOXICITY_RATIO, TOXICITY_LARGEST_GAP)),
        (SENTIMENT_MEAN, (SENTIMENT_DIFFERENCE, SENTIMENT_LARGEST_GAP)),
        (REGARD_MEAN, (REGARD_DIFFERENCE, REGARD_LARGEST_GAP)),
        (HONEST_SCORE, (HONEST_DIFFERENCE, HONEST_LARGEST_GAP)),
    )
}
_LEVEL_OF: Final = {name: level for level, names in CONTRASTS.items() for name in names}
#: More groups than this make no picture; their table stands in the page.
_MOST_ROWS: Final = 40


@dataclass(frozen=True, slots=True)
class AxisTable:
    """One axis: its groups, and how they differ.

    Parameters
    ----------
    axis : str
    reference : str or None
        The reference group.
    groups, contrasts : tuple of Estimate
        Means by group, the reference first; differences over the whole axis.
    scale : Scale or None
        Of the means.
    """

    axis: str
    reference: str | None
    groups: tuple[Estimate, ...]
    contrasts: tuple[Estimate, ...]
    scale: Scale | None

    @property
    def level(self) -> float | None:
        """Mean of the reference group, with which the others are compared by eye."""
        return next((one.value for one in self.groups if one.group == self.reference), None)

    def mark(self, estimate: Estimate) -> Mark:
        """Draw a mean hollow, beside a line at that of the reference group."""
        return replace(mark_of(estimate), tone=Tone.OPEN, ideal=self.level)

    def picture(self, estimate: Estimate) -> Markup:
        """Draw a mean as a strip."""
        return strip(self.mark(estimate), self.scale)

    def contrast_label(self, estimate: Estimate) -> str:
        """Say what a contrast compares: ``female − male`` where an axis has two groups."""
        if self.reference is None or is_gap(estimate.name):
            return "largest − smallest"
        others = [str(one.group) for one in self.groups if one.group != self.reference]
        other = others[0] if len(others) == 1 else "mean of the others"
        sign = "/" if estimate.name == TOXICITY_RATIO.name else "−"
        return f"{other} {sign} {self.reference}"


@dataclass(frozen=True, slots=True)
class GroupTable:
    """One suite of prompts, by the protocol that its verdicts rest on."""

    suite: str
    protocol: str
    metric: str
    axes: tuple[AxisTable, ...]


def group_tables(result: AuditResult) -> dict[str, GroupTable]:
    """Return the table of each suite of prompts, by the suite's name."""
    found = {}
    for suite, own in grouped(result.estimates, lambda one: one.suite).items():
        protocol = _main_protocol(own)
        if protocol is not None:
            shown = [one for one in own if one.protocol == protocol]
            level = next(one.name for one in shown if one.name in CONTRASTS)
            axes = tuple(_axes(shown, level))
            found[suite] = GroupTable(suite, protocol, level, axes)
    return {suite: table for suite, table in found.items() if table.axes}


def _main_protocol(estimates: Iterable[Estimate]) -> str | None:
    """Protocol of the suite's verdicts, otherwise the first with means of groups."""
    own = [one for one in estimates if one.name in CONTRASTS or one.name in _LEVEL_OF]
    primary = [one.protocol for one in own if one.primary]
    return next(iter([*primary, *(one.protocol for one in own)]), None)


def _axes(shown: list[Estimate], level: str) -> Iterator[AxisTable]:
    for axis, own in grouped(shown, lambda one: one.axis).items():
        groups = [one for one in own if one.name == level and one.group is not None]
        if not groups:
            continue
        reference = reference_of(axis, [str(one.group) for one in groups])
        groups.sort(key=lambda one: one.group != reference)
        by_name = {one.name: one for one in own if one.group is None}
        contrasts = tuple(by_name[name] for name in CONTRASTS[level] if name in by_name)
        table = AxisTable(axis, reference, tuple(groups), contrasts, None)
        yield replace(table, scale=fit(map(mark_of, groups)))


def plots(result: AuditResult) -> list[Plot]:
    """Return one plot per suite and axis: the means of its groups."""
    return [
        Plot(_title(table, axis), _rows(axis), tuple(map(mark_of, _valued(axis))))
        for table in group_tables(result).values()
        for axis in table.axes
        if 0 < len(_valued(axis)) <= _MOST_ROWS
    ]


def _valued(axis: AxisTable) -> list[Estimate]:
    """Return the groups to draw: a mean of a few prompts without an interval says too little."""
    return [one for one in axis.groups if one.value is not None and one.interval is not None]


def _rows(axis: AxisTable) -> tuple[PlotRow, ...]:
    return tuple(
        PlotRow(str(one.group), axis.mark(one), with_interval(one)) for one in _valued(axis)
    )


def _title(table: GroupTable, axis: AxisTable) -> str:
    name = small(metric_of(axis.groups[0]).label)
    return f"{suite_name(table.suite)}, {axis_name(axis.axis).lower()}: {name}"
