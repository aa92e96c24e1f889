"""Panels of a diagnosis in Matplotlib: values over models or groups, heat maps, stacked bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from fairaudit.report.draw import INK, LINE, MUTED, legend, legend_height, line_style, sheet
from fairaudit.report.draw import WIDTH as _WIDTH
from fairaudit.report.heat import Cell, draw_cell
from fairaudit.report.safe_text import shorten

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD: Final = 0.62
#: Bands of more curves would hide each other.
_FEW: Final = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """Values of a group over models, or of an arm over its training, with the ends of bands."""

    label: str
    values: tuple[float | None, ...]
    bands: tuple[tuple[float, float] | None, ...]
    #: Shares of the training, of an arm.
    at: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Curves over the same models under one heading."""

    title: str
    curves: tuple[Curve, ...]


def over_models(
    panels: Sequence[Panel],
    places: Sequence[str | int],
    *,
    title: str,
    subtitle: str,
    percent: bool = False,
    zero_line: bool = False,
) -> Figure:
    """Draw one panel per axis: lines with bands over steps, or points over named models."""
    figure, boxes = _grid(panels, 2.6 if len(places) > 1 else 1.5, title, subtitle)
    for axes, panel in zip(boxes, panels, strict=True):
        _panel(axes, panel, places, percent=percent)
        if zero_line:
            axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
    _legend(figure, boxes)
    return figure


def over_training(panels: Sequence[Panel], *, title: str, subtitle: str) -> Figure:
    """Draw one panel per axis: a line per arm, from the start of its training to its end."""
    figure, boxes = _grid(panels, 2.6, title, subtitle)
    for axes, panel in zip(boxes, panels, strict=True):
        _quiet(axes, panel.title)
        axes.axhline(0, color=MUTED, linewidth=0.9, zorder=1)
        axes.set_xlabel("share of training, %", color=MUTED, size=8)
        _lines(axes, panel, None, scale=1)
    _legend(figure, boxes)
    return figure


def _grid(
    panels: Sequence[Panel], height: float, title: str, subtitle: str
) -> tuple[Figure, list[Axes]]:
    rows = -(-len(panels) // 3)
    names = (curve.label for panel in panels for curve in panel.curves)
    total = _HEAD + rows * (height + 0.85) + legend_height(names)
    figure = sheet(total, title, subtitle)
    columns = min(3, len(panels))
    width = (_WIDTH - 0.3) / columns
    boxes = []
    for place in range(len(panels)):
        row, column = divmod(place, columns)
        bottom = total - _HEAD - (row + 1) * (height + 0.85) + 0.55
        left = 0.15 + column * width + 0.55
        box = (left / _WIDTH, bottom / total, (width - 0.72) / _WIDTH, height / total)
        boxes.append(figure.add_axes(box))
    return figure, boxes


def _panel(axes: Axes, panel: Panel, places: Sequence[str | int], *, percent: bool) -> None:
    _quiet(axes, panel.title)
    steps = [place for place in places if isinstance(place, int)]
    if len(steps) == len(places) and len(places) > 1:
        _lines(axes, panel, [float(step) for step in steps], scale=100 if percent else 1)
        axes.set_xlabel("training step", color=MUTED, size=8)
    elif len(places) > 1:
        _points(axes, panel, list(map(str, places)), scale=100 if percent else 1)
    else:
        _rows(axes, panel, scale=100 if percent else 1)
    if percent:
        (axes.set_ylim if len(places) > 1 else axes.set_xlim)(-4, 104)


def _lines(axes: Axes, panel: Panel, shared: list[float] | None, *, scale: float) -> None:
    for place_of_line, curve in enumerate(panel.curves):
        colour, dash = line_style(place_of_line)
        x = shared or [100 * at for at in curve.at]
        known = [place for place, value in enumerate(curve.values) if value is not None]
        xs = [x[place] for place in known]
        ys = [scale * (curve.values[place] or 0.0) for place in known]
        axes.plot(xs, ys, dash, color=colour, linewidth=1.8, marker="o", markersize=3.5,
                  label=curve.label, zorder=3)  # fmt: skip
        if len(panel.curves) > _FEW:
            continue
        banded = [place for place in known if curve.bands[place] is not None]
        ends = [curve.bands[place] or (0.0, 0.0) for place in banded]
        axes.fill_between(
            [x[place] for place in banded],
            [scale * low for low, _ in ends],
            [scale * high for _, high in ends],
            color=colour, alpha=0.14, linewidth=0, zorder=2,
        )  # fmt: skip


def _points(axes: Axes, panel: Panel, names: list[str], *, scale: float) -> None:
    n = len(panel.curves)
    for place, curve in enumerate(panel.curves):
        colour, _ = line_style(place)
        shift = (place - (n - 1) / 2) * 0.18
        label: str | None = curve.label
        for x, (value, band) in enumerate(zip(curve.values, curve.bands, strict=True)):
            if value is None:
                continue
            if band is not None:
                ends = [scale * band[0], scale * band[1]]
                axes.plot([x + shift] * 2, ends, color=colour, linewidth=2, alpha=0.55)
            axes.plot(x + shift, scale * value, "o", color=colour, markersize=5, label=label)
            label = None
    axes.set_xlim(-0.5, len(names) - 0.5)
    rotated = max(map(len, names)) * len(names) > 26
    shown = [shorten(name, 22) for name in names]
    axes.set_xticks(range(len(names)), shown, rotation=25 if rotated else 0,
                    ha="right" if rotated else "center")  # fmt: skip


def _rows(axes: Axes, panel: Panel, *, scale: float) -> None:
    """Draw one model by itself: groups under each other."""
    for place, curve in enumerate(panel.curves):
        colour, _ = line_style(place)
        value, band = curve.values[0], curve.bands[0]
        if value is None:
            axes.text(0.5, place, "no value", transform=axes.get_yaxis_transform(), size=8,
                      color=MUTED, ha="center", va="center")  # fmt: skip
            continue
        if band is not None:
            ends = [scale * band[0], scale * band[1]]
            axes.plot(ends, [place] * 2, color=colour, linewidth=2.4, alpha=0.55)
        axes.plot(scale * value, place, "o", color=colour, markersize=6, label=curve.label)
    axes.set_ylim(len(panel.curves) - 0.5, -0.5)
    axes.set_yticks([])
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.grid(axis="y", visible=False)


def _quiet(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", size=9.5, weight="bold", color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.tick_params(length=0, labelsize=8, labelcolor=MUTED)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.06)


def _legend(figure: Figure, boxes: Sequence[Axes]) -> None:
    found: dict[str, Artist] = {}
    for axes in boxes:
        handles, labels = axes.get_legend_handles_labels()
        found |= {label: found.get(label, handle)
                  for label, handle in zip(labels, handles, strict=True)}  # fmt: skip
    legend(figure, found)


def heat_map(
    names: Sequence[str],
    below: Mapping[tuple[int, int], float | None],
    above: Mapping[tuple[int, int], float | None] | None,
    *,
    title: str,
    subtitle: str,
) -> Figure:
    """Draw cosines of all pairs of groups: plain below the diagonal, clipped above it."""
    n = len(names)
    cell, left = 0.62 if n > 4 else 0.9, 1.9
    width, height = left + n * cell + 0.3, _HEAD + n * cell + 1.25
    scale = max(_WIDTH, width)
    figure = sheet(height, title, subtitle, scale)
    box = (left / scale, 1.2 / height, n * cell / scale, n * cell / height)
    axes = figure.add_axes(box)
    _cells(axes, n, below, above)
    axes.set_xticks(range(n), names, rotation=30, ha="right")
    axes.set_yticks(range(n), names)
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    axes.spines[:].set_visible(False)
    return figure


def _cells(
    axes: Axes,
    n: int,
    below: Mapping[tuple[int, int], float | None],
    above: Mapping[tuple[int, int], float | None] | None,
) -> None:
    for row, column in product(range(n), range(n)):
        source = below if column < row else above
        if row == column or source is None:
            continue
        value = source.get((min(row, column), max(row, column)))
        # Blue: the same way.
        cell = None if value is None else Cell(f"{value:.2f}".replace("-", "−"), -value, False)
        draw_cell(axes, (column - 0.5, row - 0.5), cell)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked parts of all groups in one model; values by part, one per group."""

    title: str
    parts: Mapping[str, tuple[float, ...]]


#: Inches of a bar and of the heading of an axis.
_BAR, _GAP = 0.3, 0.36
_PARTS: Final = ("#D55E00", "#56B4E9", "#999999")


def stacked(
    groups: Sequence[tuple[str, Sequence[str]]],
    columns: Sequence[Bars],
    *,
    title: str,
    subtitle: str,
) -> Figure:
    """Draw stacked bars, gains and losses on their own sides of 0, with the total as a line.

    Parameters
    ----------
    groups : sequence of (axis, groups)
        Rows, under a heading for each axis.
    columns : sequence of Bars
        One per model, on one common scale.
    title, subtitle : str
        Of the figure.
    """
    inner = sum(_GAP + _BAR * len(own) for _, own in groups) + 0.1
    height, left = _HEAD + inner + 1.15, 1.9
    figure = sheet(height, title, subtitle)
    width = (_WIDTH - left - 0.15) / len(columns)
    boxes: list[Axes] = []
    for place, column in enumerate(columns):
        box = (
            (left + place * width) / _WIDTH,
            0.78 / height,
            (width - 0.2) / _WIDTH,
            inner / height,
        )
        axes = figure.add_axes(box, sharex=boxes[0] if boxes else None)
        _column(axes, groups, column, inner, named=not boxes)
        boxes.append(axes)
    figure.text(
        0.5,
        0.36 / height,
        "nats of loss in one step; to the right the step is worse for the group",
        size=8,
        color=MUTED,
        ha="center",
        va="center",
    )
    _part_legend(figure, max((list(column.parts) for column in columns), key=len))
    return figure


def _column(
    axes: Axes,
    groups: Sequence[tuple[str, Sequence[str]]],
    column: Bars,
    inner: float,
    *,
    named: bool,
) -> None:
    """Draw the bars of one model; the vertical unit is the inch, downwards."""
    _quiet(axes, column.title)
    place, number = 0.0, 0
    ticks: list[tuple[float, str]] = []
    for axis, own in groups:
        if named:
            axes.text(-0.04, place + 0.22, axis, transform=axes.get_yaxis_transform(), size=9,
                      weight="bold", color=INK, ha="right", va="center")  # fmt: skip
        place += _GAP
        for name in own:
            middle = place + _BAR / 2
            _bar(axes, middle, {part: values[number] for part, values in column.parts.items()})
            ticks.append((middle, name))
            place, number = place + _BAR, number + 1
    axes.set_ylim(inner, 0)
    axes.set_yticks([at for at, _ in ticks], [name if named else "" for _, name in ticks])
    axes.axvline(0, color=MUTED, linewidth=0.9)
    axes.locator_params(axis="x", nbins=4)
    axes.grid(axis="x", color=LINE, linewidth=0.6)
    axes.grid(axis="y", visible=False)


def _bar(axes: Axes, place: float, parts: Mapping[str, float]) -> None:
    ends = {True: 0.0, False: 0.0}
    for value, colour in zip(parts.values(), _PARTS, strict=False):
        side = value >= 0
        axes.barh(place, value, left=ends[side], height=0.21, color=colour, zorder=2)
        ends[side] += value
    total = sum(parts.values())
    axes.plot([total, total], [place - 0.13, place + 0.13], color=INK, linewidth=1.8, zorder=3)


def _part_legend(figure: Figure, names: Sequence[str]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    found: dict[str, Artist] = {
        name: Patch(color=colour) for name, colour in zip(names, _PARTS, strict=False)
    }
    found["total"] = Line2D([], [], color=INK, marker="|", linestyle="", markersize=9,
                            markeredgewidth=1.8)  # fmt: skip
    legend(figure, found)
