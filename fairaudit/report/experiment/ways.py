"""The picture of an experiment with regimes: where privacy stops on the way from base to text."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fairaudit.report.draw import (
    INK,
    LINE,
    MARGIN,
    MUTED,
    NEUTRAL,
    WIDTH,
    beside,
    in_unit,
    quiet,
    sheet,
    tick,
)
from fairaudit.report.experiment import numbers, regimes
from fairaudit.report.experiment.regimes import Panel, Way
from fairaudit.report.grouping import grouped
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results.experiment import ExperimentResult
from fairaudit.vocabulary.tones import Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
STEM: Final = "regimes"
CAPTION: Final = (
    "Bias of base, plain and private model in each regime. Fine-tuning takes a model from the base "
    "(ring) towards what the text says (dashes); the private one (dot) stops elsewhere than the "
    "plain one (square). Orange: privacy leaves more bias, blue: less."
)
_TITLE: Final = "One recipe, {}: what does privacy do to bias?"
_LEGEND: Final = (
    "Ring: base. Square: fine-tuned without privacy. Dot: {}, joined to the square. Orange: leans "
    "further than plain, blue: less, grey: not told apart. Dashes: what the text says. Right: "
    "private minus plain, with its interval over seeds."
)
_IMPLIED: Final = "#E69F00"
# Inches.
_LEFT, _RIGHT, _ROW, _PANEL, _TICKS, _GAP, _END = 1.25, 1.75, 0.29, 0.3, 0.24, 0.12, 0.06
_LINES_OF_LEGEND, _LINE, _TITLE_HEIGHT = 118, 0.14, 0.5


def regimes_figure(result: ExperimentResult) -> Callable[[], Figure] | None:
    """Return how to draw all regimes, or None where no arm of any was measured."""
    found = regimes.panels(result)
    return partial(_draw, found, len(result.regimes)) if found else None


def _draw(panels: Sequence[Panel], n_regimes: int) -> Figure:
    private = " or ".join(dict.fromkeys(shorten(one.private.name, 40) for one in panels))
    legend = textwrap.wrap(_LEGEND.format(private), _LINES_OF_LEGEND)
    above = _TITLE_HEIGHT + _LINE * len(legend)
    heights = [_PANEL + _ROW * len(one.ways) + _TICKS + _GAP for one in panels]
    height = above + sum(heights) + _END
    count = f"{n_regimes} regimes" if n_regimes != 1 else "1 regime"
    figure = sheet(height, _TITLE.format(count), "\n".join(legend))
    scales, top = _scales(panels), height - above
    for panel, own in zip(panels, heights, strict=True):
        inner = _ROW * len(panel.ways)
        box = (
            _LEFT / WIDTH,
            (top - _PANEL - inner) / height,
            (WIDTH - _LEFT - _RIGHT) / WIDTH,
            inner / height,
        )
        _panel(figure.add_axes(box), panel, scales[panel.metric], top / height, height)
        top -= own
    return figure


def _scales(panels: Sequence[Panel]) -> dict[str, Scale]:
    """Return one scale for each metric, so that regimes compare by eye."""
    found = {}
    for metric, some in grouped(panels, lambda one: one.metric).items():
        unit = numbers.metric_named(metric).unit
        values = [value for panel in some for way in panel.ways for value in way.values]
        scale = fit([Mark(value, None, unit) for value in (*values, 0.0)])
        assert scale is not None, "a panel holds values"
        found[metric] = scale
    return found


def _panel(axes: Axes, panel: Panel, scale: Scale, top: float, height: float) -> None:
    metric = numbers.metric_named(panel.metric)
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(len(panel.ways) - 0.5, -0.5)
    axes.set_xticks(scale.ticks, [tick(at, metric.unit) for at in scale.ticks])
    axes.set_yticks([])
    quiet(axes, "x")
    if scale.low <= 0 <= scale.high:
        axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
    figure = axes.get_figure(root=True)
    assert figure is not None
    line = top - 0.5 * _PANEL / height
    heading = f"{regimes.heading_of(panel.regime)}{_found(panel)}"
    figure.text(MARGIN / WIDTH, line, heading, size=10, weight="bold", color=INK, va="center")
    label = f"{shorten(metric.label, 50)}{in_unit(metric.unit)}"
    figure.text(1 - MARGIN / WIDTH, line, label, size=8, color=MUTED, va="center", ha="right")
    for place, way in enumerate(panel.ways):
        _way(axes, place, way)


def _found(panel: Panel) -> str:
    """Say what privacy did, where it did the same on every axis."""
    tones = {numbers.tone(way.change) for way in panel.ways}
    said = {Tone.TOWARDS: "more", Tone.AWAY: "less"}
    if len(tones) > 1 or tones.isdisjoint(said):
        return ""
    return f": privacy leaves {said[tones.pop()]} bias than plain fine-tuning"


def _way(axes: Axes, place: int, way: Way) -> None:
    colour = numbers.tone(way.change).colour or NEUTRAL
    at: dict[str, Any] = {"markersize": 6, "linestyle": "none", "zorder": 4}
    if way.base is not None:
        ends = (way.base.value, way.plain.value)
        axes.plot(ends, (place, place), color=LINE, linewidth=1.6, zorder=2)
        ring: dict[str, Any] = {
            "markerfacecolor": "white",
            "markeredgecolor": NEUTRAL,
            "markeredgewidth": 1.4,
        }
        axes.plot(way.base.value, place, marker="o", **ring, **at)
    if way.implied is not None:
        style: dict[str, Any] = {"linewidth": 1.4, "linestyle": (0, (2, 1.2)), "zorder": 2}
        axes.plot((way.implied, way.implied), (place - 0.36, place + 0.36), color=_IMPLIED, **style)
    ends = (way.plain.value, way.private.value)
    axes.plot(ends, (place, place), color=colour, linewidth=2.8, alpha=0.75, zorder=3)
    axes.plot(way.plain.value, place, marker="s", color=INK, **at)
    axes.plot(way.private.value, place, marker="o", color=colour, **at)
    beside(axes, MARGIN + 0.12, place, shorten(axis_name(way.axis), 18), color=INK)
    if way.change is not None:
        words = numbers.with_interval(way.change).replace(" nats", "", 1)
        beside(axes, WIDTH - _RIGHT + 0.12, place, words, color=colour, size=8)
