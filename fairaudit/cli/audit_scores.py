"""``fairaudit audit-scores``: statistics for scores and texts recorded elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fairaudit.cli.audit import INCOMPLETE, OutputFormat, calm_libraries, show_result
from fairaudit.cli.options import takes
from fairaudit.recorded.scores_options import ScoresOptions


@takes(ScoresOptions)
def audit_scores_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="StereoSet predictions, CrowS-Pairs scores, BBQ answers, logs of "
            "lm-evaluation-harness or inspect_ai, or texts (JSONL, JSON, CSV)."
        ),
    ],
    chosen: dict[str, Any],
    earlier_format: Annotated[
        str | None, typer.Option("--format", hidden=True, help="Earlier name of --input-format.")
    ] = None,
) -> None:
    """Estimate bias from scores or texts that were recorded elsewhere."""
    from fairaudit.recorded.audit_scores import audit_scores

    if earlier_format is not None:
        typer.echo("fairaudit: --format is now called --input-format", err=True)
        chosen["format"] = earlier_format
    if not chosen.keys().isdisjoint(("toxicity_classifier", "regard_classifier")):
        calm_libraries()
    result = audit_scores(file, **chosen)
    show_result(result, OutputFormat.table, chosen["output"])
    if any(run.status == "not_run" for run in result.suites):
        raise typer.Exit(INCOMPLETE)
