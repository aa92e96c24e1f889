"""The audit in a terminal: the numbers that matter, in a table that fits 80 columns."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from fairaudit.report import words
from fairaudit.report.audit import summary
from fairaudit.report.audit.reading import (
    Standing,
    falls_short,
    headline_capabilities,
    lost_in_correction,
    standing,
    weak_capabilities,
    weakness_words,
)
from fairaudit.report.audit.view import not_run, primary_bias
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, caution_of, measured, metric_of, suite_name, variant
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.terminal_tables import grid, indented
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of

_STYLES = {Standing.TOWARDS: "dark_orange3", Standing.AWAY: "dodger_blue1"}
_MARKS = {Standing.TOWARDS: "▲△", Standing.AWAY: "▼▽", Standing.APART: "◆◇"}
_LEGEND = (
    "▲ leans towards the stereotype, ▼ away from it, △ ▽ by its own interval but not after "
    "correction; no mark: the ideal is not excluded."
)


def render_terminal(result: AuditResult) -> Group:
    """Everything a terminal shows of one audit: estimates, capability, suites not run.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    parts: list[RenderableType] = [Text(shorten(result.label, 70), style="bold"), Text()]
    parts += [render_table(result), Text()]
    if headline_capabilities(result):
        parts += [_capability_table(result), Text()]
    parts += [*_warnings(result), *_missing(result)]
    parts.append(Text(_LEGEND, style="dim"))
    parts.append(Text(summary.answer(result), style="bold"))
    parts.append(Text(f"{summary.found(result)} {summary.SHORT_LIMITS}", style="dim"))
    return Group(*parts)


def render_table(result: AuditResult) -> Table:
    """Primary estimates by suite and axis, with interval, ideal and n."""
    table = grid("Bias", "value", "95 % interval", "ideal", "n", "")
    for found in grouped(primary_bias(result), measured).values():
        if table.rows:
            table.add_row()
        head = Text(shorten(suite_name(found[0].suite), 24), style="bold")
        protocols = dict.fromkeys(variant(one.protocol) for one in found)
        what = f"{metric_of(found[0]).label.lower()}, {', '.join(protocols)}"
        table.add_row(head, "", "", "", "", Text(shorten(what, 90), style="dim"))
        for one in found:
            table.add_row(*_bias_row(one, result.estimates))
    if not table.rows:
        table.add_row(Text("no primary estimate", style="dim"))
    return table


def _bias_row(found: Estimate, estimates: tuple[Estimate, ...]) -> tuple[Text, ...]:
    side = standing(found)
    style = _STYLES.get(side, "")
    return (
        Text(f"  {shorten(axis_name(found.axis), 22)}"),
        Text(words.value_of(found), style=style),
        Text(words.interval_of(found), style=style),
        Text(words.reference(found.ideal, found), style="dim"),
        Text(words.count(found.n)),
        _remark(found, estimates),
    )


def _remark(found: Estimate, estimates: tuple[Estimate, ...]) -> Text:
    """Mark of the standing, then what a reader must know about the number."""
    remarks = [caution_of(caution).label for caution in found.cautions]
    if weakness_of(found, estimates) is not None:
        remarks.append("not interpretable")
    if found.value is None:
        remarks.append(shorten(found.reason or "no reason recorded", 200))
    side = standing(found)
    mark = Text(_MARKS.get(side, "  ")[lost_in_correction(found)], style=_STYLES.get(side, ""))
    return Text.assemble(mark, (" " + "; ".join(remarks) if remarks else "", "yellow"))


def _capability_table(result: AuditResult) -> Table:
    table = grid("Capability", "value", "95 % interval", "chance", "n", "")
    for found in headline_capabilities(result):
        failed = falls_short(found)
        metric = metric_of(found)
        label = metric.short or metric.label
        table.add_row(
            Text.assemble(f"  {shorten(label, 22)}"),
            Text(words.value_of(found)),
            Text(words.interval_of(found)),
            Text(words.reference(found.chance, found), style="dim"),
            Text(words.count(found.n)),
            Text("not shown above chance" if failed else variant(found.protocol), _tone(failed)),
        )
    return table


def _tone(failed: bool) -> str:
    return "bold yellow" if failed else "dim"


def _warnings(result: AuditResult) -> list[RenderableType]:
    weak = weak_capabilities(result)
    lines = (Text(clean(weakness_words(found))) for found in weak)
    return indented(summary.weak(result), lines)


def _missing(result: AuditResult) -> list[RenderableType]:
    lines = (
        Text.assemble((suite_name(run.suite), "bold"), f": {clean(run.reason or 'no reason')}")
        for run in not_run(result)
    )
    return indented("Not run", lines)
