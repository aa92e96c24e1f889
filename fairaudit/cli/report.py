"""``fairaudit report``: render a result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console


def report_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a result.")],
) -> None:
    """Write report.html, summary.md and the figures of a result again."""
    from fairaudit.report.files import load_result, write_report

    write_report(load_result(folder), folder)
    console().print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
