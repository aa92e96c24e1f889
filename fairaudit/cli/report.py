"""``fairaudit report``: render an audit folder again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console


def report_command(
    folder: Annotated[Path, typer.Argument(help="Audit folder.")],
) -> None:
    """Write report.html, summary.md and the figures of an audit folder again."""
    from fairaudit.report.files import write_report
    from fairaudit.results import AuditResult

    write_report(AuditResult.load(folder), folder)
    console().print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
