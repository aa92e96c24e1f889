"""Figures of one comparison: differences per candidate, and bias beside capability."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts
from fairaudit.report.comparison.panels import ScaleOf, scales
from fairaudit.report.comparison.plane import planes
from fairaudit.report.comparison.plane_figure import draw_planes
from fairaudit.report.comparison.view import Candidate, candidates
from fairaudit.report.draw import Plot, PlotRow, draw, in_unit
from fairaudit.report.grouping import grouped
from fairaudit.report.names import metric_of, small, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import Comparison, ComparisonResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LONGEST: Final = 60
_TONES: Final = "Orange amplified, blue reduced, green equivalent, hollow undecided"
_LEGEND: Final = (
    "Line: no change; band: margin; right: more stereotyped. Thick: the interval that decides; "
    "thin: 95 %, unadjusted; dotted: the bounds of gates, where further."
)


def drawers(result: ComparisonResult) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of one comparison, by stem.

    Returns
    -------
    dict of str to callable
        ``differences`` (``differences_1`` and so on for several candidates, in
        their order) and ``plane``; each only if there is something to draw.
    """
    wanted: dict[str, Callable[[], Figure]] = {}
    scale_of, every = scales(result), candidates(result)
    for place, found in enumerate(every, start=1):
        plots = _plots(found, scale_of, result)
        if plots:
            stem = "differences" if len(every) == 1 else f"differences_{place}"
            sides = shorten(found.name, _LONGEST), shorten(result.baseline, _LONGEST)
            subtitle = f"{sides[0]} minus {sides[1]}. {_LEGEND}"
            wanted[stem] = partial(draw, plots, "Bias: difference from the baseline", subtitle)
    shown = planes(result)
    if shown:
        legend = f"Square: {shorten(result.baseline, _LONGEST)}. {_TONES}; line: the ideal."
        wanted["plane"] = partial(draw_planes, shown, "Bias and capability", legend)
    return wanted


def _plots(found: Candidate, scale_of: ScaleOf, result: ComparisonResult) -> list[Plot]:
    """Return one plot per protocol; those in one unit share an axis, over all candidates."""
    shown = [one for one in found.primary if one.difference is not None]
    return [
        Plot(
            _title(group[0]),
            tuple(_row(one) for one in group),
            tuple(
                verdicts.mark_of(one)
                for one in result.comparisons
                if one.primary and scale_of(one) == scale_of(group[0])
            ),
        )
        for group in grouped(shown, lambda one: one.protocol).values()
    ]


def _title(found: Comparison) -> str:
    name = f"{suite_name(found.suite)}: {small(metric_of(found).label)}"
    turned = "; lower is more stereotyped" if found.direction < 0 else ""
    unit = in_unit(paired.unit_of(found))
    return f"{shorten(name, 70)}{unit} ({variant(found.protocol)}){turned}"


def _row(found: Comparison) -> PlotRow:
    text = f"{verdicts.word_of(found).mark} {paired.bare_interval(found)}"
    return PlotRow(paired.place(found), verdicts.mark_of(found), text)
