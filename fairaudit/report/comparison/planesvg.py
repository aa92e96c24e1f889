"""A plane as inline SVG, in the colours of the page."""

from __future__ import annotations

from markupsafe import Markup, escape

from fairaudit.report.comparison.plane import Plane, Point, spread
from fairaudit.report.draw import tick
from fairaudit.report.names import Unit
from fairaudit.report.safe_text import shorten

_WIDTH, _HEIGHT = 470, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 300, 12, 262
_LABEL, _LINE, _LONGEST = 322, 15, 22


def plane_svg(plane: Plane) -> Markup:
    """Draw one plane: points at their places, names beside them, joined by thin lines."""
    middle = (_LEFT + _RIGHT) // 2
    parts = [
        *_grid(plane),
        *_names(plane),
        *(_shape(plane, point) for point in plane.points),
        _text(middle, _HEIGHT - 6, _label(plane.x_label, plane.x.unit), "middle", "title"),
    ]
    return Markup(
        f'<svg class="plane" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" aria-hidden="true" '
        f'focusable="false">{"".join(parts)}</svg>'
    )


def _label(label: str, unit: Unit) -> str:
    return f"{label} (%)" if unit.in_hundredths else label


def _x(plane: Plane, value: float) -> float:
    return round(_LEFT + plane.x_scale.place(value) * (_RIGHT - _LEFT), 1)


def _y(plane: Plane, value: float) -> float:
    return round(_BOTTOM - plane.y_scale.place(value) * (_BOTTOM - _TOP), 1)


def _grid(plane: Plane) -> list[str]:
    parts = []
    for at in plane.x_scale.few(5):
        x = _x(plane, at)
        parts.append(_line("tick", x, _TOP, x, _BOTTOM))
        parts.append(_text(x, _BOTTOM + 15, tick(at, plane.x.unit), "middle"))
    for at in plane.y_scale.few(8):
        y = _y(plane, at)
        parts.append(_line("tick", _LEFT, y, _RIGHT, y))
        parts.append(_text(_LEFT - 6, y + 4, tick(at, plane.y.unit), "end"))
    if plane.y.ideal is not None:
        y = _y(plane, plane.y.ideal)
        parts.append(_line("ideal", _LEFT, y, _RIGHT, y))
    return parts


def _names(plane: Plane) -> list[str]:
    """Write names in the order of their points, so that no two overlap and no lines cross."""
    places = [_y(plane, point.y) for point in plane.points]
    parts = []
    for point, place in zip(
        plane.points, spread(places, _LINE, _TOP + 4, _BOTTOM + 12), strict=True
    ):
        x, y = _x(plane, point.x), _y(plane, point.y)
        parts.append(_line("leader", x, y, _LABEL - 4, round(place, 1)))
        name = shorten(point.name, _LONGEST)
        parts.append(_text(_LABEL, round(place + 4, 1), name, "start", _style(point)))
    return parts


def _style(point: Point) -> str:
    return "baseline" if point.is_baseline else point.tone.value


def _shape(plane: Plane, point: Point) -> str:
    x, y = _x(plane, point.x), _y(plane, point.y)
    if point.is_baseline:
        return f'<rect class="baseline" x="{x - 4.5}" y="{y - 4.5}" width="9" height="9"/>'
    return f'<circle class="{point.tone.value}" cx="{x}" cy="{y}" r="4.5"/>'


def _line(name: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{name}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: float, y: float, text: str, anchor: str, name: str = "") -> str:
    style = f' class="{name}"' if name else ""
    return f'<text{style} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
