"""Planes in Matplotlib: small plots side by side, names beside their points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from fairaudit.report.comparison.plane import Plane, Point, spread
from fairaudit.report.draw import INK, LINE, MARGIN, MUTED, NEUTRAL, WIDTH, quiet, sheet, tick
from fairaudit.report.safe_text import shorten
from fairaudit.vocabulary.tones import Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
# Inches.
_PLOT, _ABOVE, _BELOW, _HEAD = 2.4, 0.4, 0.55, 0.6
_LEFT, _NAMES, _GAP = 0.5, 1.55, 0.15
_LINE_HEIGHT: Final = 0.16
_LONGEST: Final = 22


def draw_planes(planes: Sequence[Plane], title: str, legend: str) -> Figure:
    """Draw planes two in a row; the figure grows with their number."""
    n_rows, block = -(-len(planes) // 2), _ABOVE + _PLOT + _BELOW
    height = _HEAD + n_rows * block
    figure = sheet(height, title, legend)
    cell = (WIDTH - 2 * MARGIN) / 2
    for place, plane in enumerate(planes):
        row, column = divmod(place, 2)
        left = MARGIN + column * cell + _LEFT
        bottom = height - _HEAD - row * block - _ABOVE - _PLOT
        width = cell - _LEFT - _NAMES - _GAP
        box = (left / WIDTH, bottom / height, width / WIDTH, _PLOT / height)
        _draw(figure.add_axes(box), plane)
    return figure


def _draw(axes: Axes, plane: Plane) -> None:
    axes.set_xlim(plane.x_scale.low, plane.x_scale.high)
    axes.set_ylim(plane.y_scale.low, plane.y_scale.high)
    x_ticks, y_ticks = plane.x_scale.few(4), plane.y_scale.few(8)
    axes.set_xticks(x_ticks, [tick(at, plane.x.unit) for at in x_ticks])
    axes.set_yticks(y_ticks, [tick(at, plane.y.unit) for at in y_ticks])
    quiet(axes)
    axes.set_xlabel(plane.x_label, size=8, color=MUTED)
    axes.set_title(shorten(plane.title, 60), size=9, weight="bold", color=INK, loc="left", pad=15)
    axes.text(0, 1.02, plane.y_label, transform=axes.transAxes, size=8, color=MUTED, va="bottom")
    if plane.y.ideal is not None and plane.y_scale.low <= plane.y.ideal <= plane.y_scale.high:
        axes.axhline(plane.y.ideal, color=MUTED, linewidth=0.9, zorder=1)
    _names(axes, plane)
    for point in plane.points:
        _point(axes, point)


def _names(axes: Axes, plane: Plane) -> None:
    """Write names beside the plot, in the order of their points, far enough apart."""
    places = [plane.y_scale.place(point.y) * _PLOT for point in plane.points]
    for point, place in zip(
        plane.points, spread(places, _LINE_HEIGHT, 0, _PLOT + 0.05), strict=True
    ):
        end = (1.05, place / _PLOT)
        line = {"arrowstyle": "-", "color": LINE, "linewidth": 0.7}
        axes.annotate("", (point.x, point.y), xytext=end, textcoords="axes fraction", zorder=1,
                      arrowprops=line)  # fmt: skip
        named = axes.text(
            *end,
            shorten(point.name, _LONGEST),
            transform=axes.transAxes,
            size=8,
            va="center",
            weight="bold" if point.is_baseline else "normal",
            color=INK if point.is_baseline else point.tone.colour or MUTED,
            zorder=5,
        )
        # No line of another point strikes a name through.
        named.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})


def _point(axes: Axes, point: Point) -> None:
    colour = INK if point.is_baseline else point.tone.colour or NEUTRAL
    axes.plot(
        point.x,
        point.y,
        marker="s" if point.is_baseline else "o",
        markersize=5.2,
        markeredgewidth=1.4,
        markeredgecolor=colour,
        markerfacecolor="white" if point.tone is Tone.OPEN else colour,
        zorder=3,
    )
