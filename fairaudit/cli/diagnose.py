"""``fairaudit diagnose``: checkpoints in, gradient disparity of groups out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairaudit.cli.audit import OutputFormat, calm_libraries
from fairaudit.cli.options import takes
from fairaudit.cli.state import console, shown_progress
from fairaudit.diagnostics.diagnose_options import DiagnoseOptions

if TYPE_CHECKING:
    from fairaudit.results import DiagnosticsResult


@takes(DiagnoseOptions)
def diagnose_command(
    chosen: dict[str, Any],
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Show how clipping and noise affect each group's gradients, and what moved the bias."""
    calm_libraries()
    from fairaudit.diagnostics.diagnosing import diagnose, folder_of

    with shown_progress() as progress:
        result = diagnose(**chosen, progress=progress)
    _show(result, format, folder_of(result, chosen["output"]))


def _show(result: DiagnosticsResult, format: OutputFormat, folder: Path) -> None:
    from fairaudit.report.terminal import render_terminal

    if format is OutputFormat.json:
        typer.echo(result.to_json(), nl=False)
        return
    console().print(render_terminal(result))
    console().print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
