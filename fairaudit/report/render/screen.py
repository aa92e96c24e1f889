"""A document as ``print`` and the interpreter show it: answer and numbers on one screen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from fairaudit.report.document import Document, Table, View, plain, seen
from fairaudit.report.safe_text import clean, shorten

#: A screen, in characters; room for the call and the next prompt is left.
WIDTH: Final = 120
_ROWS: Final = 14
_ANSWER_LINES: Final = 5
_PHRASE: Final = 40
_GAP: Final = "  "


def render_screen(document: Document, kind: str) -> str:
    """Return title, answer and the first rows of numbers, in at most 22 lines."""
    return "\n".join(_lines(document, kind))


def _lines(document: Document, kind: str) -> Iterator[str]:
    title, *told = seen(document.head, View.SCREEN)
    yield shorten(f"{kind}: {clean(words_of(title))}", WIDTH)
    for block in told:
        if isinstance(block, Table):
            yield from _table(block)
            if len(block.entries) > _ROWS:
                yield f"and {len(block.entries) - _ROWS:,} more: see {document.whole}"
        else:
            answer = clean(words_of(block))
            yield from textwrap.wrap(answer, WIDTH, max_lines=_ANSWER_LINES, placeholder=" …")


def words_of(block: object) -> str:
    """Return the words of a heading or a paragraph."""
    return plain(getattr(block, "content", ""))


def cells_of(table: Table, most: int) -> list[list[str]]:
    """Return the heads, then the first rows as text."""
    heads = [plain(column.head) for column in table.columns]
    return [heads, *(list(map(plain, table.cells(one))) for one in table.entries[:most])]


def _table(table: Table) -> Iterator[str]:
    if not table.entries:
        return
    rows = cells_of(table, _ROWS)
    widths = _widths(table, rows)
    for row in rows:
        cells = (shorten(cell, width).ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()


def _widths(table: Table, rows: list[list[str]]) -> list[int]:
    """Widths of the columns: as wide as their cells, names narrowed until all fit; no number is."""
    widths = [max(len(clean(cell)) for cell in column) for column in zip(*rows, strict=True)]
    widths[-1] = min(widths[-1], _PHRASE)
    names = [place for place, column in enumerate(table.columns) if column.style == "name"]
    room = WIDTH - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room:
        widths[max(names, key=lambda place: widths[place])] -= 1
    return widths
