"""A result in a notebook: its answer, its verdicts, and its figures one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fairaudit.errors import UsageError
from fairaudit.report.answer import Result, ShownRow, rows_of, title_of, whole_of
from fairaudit.report.figures import drawers
from fairaudit.report.raster import png
from fairaudit.report.safe_text import clean
from fairaudit.results import loading

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Rows of a table in a notebook; the others are named by a call.
_ROWS = 30


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that any notebook shows, whatever its Matplotlib back end."""

    name: str
    make: Callable[[], Figure]

    @property
    def figure(self) -> Figure:
        """The figure in Matplotlib, drawn anew, to change or save."""
        return self.make()

    def save(self, path: str | Path) -> Path:
        """Write the figure as PNG, in our style."""
        target = Path(path)
        target.write_bytes(self._repr_png_())
        return target

    def _repr_png_(self) -> bytes:
        return png(self.make)


def plot(result: loading.Result, name: str | None = None) -> Drawing:
    """Return a figure of a result by name, the first without one.

    Raises
    ------
    UsageError
        If there is no such figure; the message names those there are.
    """
    found = drawers(result)
    if not found:
        raise UsageError("there is nothing to draw: no number has a value")
    stem = next(iter(found)) if name is None else name
    if stem not in found:
        raise UsageError(f"no figure is called '{clean(stem)}'; there are {', '.join(found)}")
    return Drawing(stem, found[stem])


def fragment(result: Result) -> str:
    """Return the answer and the numbers that it rests on, as HTML that cannot do anything."""
    title, answer = title_of(result)
    head = f"<p><strong>{_text(title)}</strong><br>{_text(answer)}</p>"
    return f"<div>{head}{_table(*rows_of(result), whole_of(result))}</div>"


def _table(heads: ShownRow, rows: list[ShownRow], whole: str) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_text(one)}</th>" for one in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows[:_ROWS]
    )
    more = f"<p>and {len(rows) - _ROWS} more: see <code>{whole}</code></p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return table + (more if len(rows) > _ROWS else "")


def _text(text: str) -> str:
    return escape(clean(text))
