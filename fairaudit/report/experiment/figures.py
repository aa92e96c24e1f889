"""Figures of one experiment: bias of every arm against ε, one per axis, and its calibration."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report.comparison.plane_figure import draw_planes
from fairaudit.report.draw import Plot, PlotRow, draw, in_unit
from fairaudit.report.experiment import convergence, numbers
from fairaudit.report.experiment.calibration import calibration_figure
from fairaudit.report.experiment.charts import Chart, charts, planes
from fairaudit.report.experiment.ways import STEM, regimes_figure
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import ExperimentResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEGEND: Final = (
    "Mean over seeds with interval, single seeds beneath. Grey band: base; sand band: plain. "
    "Orange: more than plain, blue: less, each by its own interval; hollow: not told apart. "
    "Line: no leaning."
)
_TONES: Final = "Orange: more than plain, blue: less, by its own interval; hollow: not told apart."
_IMPLIED: Final = " Dashed: implied by the text."


def drawers(result: ExperimentResult) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of one experiment, by stem.

    Returns
    -------
    dict of str to callable
        ``epsilon_gender`` and so on, one per axis with any level, ``convergence`` where arms were
        looked at in training, ``plane`` where utility was measured, and ``calibration`` where a
        known world implies the bias of the text. Of an experiment with regimes ``regimes``; the
        others lie in the folders of its regimes.
    """
    if result.regimes:
        made = regimes_figure(result)
        return {} if made is None else {STEM: made}
    found: dict[str, Callable[[], Figure]] = {
        chart.stem: partial(draw, [plot_of(chart)], _title(chart), _subtitle(result, chart))
        for chart in charts(result)
    }
    if convergence.rows(result):
        found["convergence"] = partial(convergence.draw, result)
    if planes(result):
        title, square = "Bias and held-out perplexity", "Square: plain."
        found["plane"] = partial(draw_planes, planes(result), title, f"{square} {_TONES}")
    calibrated = calibration_figure(result)
    return found if calibrated is None else {**found, "calibration": calibrated}


def plot_of(chart: Chart) -> Plot:
    """Return the rows of one chart."""
    metric = numbers.metric_named(chart.metric)
    rows = tuple(
        PlotRow(row.arm.name, row.mark, numbers.bare_level(row.level)) for row in chart.rows
    )
    title = f"{shorten(metric.label, 60)}{in_unit(metric.unit)}"
    return Plot(f"{title} ({shorten(chart.protocol, 50)})", rows, chart.alike)


def _title(chart: Chart) -> str:
    return f"Bias by ε: {shorten(axis_name(chart.axis), 50).lower()}"


def _subtitle(result: ExperimentResult, chart: Chart) -> str:
    legend = _LEGEND + (_IMPLIED if chart.implied else "")
    return f"{shorten(result.name, 60)}. {legend}"
