"""A result in a terminal: the numbers that matter, in a table that fits 80 columns."""

from __future__ import annotations

from rich.console import Group

from fairaudit.report.audit import terminal as audit
from fairaudit.report.comparison import terminal as comparison
from fairaudit.results import AuditResult, ComparisonResult


def render_terminal(result: AuditResult | ComparisonResult) -> Group:
    """Everything a terminal shows of a result.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    if isinstance(result, ComparisonResult):
        return comparison.render_terminal(result)
    return audit.render_terminal(result)
