"""What every terminal view shares: tables without lines, and indented lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

#: Heads of numbers; so is every head of one character: n, or the mark of a verdict.
_RIGHT: Final = frozenset({"value", "difference", "ideal", "chance"})


def grid(*names: str) -> Table:
    """Return a table without lines; numbers stand at the right, and never wrap."""
    table = Table(box=None, pad_edge=False, header_style="bold dim", padding=(0, 2, 0, 0))
    for name in names:
        right = name in _RIGHT or len(name) == 1
        justify: Literal["left", "right"] = "right" if right else "left"
        table.add_column(name, justify=justify, no_wrap=name != "", overflow="fold")
    return table


def indented(title: str, lines: Iterable[Text]) -> list[RenderableType]:
    """Return a heading with indented lines beneath, or nothing without lines."""
    shown: list[RenderableType] = [Padding(line, (0, 0, 0, 2)) for line in lines]
    return [Text(title, style="bold yellow"), *shown, Text()] if shown else []
