"""``fairaudit audit-scores``: statistics for scores recorded elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.audit import OutputFormat, show_result


def audit_scores_command(
    file: Annotated[Path, typer.Argument(help="StereoSet predictions or CrowS-Pairs scores.")],
    suite: Annotated[str, typer.Option(help="Suite that was scored.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Audit folder.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with benchmark files.", envvar="FAIRAUDIT_DATA")
    ] = None,
    format: Annotated[str, typer.Option(help="auto, stereoset or crows_pairs.")] = "auto",
    label: Annotated[str | None, typer.Option(help="Name of the audit in reports.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
) -> None:
    """Estimate bias from scores that were recorded elsewhere."""
    from fairaudit.recorded import audit_scores

    result = audit_scores(
        file, suite=suite, data=data, format=format, label=label, output=output, seed=seed
    )
    show_result(result, OutputFormat.table, output)
