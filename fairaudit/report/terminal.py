"""A result in a terminal: the numbers that matter, in tables that fit 80 columns."""

from __future__ import annotations

from rich.console import Group

from fairaudit.report.documents.of_result import Result, document_of
from fairaudit.report.render import terminal


def render_terminal(result: Result) -> Group:
    """Everything a terminal shows of a result.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    return terminal.render_terminal(document_of(result))
