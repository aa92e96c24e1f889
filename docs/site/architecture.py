"""The picture of the rooms, drawn from the imports: ``python -m docs.site.architecture``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fairaudit"
PICTURE = ROOT / "docs" / "architecture.svg"
#: What every room may use is no arrow of the picture.
_GROUND = frozenset({"durable", "errors", "forks", "lines", "options", "progress", "ranks",
                     "versions", "vocabulary", "_version", "namesake"})  # fmt: skip
_WIDTH, _ROW, _BOX = 980, 92, (118, 34)

Rooms = Mapping[str, frozenset[str]]


def rooms() -> Rooms:
    """Return each room with the rooms that its files import, anywhere in them."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room.startswith("__") or room in _GROUND:
            continue
        found.setdefault(room, set()).update(_imports(path))
    known = found.keys()
    return {room: frozenset((used & known) - {room}) for room, used in found.items()}


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
            if node.module == "fairaudit":
                names = [f"fairaudit.{one.name}" for one in node.names]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("fairaudit."))


def heights(of: Rooms) -> dict[str, int]:
    """Return how many rooms stand below each, at the longest; a cycle is an error.

    Raises
    ------
    ValueError
        If rooms import each other in a circle.
    """
    found: dict[str, int] = {}

    def height(room: str, above: tuple[str, ...]) -> int:
        if room in above:
            raise ValueError(f"imports go round: {' -> '.join((*above, room))}")
        if room not in found:
            found[room] = max((1 + height(one, (*above, room)) for one in of[room]), default=0)
        return found[room]

    for room in of:
        height(room, ())
    return found


def direct(of: Rooms) -> Rooms:
    """Keep the arrows that no longer way implies."""

    def reached(room: str) -> frozenset[str]:
        return frozenset().union(*({one} | reached(one) for one in of[room]))

    return {
        room: frozenset(one for one in used
                        if not any(one in reached(other) for other in used - {one}))
        for room, used in of.items()
    }  # fmt: skip


def drawn(of: Rooms) -> str:
    """Return the picture: a row for each height, an arrow from each room to what it imports."""
    level = heights(of)
    rows = [
        sorted(room for room in of if level[room] == one) for one in range(max(level.values()) + 1)
    ]
    rows.reverse()
    places = {
        room: (round(_WIDTH * (place + 1) / (len(row) + 1)), 40 + _ROW * number)
        for number, row in enumerate(rows)
        for place, room in enumerate(row)
    }
    height = 40 + _ROW * len(rows) + 40
    arrows = [_arrow(places[room], places[one]) for room, used in sorted(direct(of).items())
              for one in sorted(used)]  # fmt: skip
    boxes = [_box(room, *places[room]) for room in sorted(places)]
    ground = _ground(height - 50)
    return "\n".join([_head(height), *arrows, *boxes, ground, "</svg>", ""])


def _head(height: int) -> str:
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img"
     aria-label="Rooms of the package; an arrow leads to what a room imports">
<style>
  rect {{ fill: #fff; stroke: #444; }} text {{ font: 14px system-ui, sans-serif; fill: #111; }}
  path {{ fill: none; stroke: #777; }} marker path {{ fill: #777; }}
  @media (prefers-color-scheme: dark) {{
    rect {{ fill: #222; stroke: #aaa; }} text {{ fill: #eee; }} path {{ stroke: #999; }}
    marker path {{ fill: #999; }}
  }}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8"
  orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>"""


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    (x0, y0), (x1, y1) = start, end
    y0, y1 = y0 + _BOX[1] // 2, y1 - _BOX[1] // 2
    bend = (y1 - y0) // 2
    curve = f"M{x0} {y0}C{x0} {y0 + bend} {x1} {y1 - bend} {x1} {y1}"
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def _box(room: str, x: int, y: int) -> str:
    width, height = _BOX
    corner = f'x="{x - width // 2}" y="{y - height // 2}"'
    box = f'<rect {corner} width="{width}" height="{height}" rx="5"/>'
    return f'{box}<text x="{x}" y="{y + 5}" text-anchor="middle">{escape(room)}</text>'


def _ground(y: int) -> str:
    names = ", ".join(sorted(name for name in _GROUND if not name.startswith("_")))
    return f'<text x="{_WIDTH // 2}" y="{y}" text-anchor="middle">every room: {names}</text>'


if __name__ == "__main__":
    PICTURE.write_text(drawn(rooms()), encoding="utf-8")
