"""The law of the moved share as a picture: the change predicted for a cell, and the one found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fairaudit.report.draw import INK, MUTED, WIDTH, line_style, quiet, sheet
from fairaudit.report.experiment.arms import in_order
from fairaudit.report.map import numbers
from fairaudit.report.map.summary import together
from fairaudit.report.safe_text import shorten
from fairaudit.results.map import MapCell, MapResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
_SIDE: Final = 4.2
_HEAD, _END, _LEFT = 0.8, 0.55, 0.75
_MARKS: Final = "osD^v"


def draw_law(result: MapResult) -> Figure:
    """Draw every cell of every arm: explained across, measured up, with its interval."""
    height = _HEAD + _SIDE + _END
    law = together(result)
    fit = "" if law is None else f" R² of DP over held-out cells: {numbers.r_squared(law)}."
    figure = sheet(
        height,
        "How much moving less explains",
        f"{shorten(result.name, 40)}. On the line all of it; above it bias beyond, below it less."
        f"\nShare of the way moved was fitted on the other leans.{fit}",
    )
    box = (_LEFT / WIDTH, _END / height, _SIDE / WIDTH, _SIDE / height)
    _draw(figure.add_axes(box), result)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="center left",
        bbox_to_anchor=((_LEFT + _SIDE + 0.3) / WIDTH, 0.5),
        fontsize=8,
        frameon=False,
        labelcolor=INK,
    )
    figure.text(
        (_LEFT + _SIDE + 0.35) / WIDTH,
        (_END + 0.3) / height,
        "\n".join(_shares(result)),
        size=8,
        color=MUTED,
        va="bottom",
    )
    return figure


def _shares(result: MapResult) -> list[str]:
    names = [numbers.frequency(share) for share in result.shares]
    return [f"{_SHAPES[place % 5]}: second group {name}" for place, name in enumerate(names)]


_SHAPES: Final = ("circle", "square", "diamond", "triangle up", "triangle down")


def _draw(axes: Axes, result: MapResult) -> None:
    low, high = _ends(result.cells)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    quiet(axes)
    unit = numbers.unit_of(result).suffix.strip()
    axes.set_xlabel(f"explained by moving less, {unit}", size=8, color=MUTED)
    axes.set_ylabel(f"change of bias against plain, {unit}", size=8, color=MUTED)
    axes.plot((low, high), (low, high), color=MUTED, linewidth=1, zorder=1)
    for place, arm in enumerate(in_order(result.arms)):
        colour, _ = line_style(place)
        label: str | None = shorten(arm.name, 30)
        for cell in (one for one in result.cells if one.arm == arm.id):
            label = _point(axes, cell, colour, result.shares.index(cell.share), label)


def _point(axes: Axes, cell: MapCell, colour: str, share: int, label: str | None) -> str | None:
    """Draw a cell; the first one of an arm carries its name."""
    x = None if cell.explained is None else cell.explained.value
    if x is None or cell.change.value is None:
        return label
    if cell.change.interval is not None:
        ends = (cell.change.interval.low, cell.change.interval.high)
        axes.plot((x, x), ends, color=colour, linewidth=1.2, alpha=0.4, zorder=2)
    mark = _MARKS[share % len(_MARKS)]
    axes.plot(x, cell.change.value, mark, color=colour, markersize=4.5, label=label, zorder=3)
    return None


def _ends(cells: tuple[MapCell, ...]) -> tuple[float, float]:
    points = [0.0]
    for cell in cells:
        bounds = cell.change.interval
        points += [cell.change.value or 0.0, *((bounds.low, bounds.high) if bounds else ())]
        points += [(cell.explained.value or 0.0) if cell.explained else 0.0]
    room = 0.05 * (max(points) - min(points)) or 0.1
    return min(points) - room, max(points) + room
