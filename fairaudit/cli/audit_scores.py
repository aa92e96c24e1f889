"""``fairaudit audit-scores``: statistics for scores and texts recorded elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.audit import INCOMPLETE, OutputFormat, calm_libraries, show_result
from fairaudit.cli.state import Overwrite


def audit_scores_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="StereoSet predictions, CrowS-Pairs scores, BBQ answers, logs of "
            "lm-evaluation-harness or inspect_ai, or texts (JSONL, JSON, CSV)."
        ),
    ],
    suite: Annotated[str, typer.Option(help="Suite that was asked.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Audit folder.")],
    overwrite: Overwrite = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder with benchmark files.", envvar="FAIRAUDIT_DATA")
    ] = None,
    input_format: Annotated[
        str, typer.Option(help="auto, stereoset, crows_pairs, bbq, lm-eval, inspect, csv or jsonl.")
    ] = "auto",
    column: Annotated[
        str | None, typer.Option(help="Column of answers, texts or scores, if there are several.")
    ] = None,
    language: Annotated[
        str | None, typer.Option(help="What a suite file of your own is written in: fr, pt-BR.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(hidden=True, help="Earlier name of --input-format.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="Name of the audit in reports.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    toxicity_classifier: Annotated[
        str | None, typer.Option(help="Scores texts: folder or Hub id (id@revision).")
    ] = None,
    regard_classifier: Annotated[
        str | None, typer.Option(help="Scores texts: folder or Hub id (id@revision).")
    ] = None,
    word_vectors: Annotated[
        Path | None, typer.Option(help="Word vectors as text, for gender polarity by projection.")
    ] = None,
    device: Annotated[str, typer.Option(help="Of the classifiers: auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Estimate bias from scores or texts that were recorded elsewhere."""
    from fairaudit.recorded.audit_scores import audit_scores

    if format is not None:
        typer.echo("fairaudit: --format is now called --input-format", err=True)
    if toxicity_classifier or regard_classifier:
        calm_libraries()
    result = audit_scores(
        file,
        suite=suite,
        data=data,
        format=format or input_format,
        column=column,
        language=language,
        label=label,
        output=output,
        overwrite=overwrite,
        seed=seed,
        toxicity_classifier=toxicity_classifier,
        regard_classifier=regard_classifier,
        word_vectors=word_vectors,
        device=device,
    )
    show_result(result, OutputFormat.table, output)
    if any(run.status == "not_run" for run in result.suites):
        raise typer.Exit(INCOMPLETE)
