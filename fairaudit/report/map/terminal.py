"""A map in a terminal: the finding, the map as a table, and what explains it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fairaudit.report import words
from fairaudit.report.experiment.arms import in_order
from fairaudit.report.map import numbers, summary, view
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.terminal_tables import grid, indented
from fairaudit.results.map import MapResult

_SHOWN_LEANS = 7


def render_map(result: MapResult) -> Group:
    """Everything a terminal shows of a map, in 80 columns.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    said = (summary.same(result), summary.way(result), summary.unexplained(result))
    parts: list[RenderableType] = [
        Text(f"Map {shorten(result.name, 60)}", style="bold"),
        Text(clean(summary.headline(result)), style="bold"),
        *(Text(clean(line)) for line in said if line),
        Text(clean(summary.measured(result))),
        Text(),
    ]
    for sheet in view.all_sheets(result):
        parts += [*_sheet(sheet, result), Text()]
    parts += [_law(result), Text()]
    failed = (Text(clean(shorten(line, 300))) for line in summary.failures(result))
    parts += indented("Failed", failed)
    parts.append(Text(summary.SCOPE, style="dim"))
    return Group(*parts)


def _sheet(sheet: view.Sheet, result: MapResult) -> list[RenderableType]:
    """Return changes by arm and lean; of very many leans the middle is left to the page."""
    unit = numbers.unit_of(result)
    leans = sheet.leans
    if len(leans) > _SHOWN_LEANS:
        leans = (*leans[:3], *leans[-3:])
    of = numbers.frequency(sheet.share)
    table = grid("Arm", *(numbers.lean(lean) for lean in leans))
    for arm in sheet.arms:
        shown = []
        for lean in leans:
            cell = sheet.cells.get((arm.id, lean))
            number = numbers.change(cell.change if cell else None, unit).removesuffix(unit.suffix)
            style = "" if cell is None else numbers.tone(cell.change).style
            shown.append(Text(number, style=style))
        table.add_row(Text(shorten(arm.name, 24)), *shown)
    title = f"Change against plain, by lean of base minus text; second group has {of} of the text"
    return [Text(title, style="bold underline"), table]


def _law(result: MapResult) -> Table:
    fits = {one.arm: one for one in result.held_out}
    shares = {one.arm: one for one in result.moved}
    table = grid("Arm", "share of the way", "R² held out")
    for arm in in_order(shares):
        fit = numbers.r_squared(fits[arm.id]) if arm.id in fits else words.MISSING
        table.add_row(
            Text(shorten(arm.name, 30)),
            Text(numbers.share_whole(shares[arm.id].share)),
            Text(fit),
        )
    return table
