"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table of Markdown; what would end a cell or start a tag is escaped."""
    lines = [_row(heads), _row(["---"] * len(heads)), *(_row([*map(_cell, row)]) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())


def code(text: object) -> str:
    """Set a name as code; an empty one stays empty."""
    return f"`{text}`" if text not in (None, "") else ""
