"""A gate in a terminal: rule by rule, every check with its number and the reason."""

from __future__ import annotations

from itertools import groupby

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fairaudit.report.gate.gate_numbers import LEGEND, bounds_of, counted, limit_of, value_of
from fairaudit.report.safe_text import clean
from fairaudit.results.gate import GateDecision, GateResult, RuleResult


def render_gate(result: GateResult) -> Group:
    """All checks of a gate in the order of the policy, and the decision below them."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column("decision", no_wrap=True)
    table.add_column("check", overflow="fold", ratio=1)
    table.add_column("value", no_wrap=True)
    for (rule, limit), checks in groupby(result.rules, lambda one: (one.rule, limit_of(one))):
        if table.rows:
            table.add_row()
        table.add_row("", Text.assemble((rule, "bold"), f"  {limit}" if limit else ""))
        for check in checks:
            table.add_row(_decision(check.decision), _about(check), _value(check))
    line = Text.assemble(_decision(result.decision), f": {counted(result)}")
    return Group(table, Text(), line, Text(LEGEND, style="dim"))


def _decision(decision: GateDecision) -> Text:
    return Text(decision, style=decision.style)


def _about(check: RuleResult) -> Text:
    """Say what was checked, and why it came out so; text from outside is never markup."""
    return Text.assemble(f"{clean(check.selector)}\n", (clean(check.reason), "dim"))


def _value(check: RuleResult) -> Text:
    return Text.assemble(f"{value_of(check)}\n", (bounds_of(check), "dim"))
