"""A gate in Markdown, for a step summary or a release checklist: one line per check, with a box."""

from __future__ import annotations

from fairaudit.report.escape import escape
from fairaudit.report.gate.gate_numbers import LEGEND, bounds_of, counted, limit_of, value_of
from fairaudit.results.gate import GateResult, RuleResult
from fairaudit.vocabulary.decisions import GateDecision


def render_gate_summary(result: GateResult) -> str:
    """Render the checklist; text from outside cannot break out of its line."""
    lines = "\n".join(_line(rule) for rule in result.rules)
    return f"## Release gate: {result.decision}\n\n{counted(result)}.\n\n{lines}\n\n{LEGEND}\n"


def _line(rule: RuleResult) -> str:
    box = "x" if rule.decision == GateDecision.PASS else " "
    numbers = " ".join(filter(None, (value_of(rule), bounds_of(rule))))
    parts = (f"**{rule.decision}** {escape(rule.rule)}", limit_of(rule), rule.selector, numbers)
    shown = [parts[0], *(escape(part) for part in parts[1:] if part)]
    return f"- [{box}] {' · '.join(shown)}: {escape(rule.reason)}"
