"""A gate in a terminal: every check with its number, its limit and the reason."""

from __future__ import annotations

from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from fairaudit.report.clean import clean
from fairaudit.report.gate.words import LEGEND, counted, limit_of, number_of
from fairaudit.results.gate import GateDecision, GateResult, RuleResult

_STYLES: Final[dict[GateDecision, str]] = {
    "PASS": "green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "yellow",
    "NOT_RUN": "yellow",
}


def render_gate(result: GateResult) -> Group:
    """All checks of a gate in the order of the policy, and the decision below them."""
    table = Table(box=None, pad_edge=False, header_style="bold dim", padding=(0, 2, 0, 0))
    table.add_column("decision", no_wrap=True)
    for name in ("check", "limit", "value"):
        table.add_column(name, overflow="fold")
    for rule in result.rules:
        table.add_row(_decision(rule.decision), _check(rule), limit_of(rule), number_of(rule))
    line = Text.assemble(_decision(result.decision), f": {counted(result)}")
    return Group(table, Text(), line, Text(LEGEND, style="dim"))


def _decision(decision: GateDecision) -> Text:
    return Text(decision, style=_STYLES[decision])


def _check(rule: RuleResult) -> Text:
    """Rule, what it was applied to, and why it came out so; outside text is never markup."""
    return Text.assemble(
        (rule.rule, "bold"), f"\n{clean(rule.selector)}\n", (clean(rule.reason), "dim")
    )
