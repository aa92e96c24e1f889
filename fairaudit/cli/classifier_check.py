"""``fairaudit classifier-check``: what a text classifier makes of groups."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fairaudit.auditing.classifier_check_options import ClassifierCheckOptions
from fairaudit.cli.audit import OutputFormat, calm_libraries
from fairaudit.cli.options import takes
from fairaudit.cli.state import console, shown_progress


@takes(ClassifierCheckOptions)
def classifier_check_command(
    chosen: dict[str, Any],
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Check a text classifier for bias of its own: the same sentences about different groups.

    A classifier that calls group words toxic makes the gap that it reports. With --labels also
    how well it tells labelled texts apart, its error rates by group, and its calibration.
    """
    options = ClassifierCheckOptions(**chosen)
    with shown_progress() as progress:
        progress("loading the classifier", 0, 0)
        from fairaudit.auditing.classifier_check import check_classifier
        from fairaudit.recorded.recorded_labels import read_labelled
        from fairaudit.report.classifier import render_check
        from fairaudit.scoring.texts.classifier import any_classifier

        calm_libraries()
        asked, labels = any_classifier(options.classifier, device=options.device), options.labels
        labelled = [] if labels is None else read_labelled(Path(labels), asked.judging or "")
        progress("asking the classifier", 0, 0)
        found = check_classifier(asked, labelled, full=options.full, seed=options.seed)
    if format is OutputFormat.json:
        typer.echo(found.to_json(), nl=False)
    else:
        console().print(render_check(found))
