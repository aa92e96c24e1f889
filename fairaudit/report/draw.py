"""Forest plots in Matplotlib: plots under each other, one row per estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fairaudit.report.clean import shorten
from fairaudit.report.names import Unit, metric_of
from fairaudit.report.reading import Standing, standing
from fairaudit.report.scale import Scale, fit
from fairaudit.report.words import bare, interval_of, number, with_interval
from fairaudit.results import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.usetex": False,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
}

_INK, _MUTED, _LINE = "#1b1e22", "#565d66", "#dcdcd8"
_COLOURS: Final = {Standing.TOWARDS: "#D55E00", Standing.AWAY: "#0072B2"}
_NEUTRAL: Final = "#5f6770"
_CHANCE: Final = "#E69F00"

# Inches.
_WIDTH, _RIGHT, _MARGIN = 8.8, 1.75, 0.15
_ROW, _HEAD, _FOOT, _TITLE, _END = 0.24, 0.32, 0.3, 0.6, 0.08
_CHARACTER, _LONGEST = 0.074, 48


@dataclass(frozen=True, slots=True)
class Plot:
    """Rows under one heading; ``alike`` are the estimates whose axis they share."""

    title: str
    rows: tuple[tuple[str, Estimate], ...]
    alike: tuple[Estimate, ...]

    @property
    def height(self) -> float:
        """Inches, with heading and ticks."""
        return _HEAD + _ROW * len(self.rows) + _FOOT


def draw(plots: list[Plot], title: str, subtitle: str) -> Figure:
    """Draw plots under each other; the figure grows with its rows."""
    from matplotlib.figure import Figure

    height = _TITLE + sum(plot.height for plot in plots) + _END
    figure = Figure(figsize=(_WIDTH, height), dpi=150, facecolor="white")
    margin, left = _MARGIN / _WIDTH, _left_of(plots)
    figure.text(margin, 1 - 0.2 / height, title, size=12, weight="bold", color=_INK, va="center")
    figure.text(margin, 1 - 0.42 / height, subtitle, color=_MUTED, va="center")
    top = height - _TITLE
    for plot in plots:
        inner = _ROW * len(plot.rows)
        bottom = (top - _HEAD - inner) / height
        width = (_WIDTH - left - _RIGHT) / _WIDTH
        axes = figure.add_axes((left / _WIDTH, bottom, width, inner / height))
        _draw_plot(axes, plot)
        top -= plot.height
    return figure


def _left_of(plots: list[Plot]) -> float:
    """Return the room for labels in inches: as much as the longest of them needs."""
    longest = max(len(label) for plot in plots for label, _ in plot.rows)
    return _MARGIN + 0.25 + _CHARACTER * min(max(longest, 16), _LONGEST)


def _draw_plot(axes: Axes, plot: Plot) -> None:
    scale = fit(plot.alike)
    assert scale is not None, "a plot holds values"
    _prepare(axes, plot, scale)
    first = plot.rows[0][1]
    if first.ideal is not None and scale.low <= first.ideal <= scale.high:
        axes.axvline(first.ideal, color=_MUTED, linewidth=0.9, zorder=1)
    for place, (label, estimate) in enumerate(plot.rows):
        _draw_row(axes, place, label, estimate)


def _prepare(axes: Axes, plot: Plot, scale: Scale) -> None:
    unit = metric_of(plot.rows[0][1]).unit
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(len(plot.rows) - 0.5, -0.5)
    axes.set_xticks(scale.ticks, [_tick(tick, unit) for tick in scale.ticks])
    axes.set_yticks([])
    axes.tick_params(axis="x", length=0, labelsize=8, labelcolor=_MUTED)
    axes.grid(axis="x", color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    _beside(axes, _MARGIN, -0.85, plot.title, weight="bold", color=_INK)


def _draw_row(axes: Axes, place: int, label: str, estimate: Estimate) -> None:
    side = standing(estimate) if estimate.kind == "bias" else Standing.INCLUDES
    colour = _COLOURS.get(side, _NEUTRAL)
    assert estimate.value is not None
    if estimate.interval is not None:
        ends = (estimate.interval.low, estimate.interval.high)
        axes.plot(ends, (place, place), color=colour, linewidth=2.2, alpha=0.6, zorder=2)
    if estimate.chance is not None:
        span = (place - 0.32, place + 0.32)
        chance = (estimate.chance, estimate.chance)
        axes.plot(chance, span, color=_CHANCE, linewidth=1.4, linestyle=(0, (2, 1.2)), zorder=1)
    hollow = side in (Standing.INCLUDES, Standing.UNKNOWN)
    axes.plot(
        estimate.value,
        place,
        marker="o",
        markersize=5.2,
        markeredgewidth=1.4,
        markeredgecolor=colour,
        markerfacecolor="white" if hollow else colour,
        zorder=3,
    )
    _beside(axes, _MARGIN, place, shorten(label, _LONGEST), color=_INK)
    _beside(axes, _WIDTH - _RIGHT + 0.12, place, _value(estimate), color=_MUTED, size=8)


def _value(estimate: Estimate) -> str:
    """Return value and interval; nats stand in the title."""
    if metric_of(estimate).unit is not Unit.SIGNED_NATS:
        return with_interval(estimate)
    return bare(estimate) + (f" {interval_of(estimate)}" if estimate.interval else "")


def _beside(axes: Axes, inches: float, place: float, text: str, **style: Any) -> None:
    """Write beside the axes, at a distance from the left edge of the figure."""
    from matplotlib.transforms import blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    transform = blended_transform_factory(figure.transFigure, axes.transData)
    axes.text(inches / _WIDTH, place, text, transform=transform, va="center", **style)


def _tick(value: float, unit: Unit) -> str:
    text = number(value, unit)
    return text.rstrip("0").rstrip(".") if "." in text else text
