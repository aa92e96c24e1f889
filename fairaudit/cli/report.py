"""``fairaudit report``: render a result again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.early import refuse_missing_results
from fairaudit.cli.state import console
from fairaudit.errors import UsageError


def report_command(
    folder: Annotated[Path, typer.Argument(help="Folder of a result, or its result.json.")],
) -> None:
    """Re-render a saved result's report: report.html, summary.md and figures."""
    folder = _folder_of(folder)
    refuse_missing_results(folder)
    from fairaudit.report.files import write_report
    from fairaudit.results.loading import load_result

    write_report(load_result(folder), folder)
    console().print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


def _folder_of(place: Path) -> Path:
    if not place.is_file():
        return place
    if place.name != "result.json":
        raise UsageError(f"{place}: name the folder of a result, or its result.json")
    return place.parent
