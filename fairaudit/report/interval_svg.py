"""Interval glyphs as inline SVG: they stretch with the page and take its colours.

Positions are percentages, so a strip needs no view box and its marks are never distorted. Strips
are pictures of numbers that stand beside them, and hidden from screen readers.
"""

from __future__ import annotations

from markupsafe import Markup

from fairaudit.report.draw import tick
from fairaudit.report.marks import Mark, Span
from fairaudit.report.names import Unit
from fairaudit.report.scale import Scale

_HEIGHT = {"mini": 16, "wide": 28}
#: Characters that all labels of an axis may have where a page is narrow.
_CHARACTERS = 32


def strip(mark: Mark, scale: Scale | None, size: str = "mini") -> Markup:
    """Draw point, interval, ideal, chance and band of one number on a scale.

    A filled point means that the interval leaves out the ideal, a hollow one that it does not, or
    that there is no interval. Nothing is drawn without a level to compare with; a missing value
    leaves a wide strip empty, so that the rows of a plot stay aligned.
    """
    levels = _levels(mark)
    if scale is None or not levels or (mark.value is None and size == "mini"):
        return Markup("")
    height = _HEIGHT[size]
    marks = [
        *_band(mark, scale),
        *(_span(span, scale, height) for span in mark.spans),
        *_grid(scale, size),
        *(_upright(name, scale.place(at), height) for name, at in levels),
        *_point(mark, scale, size),
    ]
    return Markup(
        f'<svg class="strip {size} {mark.tone.value}" width="100%" height="{height}" '
        f'aria-hidden="true" focusable="false">{"".join(marks)}</svg>'
    )


def _band(mark: Mark, scale: Scale) -> list[str]:
    if mark.band is None:
        return []
    left, right = (scale.place(end) for end in mark.band)
    shape = f'<rect class="band" x="{_at(left)}" width="{_at(right - left)}" height="100%"/>'
    return [shape]


def _span(span: Span, scale: Scale, height: int) -> str:
    left, right = scale.place(span.low), scale.place(span.high)
    if left == right:
        return _upright(f"span {span.name}", left, height)
    return (
        f'<rect class="span {span.name}" x="{_at(left)}" width="{_at(right - left)}" '
        'height="100%"/>'
    )


def _grid(scale: Scale, size: str) -> list[str]:
    height = _HEIGHT[size]
    if size == "mini":
        return [_line("track", 0.0, 1.0, height // 2, height // 2)]
    return [_upright("tick", scale.place(tick), height) for tick in scale.ticks]


def _point(mark: Mark, scale: Scale, size: str) -> list[str]:
    if mark.value is None:
        return []
    middle, radius = _HEIGHT[size] // 2, "4.5" if size == "wide" else "3.5"
    point = f'<circle cx="{_at(scale.place(mark.value))}" cy="{middle}" r="{radius}"/>'
    singles = [
        f'<circle class="single" cx="{_at(scale.place(single))}" cy="{middle + 7}" r="1.75"/>'
        for single in mark.singles
    ]
    if mark.interval is None:
        return [*singles, point]
    drawn = (("reach", mark.limits), ("bar thin" if mark.inner else "bar", mark.interval),
             ("bar", mark.inner))  # fmt: skip
    lines = [
        _line(name, scale.place(one.low), scale.place(one.high), middle, middle)
        for name, one in drawn
        if one is not None
    ]
    return [*singles, *lines, point]


def axis(unit: Unit, scale: Scale) -> Markup:
    """Draw the ticks of a scale, labelled in a unit; as many labels as there is room for."""
    longest = max((len(tick(at, unit)) for at in scale.ticks), default=1)
    ticks = "".join(
        f'<text x="{_at(scale.place(at))}" y="14" text-anchor="middle">{tick(at, unit)}</text>'
        for at in scale.few(_CHARACTERS // longest)
    )
    return Markup(
        '<svg class="strip axis" width="100%" height="20" aria-hidden="true" '
        f'focusable="false">{ticks}</svg>'
    )


def _levels(mark: Mark) -> list[tuple[str, float]]:
    levels = (("ideal", mark.ideal), ("chance", mark.chance))
    return [(name, level) for name, level in levels if level is not None]


def _upright(name: str, place: float, height: int) -> str:
    return _line(name, place, place, 0, height)


def _line(name: str, start: float, end: float, top: int, bottom: int) -> str:
    return f'<line class="{name}" x1="{_at(start)}" x2="{_at(end)}" y1="{top}" y2="{bottom}"/>'


def _at(place: float) -> str:
    return f"{100 * place:.2f}".rstrip("0").rstrip(".") + "%"
