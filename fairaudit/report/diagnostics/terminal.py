"""A diagnosis in a terminal: the answer, one table of groups, what was not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairaudit.report.diagnostics import summary, view
from fairaudit.report.diagnostics.quantities_in_words import (
    difference_of,
    group_name,
    meaning_of,
    model_name,
    value_of,
)
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.words import p_of
from fairaudit.results.diagnostics import DiagnosedModel, DiagnosticsResult

_COLUMNS: Final = ("norm_of_mean", "clip_rate", "misalignment", "signal_to_noise")
#: More models than this are not all shown: the first and the last are.
_MOST: Final = 4


def render_terminal(result: DiagnosticsResult) -> Group:
    """Everything a terminal shows of a diagnosis; text from outside is never read as markup."""
    return Group(*_parts(result))


def _parts(result: DiagnosticsResult) -> Iterator[RenderableType]:
    yield Text(summary.answer(result), style="bold")
    yield Text(summary.looked_at(result))
    warning = summary.not_covered(result)
    if warning:
        yield Text(warning, style="bold yellow")
    for model in _shown(result):
        yield Padding(_groups(result, model), (1, 0, 0, 0))
    found = view.found_different(result.differences)
    if found:
        yield Padding(_differences(result), (1, 0, 0, 0))
    folded = summary.not_run(result)
    if folded:
        yield Text(f"{folded} The report says which, and why.", style="dim")


def _shown(result: DiagnosticsResult) -> list[DiagnosedModel]:
    models = list(result.models)
    return models if len(models) <= _MOST else [models[0], models[-1]]


def _groups(result: DiagnosticsResult, model: DiagnosedModel) -> Table:
    lookup = view.Lookup(result)
    columns = [
        name
        for name in _COLUMNS
        if any(q.name == name and q.value is not None for q in result.quantities)
    ]
    table = Table(title=Text(shorten(model_name(model), 60)), title_justify="left", box=None,
                  header_style="bold", pad_edge=False)  # fmt: skip
    table.add_column("group")
    for name in columns:
        table.add_column(meaning_of(name).label, justify="right")
    for axis in view.axes(result):
        table.add_row(Text(axis_name(axis), style="bold"))
        for group in view.groups(result, axis):
            cells = [lookup.get(model.label, axis, group, name) for name in columns]
            values = ("–" if cell is None else value_of(cell) for cell in cells)
            table.add_row(Text("  " + shorten(group_name(group), 26)), *map(Text, values))
    return table


def _differences(result: DiagnosticsResult) -> Table:
    found = view.found_different(result.differences)
    table = Table(title=Text("Different after correction"), title_justify="left", box=None,
                  header_style="bold", pad_edge=False)  # fmt: skip
    for column in ("quantity", "groups", "difference", "adj. p"):
        table.add_column(column, justify="right" if column == "adj. p" else "left")
    labels = {model.label: model_name(model) for model in result.models}
    several = len(result.models) > 1
    for entry in found[:20]:
        where = f"{axis_name(entry.axis)}: {group_name(entry.group)} − {group_name(entry.other)}"
        if several and entry.model is not None:
            where += f" ({shorten(labels[entry.model], 20)})"
        table.add_row(
            Text(meaning_of(entry.name).label),
            Text(where),
            Text(difference_of(entry)),
            Text(p_of(entry.p_adjusted)),
        )
    if len(found) > 20:
        table.add_row(Text(f"and {len(found) - 20} more in differences.csv", style="dim"))
    return table
