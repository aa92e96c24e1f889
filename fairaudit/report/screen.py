"""A result as `print` and the interpreter show it: the answer and its numbers on one screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from fairaudit.report.answer import NAMES, Result, ShownRow, rows_of, title_of, whole_of
from fairaudit.report.safe_text import clean, shorten

#: A screen, in characters; room for the call and the next prompt is left.
WIDTH: Final = 120
_ROWS: Final = 14
_ANSWER_LINES: Final = 5
_PHRASE: Final = 40
_GAP: Final = "  "


def screen(result: Result) -> str:
    """Return title, answer and the first rows of numbers, in at most 22 lines."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    title, answer = title_of(result)
    yield shorten(f"{type(result).__name__}: {clean(title)}", WIDTH)
    yield from textwrap.wrap(clean(answer), WIDTH, max_lines=_ANSWER_LINES, placeholder=" …")
    heads, rows = rows_of(result)
    if rows:
        yield from _table([heads, *rows[:_ROWS]])
    if len(rows) > _ROWS:
        yield f"and {len(rows) - _ROWS:,} more: see {whole_of(result)}"


def _table(rows: list[ShownRow]) -> Iterator[str]:
    widths = _widths(rows)
    for row in rows:
        cells = (shorten(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()


def _widths(rows: list[ShownRow]) -> list[int]:
    """Widths of the columns: as wide as their cells, names narrowed until all fit; no number is."""
    heads = rows[0]
    widths = [max(len(clean(cell)) for cell in column) for column in zip(*rows, strict=True)]
    widths[-1] = min(widths[-1], _PHRASE)
    names = [place for place, head in enumerate(heads) if head in NAMES]
    room = WIDTH - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widths[max(names, key=lambda place: widths[place])] -= 1
    return widths
