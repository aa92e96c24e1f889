"""Interval glyphs as inline SVG: they stretch with the page and take its colours.

Positions are percentages, so a strip needs no view box and its marks are never distorted. Strips
are pictures of numbers that stand beside them, and hidden from screen readers.
"""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from fairaudit.report.marks import Mark
from fairaudit.report.scale import Scale

_HEIGHT: Final = 16


def strip(mark: Mark, scale: Scale | None) -> Markup:
    """Draw point, interval, ideal, chance and band of one number on a scale.

    A filled point means that the interval leaves out the ideal, a hollow one that it does not, or
    that there is no interval. Nothing is drawn of a missing value, nor without a level to compare
    with.
    """
    levels = _levels(mark)
    if scale is None or not levels or mark.value is None:
        return Markup("")
    track = _line("track", 0.0, 1.0, _HEIGHT // 2, _HEIGHT // 2)
    uprights = (_upright(name, scale.place(at)) for name, at in levels)
    marks = [*_band(mark, scale), track, *uprights, *_point(mark, mark.value, scale)]
    return Markup(
        f'<svg class="strip mini {mark.tone.value}" width="100%" height="{_HEIGHT}" '
        f'aria-hidden="true" focusable="false">{"".join(marks)}</svg>'
    )


def _band(mark: Mark, scale: Scale) -> list[str]:
    if mark.band is None:
        return []
    left, right = (scale.place(end) for end in mark.band)
    shape = f'<rect class="band" x="{_at(left)}" width="{_at(right - left)}" height="100%"/>'
    return [shape]


def _point(mark: Mark, value: float, scale: Scale) -> list[str]:
    middle = _HEIGHT // 2
    point = f'<circle cx="{_at(scale.place(value))}" cy="{middle}" r="3.5"/>'
    if mark.interval is None:
        return [point]
    drawn = (("reach", mark.limits), ("bar thin" if mark.inner else "bar", mark.interval),
             ("bar", mark.inner))  # fmt: skip
    lines = [
        _line(name, scale.place(one.low), scale.place(one.high), middle, middle)
        for name, one in drawn
        if one is not None
    ]
    return [*lines, point]


def _levels(mark: Mark) -> list[tuple[str, float]]:
    levels = (("ideal", mark.ideal), ("chance", mark.chance))
    return [(name, level) for name, level in levels if level is not None]


def _upright(name: str, place: float) -> str:
    return _line(name, place, place, 0, _HEIGHT)


def _line(name: str, start: float, end: float, top: int, bottom: int) -> str:
    return f'<line class="{name}" x1="{_at(start)}" x2="{_at(end)}" y1="{top}" y2="{bottom}"/>'


def _at(place: float) -> str:
    return f"{100 * place:.2f}".rstrip("0").rstrip(".") + "%"
