"""Figures for papers and slides, as PNG: the same numbers as in the page."""

from __future__ import annotations

from fairaudit.report.audit import figures as audit
from fairaudit.results import AuditResult


def figures(result: AuditResult) -> dict[str, bytes]:
    """Draw the figures of a result.

    Returns
    -------
    dict of str to bytes
        PNG files by stem; a figure without data is left out. The same result gives the same bytes.
    """
    return audit.figures(result)
