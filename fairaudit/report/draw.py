"""Forest plots in Matplotlib: plots under each other, one row per number."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Literal

from fairaudit.report.marks import Mark
from fairaudit.report.names import Unit
from fairaudit.report.raster import HEAD
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.report.words import number
from fairaudit.vocabulary.tones import Tone

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, MUTED, LINE = "#1b1e22", "#565d66", "#dcdcd8"
#: After Okabe and Ito: told apart with any colour vision.
NEUTRAL: Final = "#5f6770"
#: Lines and points that are told apart by name only; as many arms as an experiment usually has.
_PALETTE: Final = (
    "#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#1b1e22", "#8a6d00",
    "#7b3fa0", "#8a8f96", "#00a0a8", "#b0203a", "#9bbf3b", "#f28cb8",
)  # fmt: skip
#: With more of them than colours the next round is dashed, then dotted.
_DASHES: Final = ("-", "--", ":")
_CHANCE, _BAND = "#E69F00", "#eef0ec"
_SPANS: Final = {"lower": "#dfe5ec", "upper": "#f3e3cf"}
_IN_UNIT: Final = {
    Unit.PERCENT: ", %",
    Unit.POINTS: ", percentage points",
    Unit.APART: ", percentage points",
    Unit.SIGNED_NATS: ", nats",
}

# Inches.
WIDTH, MARGIN = 8.8, 0.15
_RIGHT = 1.75
_ROW, _LINE, _HEAD, _FOOT, _TITLE, _END = 0.24, 0.14, 0.32, 0.3, 0.6, 0.08
_CHARACTER, _LONGEST, _LINES, _SUBTITLE = 0.074, 48, 3, 120
#: Width of a character of the numbers at the right.
_NUMERAL: Final = 0.068
#: Characters of a name in a legend.
_NAME: Final = 40


@dataclass(frozen=True, slots=True)
class PlotRow:
    """One number to draw: its label at the left, its words at the right."""

    label: str
    mark: Mark
    words: str

    @property
    def lines(self) -> list[str]:
        """The label, wrapped; what needs more than three lines loses its middle."""
        return textwrap.wrap(shorten(self.label, _LONGEST * _LINES - 12), _LONGEST) or [" "]

    @property
    def height(self) -> float:
        """Inches."""
        return _ROW + _LINE * (len(self.lines) - 1)


@dataclass(frozen=True, slots=True)
class Plot:
    """Rows under one heading; ``alike`` are the marks whose axis they share."""

    title: str
    rows: tuple[PlotRow, ...]
    alike: tuple[Mark, ...]

    @property
    def inner(self) -> float:
        """Inches of the rows."""
        return sum(row.height for row in self.rows)

    @property
    def height(self) -> float:
        """Inches, with heading and ticks."""
        return _HEAD + self.inner + _FOOT


def draw(plots: list[Plot], title: str, subtitle: str) -> Figure:
    """Draw plots under each other; the figure grows with its rows."""
    under = textwrap.wrap(subtitle, _SUBTITLE)
    above = _TITLE + _LINE * (len(under) - 1)
    height = above + sum(plot.height for plot in plots) + _END
    figure = sheet(height, title, "\n".join(under))
    left, right = _left_of(plots), _right_of(plots)
    top = height - above
    for plot in plots:
        bottom = (top - _HEAD - plot.inner) / height
        width = (WIDTH - left - right) / WIDTH
        axes = figure.add_axes((left / WIDTH, bottom, width, plot.inner / height))
        _draw_plot(axes, plot, right)
        top -= plot.height
    return figure


def sheet(height: float, title: str, subtitle: str, width: float = WIDTH) -> Figure:
    """Return a figure of so many inches with title and subtitle at its top."""
    from matplotlib.figure import Figure

    figure, left = Figure(figsize=(width, height), dpi=150, facecolor="white"), MARGIN / WIDTH
    title_at, under = 1 - 0.2 / height, 1 - 0.35 / height
    written = figure.text(left, title_at, title, size=12, weight="bold", color=INK, va="center")
    written.set_gid(HEAD)
    below = figure.text(left, under, subtitle, color=MUTED, va="top", linespacing=1.1)
    below.set_gid(HEAD)
    return figure


def quiet(axes: Axes, grid: Literal["both", "x", "y"] | None = "both") -> None:
    """Take away frame and ticks of axes, and lay a faint grid beneath what is drawn."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=8, labelcolor=MUTED)
    if grid is not None:
        axes.grid(axis=grid, color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)


def line_style(place: int) -> tuple[str, str]:
    """Return colour and dash of a line by its place in the legend; no two are alike."""
    n = len(_PALETTE)
    return _PALETTE[place % n], _DASHES[place // n % len(_DASHES)]


def legend(figure: Figure, found: Mapping[str, Artist], left: float = MARGIN) -> None:
    """Write a legend at the bottom, in as many columns as the longest name leaves room for."""
    figure.legend(
        list(found.values()), [shorten(name, _NAME) for name in found], loc="lower left",
        bbox_to_anchor=(left / WIDTH, 0.06 / figure.get_figheight()), ncols=_columns(found),
        frameon=False, fontsize=8, labelcolor=INK, handlelength=2.4, borderpad=0,
        borderaxespad=0, columnspacing=1.2, handletextpad=0.5, labelspacing=0.3,
    )  # fmt: skip


def legend_height(names: Iterable[str]) -> float:
    """Return the room that a legend needs, in inches."""
    every = list(dict.fromkeys(names))
    return 0.17 * -(-len(every) // _columns(every)) + 0.12


def _columns(names: Iterable[str]) -> int:
    every = list(names)
    longest = max((min(len(name), _NAME) for name in every), default=1)
    fitting = int((WIDTH - 2 * MARGIN) / (0.5 + _NUMERAL * longest))
    # Rows as even as possible.
    n_rows = -(-len(every) // fitting) or 1
    return -(-len(every) // n_rows) or 1


def in_unit(unit: Unit) -> str:
    """Return what stands behind the name of a drawn axis, where its numbers lack their unit."""
    return _IN_UNIT.get(unit, "")


def _left_of(plots: list[Plot]) -> float:
    """Return the room for labels in inches: as much as the longest of them needs."""
    longest = max(len(line) for plot in plots for row in plot.rows for line in row.lines)
    return MARGIN + 0.25 + _CHARACTER * max(longest, 16)


def _right_of(plots: list[Plot]) -> float:
    """Return the room for numbers in inches: as much as the longest of them needs."""
    longest = max(len(row.words) for plot in plots for row in plot.rows)
    return max(_RIGHT, 0.12 + _NUMERAL * longest + MARGIN)


def _draw_plot(axes: Axes, plot: Plot, right: float) -> None:
    scale = fit(plot.alike)
    assert scale is not None, "a plot holds values"
    first = plot.rows[0].mark
    _prepare(axes, plot, scale)
    if first.band is not None:
        axes.axvspan(*first.band, color=_BAND, zorder=0)
    for span in first.spans:
        shade = _SPANS[span.name]
        if span.low == span.high:
            axes.axvline(span.low, color=shade, linewidth=2.5, zorder=0)
        else:
            axes.axvspan(span.low, span.high, color=shade, alpha=0.8, linewidth=0, zorder=0)
    if first.ideal is not None and scale.low <= first.ideal <= scale.high:
        axes.axvline(first.ideal, color=MUTED, linewidth=0.9, zorder=1)
    ends = accumulate(row.height for row in plot.rows)
    for row, end in zip(plot.rows, ends, strict=True):
        _draw_row(axes, end - row.height / 2, row, right)


def _prepare(axes: Axes, plot: Plot, scale: Scale) -> None:
    """Set up axes whose vertical unit is the inch, downwards."""
    unit = plot.rows[0].mark.unit
    axes.set_xlim(scale.low, scale.high)
    axes.set_ylim(plot.inner, 0)
    axes.set_xticks(scale.ticks, [tick(at, unit) for at in scale.ticks])
    axes.set_yticks([])
    quiet(axes, "x")
    beside(axes, MARGIN, -0.084, plot.title, weight="bold", color=INK)


def _draw_row(axes: Axes, place: float, row: PlotRow, right: float) -> None:
    mark = row.mark
    assert mark.value is not None
    colour = mark.tone.colour or NEUTRAL
    thin = 1.0 if mark.inner is not None else 2.2
    for drawn, width, style in ((mark.limits, 0.8, ":"), (mark.interval, thin, "-"),
                                (mark.inner, 2.6, "-")):  # fmt: skip
        if drawn is not None:
            ends = (drawn.low, drawn.high)
            axes.plot(ends, (place, place), style, color=colour, linewidth=width, alpha=0.6,
                      zorder=2)  # fmt: skip
    for single in mark.singles:
        at = place + 0.3 * _ROW
        axes.plot(single, at, marker="o", markersize=2, color=colour, alpha=0.6, zorder=2)
    if mark.chance is not None:
        span = (place - 0.32 * _ROW, place + 0.32 * _ROW)
        chance = (mark.chance, mark.chance)
        axes.plot(chance, span, color=_CHANCE, linewidth=1.4, linestyle=(0, (2, 1.2)), zorder=1)
    axes.plot(
        mark.value,
        place,
        marker="o",
        markersize=5.2,
        markeredgewidth=1.4,
        markeredgecolor=colour,
        markerfacecolor="white" if mark.tone is Tone.OPEN else colour,
        zorder=3,
    )
    beside(axes, MARGIN, place, "\n".join(row.lines), color=INK, linespacing=1.05)
    beside(axes, WIDTH - right + 0.12, place, row.words, color=MUTED, size=8)


def beside(axes: Axes, inches: float, place: float, text: str, **style: Any) -> None:
    """Write beside the axes, at a distance from the left edge of the figure."""
    from matplotlib.transforms import blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    transform = blended_transform_factory(figure.transFigure, axes.transData)
    axes.text(inches / WIDTH, place, text, transform=transform, va="center", **style)


def tick(value: float, unit: Unit) -> str:
    """Return the label of a tick, without needless digits."""
    text = number(value, unit)
    return text.rstrip("0").rstrip(".") if "." in text else text
