"""``fairaudit classifier-check``: what a text classifier makes of groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.audit import OutputFormat, calm_libraries
from fairaudit.cli.state import console, shown_progress


def classifier_check_command(
    classifier: Annotated[
        str, typer.Argument(help="Folder or Hub id of a text classifier (id@revision, #label).")
    ],
    labels: Annotated[
        Path | None,
        typer.Option(help="Labelled texts: text, label (0 or 1), group if known; JSONL or CSV."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="All templates, not a sample.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the bootstrap.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Check a text classifier for bias of its own: the same sentences about different groups.

    A classifier that calls group words toxic makes the gap that it reports. With --labels also
    how well it tells labelled texts apart, its error rates by group, and its calibration.
    """
    with shown_progress() as progress:
        progress("loading the classifier", 0, 0)
        from fairaudit.auditing.classifier_check import check_classifier
        from fairaudit.recorded.recorded_labels import read_labelled
        from fairaudit.report.classifier import render_check
        from fairaudit.scoring.texts.classifier import any_classifier

        calm_libraries()
        asked = any_classifier(classifier, device=device)
        labelled = [] if labels is None else read_labelled(labels, asked.judging or "")
        progress("asking the classifier", 0, 0)
        found = check_classifier(asked, labelled, full=full, seed=seed)
    if format is OutputFormat.json:
        typer.echo(found.to_json(), nl=False)
    else:
        console().print(render_check(found))
