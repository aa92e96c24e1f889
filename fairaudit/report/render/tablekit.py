"""What stands beside each table of a page: a link to it, and its cells as CSV in a link."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from urllib.parse import quote

from markupsafe import Markup, escape

from fairaudit.report import document as doc
from fairaudit.report.grouping import anchor
from fairaudit.report.papertables import harmless

#: Characters of all tables as CSV in one page; what comes later keeps its link only.
_MOST = 250_000


@dataclass(slots=True)
class TableKit:
    """Gives each table of one page a place of its own; the same page gives the same places."""

    taken: set[str] = field(default_factory=set)
    room: int = _MOST

    def draw(self, table: doc.Table) -> Markup:
        """Draw the links of a table, which is named by its label or caption."""
        place = anchor(f"table {(table.label or doc.plain(table.caption))[:60]}", self.taken)
        here = escape(place)
        links = f'<a id="{here}" href="#{here}" aria-label="Link to this table">¶</a>'
        data = quote(table_csv(table))
        if len(data) <= self.room:
            self.room -= len(data)
            address = f"data:text/csv;charset=utf-8,{data}"
            links += f' · <a download="{here}.csv" href="{address}">CSV</a>'
        return Markup(f'<p class="kit">{links}</p>')


def table_csv(table: doc.Table) -> str:
    """Return heads and cells as CSV, with the group of an entry before them."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    grouped = any(group is not None and doc.plain(group.title) for group, _ in table.rows)
    heads = [doc.plain(column.head) for column in table.columns]
    writer.writerow([*(["Group"] if grouped else []), *heads])
    for group, entry in table.rows:
        if entry is not None:
            title = doc.plain(group.title) if group is not None else ""
            cells = [harmless(doc.plain(cell)) for cell in table.cells(entry)]
            writer.writerow([*([harmless(title)] if grouped else []), *cells])
    return stream.getvalue()
