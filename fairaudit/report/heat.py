"""Heat maps in Matplotlib: a number in every cell, its shade how far it lies from the middle."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairaudit.report.draw import INK, MARGIN, MUTED, WIDTH, sheet
from fairaudit.report.safe_text import shorten
from fairaudit.vocabulary.tones import Tone

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches.
_ROW, _ABOVE, _HEAD, _END, _GAP = 0.25, 0.5, 0.62, 0.15, 0.22
_NAMES, _COLUMN = 2.6, 1.5
_LONGEST: Final = 34
#: As everywhere: blue away from the stereotype, orange towards it.
_COLOURS: Final = (Tone.AWAY.colour, "#f7f7f5", Tone.TOWARDS.colour)
#: Dark words are read best on every shade but the strongest blue.
_DARKEST: Final = -0.75
#: Shades on each side of the middle.
_STEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Cell:
    """One value: its words, how far it lies from the ideal (−1 to 1), whether it is apart."""

    words: str
    shade: float
    apart: bool


@dataclass(frozen=True, slots=True)
class Band:
    """Rows under one heading; cells by row and column."""

    title: str
    rows: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]


def heat_map(bands: Sequence[Band], columns: Sequence[str], title: str, subtitle: str) -> Figure:
    """Draw bands under each other; the figure grows with its rows."""
    under = textwrap.wrap(subtitle, 120)
    above = _HEAD + 0.14 * (len(under) - 1) + _ABOVE
    inner = sum(_GAP + _ROW * len(band.rows) for band in bands)
    height = above + inner + _END
    width = min(WIDTH - _NAMES - MARGIN, _COLUMN * len(columns))
    figure = sheet(height, title, "\n".join(under))
    box = (_NAMES / WIDTH, _END / height, width / WIDTH, inner / height)
    axes = figure.add_axes(box)
    axes.set_xlim(0, len(columns))
    axes.set_ylim(inner, 0)
    axes.set_axis_off()
    for place, column in enumerate(columns):
        text = "\n".join(textwrap.wrap(shorten(column, 44), 22))
        axes.text(place + 0.5, -0.06, text, ha="center", va="bottom", size=8, color=MUTED)
    top = 0.0
    for band in bands:
        _band(axes, band, columns, top)
        top += _GAP + _ROW * len(band.rows)
    return figure


def _band(axes: Axes, band: Band, columns: Sequence[str], top: float) -> None:
    from matplotlib.transforms import blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    left = blended_transform_factory(figure.transFigure, axes.transData)
    at = MARGIN / WIDTH
    middle = top + _GAP - 0.09
    axes.text(at, middle, shorten(band.title, 60), transform=left, va="center", weight="bold",
              size=8, color=INK)  # fmt: skip
    for number, row in enumerate(band.rows):
        place = top + _GAP + number * _ROW
        name = shorten(row, _LONGEST)
        axes.text(at, place + _ROW / 2, name, transform=left, va="center", size=8, color=INK)
        for column, key in enumerate(columns):
            draw_cell(axes, (column, place), band.cells.get((row, key)), _ROW)


def draw_cell(
    axes: Axes, place: tuple[float, float], cell: Cell | None, height: float = 1.0
) -> None:
    """Draw a cell at its upper left corner: its words on its shade, or a dash."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import Rectangle
    from matplotlib.patheffects import withStroke

    middle = place[0] + 0.5, place[1] + height / 2
    if cell is None:
        axes.text(*middle, "–", ha="center", va="center", color=MUTED)
        return
    colours = LinearSegmentedColormap.from_list("lean", _COLOURS)
    # Shades in steps: few enough for the palette of a picture.
    step = round(_STEPS * max(-1.0, min(1.0, cell.shade)))
    face = colours(0.5 + 0.5 * step / _STEPS)
    axes.add_patch(Rectangle(place, 1, height, facecolor=face, edgecolor="white", linewidth=1.5))
    axes.text(
        *middle,
        cell.words,
        ha="center",
        va="center",
        size=8,
        weight="bold" if cell.apart else "normal",
        color="white" if cell.shade < _DARKEST else INK,
        # No line that crosses the cell strikes its words through.
        path_effects=[withStroke(linewidth=3, foreground=face)],
        zorder=4,
    )
