"""A document in a notebook: its answer and the numbers that it rests on."""

from __future__ import annotations

from html import escape
from typing import Final

from fairaudit.report.document import Document, Table, View, seen
from fairaudit.report.render.screen import cells_of, words_of
from fairaudit.report.safe_text import clean

#: Rows of a table; the others are named by a call.
_ROWS: Final = 30


def render_notebook(document: Document) -> str:
    """Return title, answer and the first rows of numbers, as HTML that cannot do anything."""
    title, *told = seen(document.head, View.SCREEN)
    said = " ".join(words_of(block) for block in told if not isinstance(block, Table))
    head = f"<p><strong>{_text(words_of(title))}</strong><br>{_text(said)}</p>"
    tables = (_table(block, document.whole) for block in told if isinstance(block, Table))
    return f"<div>{head}{''.join(tables)}</div>"


def _table(table: Table, whole: str) -> str:
    if not table.entries:
        return ""
    heads, *rows = cells_of(table, _ROWS)
    head = "".join(f"<th>{_text(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    more = f"<p>and {len(table.entries) - _ROWS} more: see <code>{whole}</code></p>"
    drawn = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return drawn + (more if len(table.entries) > _ROWS else "")


def _text(text: str) -> str:
    return escape(clean(text))
