"""Figures of a map: a heat map of changes with the contour of no change, and slices through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from fairaudit.report import words
from fairaudit.report.draw import (
    INK,
    MARGIN,
    MUTED,
    WIDTH,
    legend,
    legend_height,
    line_style,
    quiet,
)
from fairaudit.report.draw import sheet as sheet_of
from fairaudit.report.heat import Cell, draw_cell
from fairaudit.report.map import numbers, view
from fairaudit.report.map.law_figure import draw_law
from fairaudit.report.safe_text import shorten
from fairaudit.results.map import MapResult
from fairaudit.vocabulary.tones import Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEMS: Final = ("map", "map_arms", "map_law")
CAPTIONS: Final = {
    "map": "Change of bias of DP against plain, by how much the base leans more than the text and "
    "by ε. Orange: DP leans further towards the stereotype; blue: less far. Bold: the interval "
    "over seeds leaves out 0. Black line: no change, interpolated. Below: the same with intervals.",
    "map_arms": "The same for the other arms, beside DP at the middle ε.",
    "map_law": "Each cell: the change that moving less predicts, with the share of the way fitted "
    "on the other leans, and the change measured. On the line, moving less explains all of it.",
}
# Inches.
_HEAD, _TITLE, _ROW, _UNDER, _SLICES, _END = 0.78, 0.3, 0.36, 0.42, 1.9, 0.5
_NAMES, _GAP, _SCALE = 1.5, 0.3, 0.55
_COLUMNS: Final = 2
_LONGEST: Final = 22


def drawers(result: MapResult) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of a map, by stem; those without a number are left out."""
    found: dict[str, Callable[[], Figure]] = {}
    if not any(one.change.value is not None for one in result.cells):
        return found
    title = "Where privacy raises bias, and where it lowers it"
    found["map"] = partial(draw_sheets, result, view.private_sheets(result), title)
    others = view.other_sheets(result)
    if others:
        found["map_arms"] = partial(draw_sheets, result, others, "Other arms against plain")
    if any(one.explained is not None for one in result.cells):
        found["map_law"] = partial(draw_law, result)
    return found


def draw_sheets(result: MapResult, sheets: Sequence[view.Sheet], title: str) -> Figure:
    """Draw a heat map with its slices for each share, two in a row."""
    columns = min(_COLUMNS, len(sheets))
    names = [arm.name for arm in sheets[0].arms]
    n_arms = len(names)
    block = _TITLE + _ROW * n_arms + _UNDER + _SLICES + _END
    height = _HEAD + block * -(-len(sheets) // columns) + legend_height(names)
    unit = numbers.unit_of(result).suffix.strip()
    one_kind = len({arm.kind for arm in sheets[0].arms}) == 1
    said = _subtitle(unit, contour=one_kind)
    figure = sheet_of(height, title, f"{shorten(result.name, 40)}. {said}")
    width = (WIDTH - _NAMES - MARGIN - _GAP * (columns - 1)) / columns
    most = _most(sheets)
    for place, sheet in enumerate(sheets):
        row, column = divmod(place, columns)
        left = (_NAMES + column * (width + _GAP)) / WIDTH
        top = height - _HEAD - row * block - _TITLE
        tall = _ROW * n_arms
        box = (left, (top - tall) / height, width / WIDTH, tall / height)
        axes = figure.add_axes(box)
        _heat(axes, sheet, result, most=most, named=column == 0)
        under = top - tall - _UNDER - _SLICES
        below = figure.add_axes((left, under / height, width / WIDTH, _SLICES / height))
        _slices(below, sheet, _reach(sheets), named=column == 0)
    handles, labels = figure.axes[1].get_legend_handles_labels()
    legend(figure, dict(zip(labels, handles, strict=True)))
    return figure


def _subtitle(unit: str, *, contour: bool) -> str:
    line = " Black line: no change." if contour else ""
    return (
        f"Bias of the arm minus plain, {unit}. Orange: more, blue: less, bold: the interval leaves "
        f"out 0.\n{line} Below: the same with intervals over seeds.".replace("\n ", "\n")
    )


def _most(sheets: Sequence[view.Sheet]) -> float:
    values = [
        abs(cell.change.value)
        for sheet in sheets
        for (arm, _), cell in sheet.cells.items()
        if cell.change.value is not None and arm in {one.id for one in sheet.arms}
    ]
    return max(values, default=0.0) or 1.0


def _heat(axes: Axes, sheet: view.Sheet, result: MapResult, *, most: float, named: bool) -> None:
    n_arms, n_leans = len(sheet.arms), len(sheet.leans)
    axes.set_xlim(0, n_leans)
    axes.set_ylim(n_arms, 0)
    quiet(axes, None)
    axes.set_xticks(np.arange(n_leans) + 0.5, [numbers.lean(lean) for lean in sheet.leans])
    labels = [shorten(arm.name, _LONGEST) for arm in sheet.arms] if named else []
    axes.set_yticks(np.arange(n_arms) + 0.5 if named else [], labels)
    axes.set_title(_heading(sheet.share), size=9, weight="bold", color=INK, loc="left", pad=5)
    grid = np.full((n_arms, n_leans), np.nan)
    for row, arm in enumerate(sheet.arms):
        for column, lean in enumerate(sheet.leans):
            cell = sheet.cells.get((arm.id, lean))
            value = None if cell is None else cell.change.value
            drawn = None
            if cell is not None and value is not None:
                grid[row, column] = value
                said = words.number(value, numbers.unit_of(result))
                drawn = Cell(said, value / most, numbers.tone(cell.change) is not Tone.OPEN)
            draw_cell(axes, (column, row), drawn)
    if len({arm.kind for arm in sheet.arms}) == 1:
        _contour(axes, grid)


def _contour(axes: Axes, grid: np.ndarray) -> None:
    """Draw where the change is 0, interpolated between cells and level beyond the outer ones."""
    known = grid[np.isfinite(grid)]
    if not np.isfinite(grid).all() or not (known.min() < 0 < known.max()):
        return
    padded = np.pad(grid, 1, mode="edge")
    xs = np.concatenate([[0.0], np.arange(grid.shape[1]) + 0.5, [grid.shape[1]]])
    ys = np.concatenate([[0.0], np.arange(grid.shape[0]) + 0.5, [grid.shape[0]]])
    axes.contour(xs, ys, padded, levels=[0.0], colors=INK, linewidths=1.6, zorder=3)


def _heading(share: float) -> str:
    if share == 0.5:
        return "Both groups equally frequent"
    rare = min(share, 1 - share)
    return f"One group has {numbers.frequency(rare)} of the text"


def _reach(sheets: Sequence[view.Sheet]) -> tuple[float, float]:
    ends = [0.0]
    for sheet in sheets:
        for arm in sheet.arms:
            for lean in sheet.leans:
                cell = sheet.cells.get((arm.id, lean))
                if cell is None or cell.change.value is None:
                    continue
                bounds = cell.change.interval
                ends += [cell.change.value, *((bounds.low, bounds.high) if bounds else ())]
    low, high = min(ends), max(ends)
    room = 0.06 * (high - low) or 0.1
    return low - room, high + room


def _slices(axes: Axes, sheet: view.Sheet, reach: tuple[float, float], *, named: bool) -> None:
    """Draw a line for each arm, with intervals a little apart so that none hides another."""
    axes.set_ylim(*reach)
    quiet(axes)
    axes.tick_params(labelleft=named)
    axes.axhline(0, color=INK, linewidth=1.0, zorder=1)
    axes.set_xlim(0, len(sheet.leans))
    axes.set_xticks(np.arange(len(sheet.leans)) + 0.5, [numbers.lean(lean) for lean in sheet.leans])
    axes.set_xlabel("lean of the base minus lean of the text, nats", size=8, color=MUTED)
    if named:
        axes.text(0, 1.03, "change of bias", transform=axes.transAxes, size=8, color=MUTED)
    for place, arm in enumerate(sheet.arms):
        colour, dash = line_style(place)
        apart = 0.09 * (place - (len(sheet.arms) - 1) / 2)
        points = [
            (column + 0.5 + apart, cell.change)
            for column, lean in enumerate(sheet.leans)
            if (cell := sheet.cells.get((arm.id, lean))) is not None
            and cell.change.value is not None
        ]
        axes.plot(
            [x for x, _ in points],
            [one.value or 0.0 for _, one in points],
            dash,
            color=colour,
            linewidth=1.4,
            marker="o",
            markersize=3.5,
            label=arm.name,
            zorder=3,
        )
        for x, one in points:
            if one.interval is not None:
                ends = (one.interval.low, one.interval.high)
                axes.plot((x, x), ends, color=colour, linewidth=1.6, alpha=0.55, zorder=2)
