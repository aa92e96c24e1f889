"""``fairaudit demo``: train a small model on the spot and audit it, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.audit import OutputFormat, calm_libraries, progress_bar, show_result
from fairaudit.cli.state import console


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the demo.")] = Path(
        "demo"
    ),
) -> None:
    """Train a small GPT-2 for about a minute on generated text, and audit it offline."""
    calm_libraries()
    from fairaudit.auditing import plan_audit, run_audit
    from fairaudit.demo import train_demo_model

    console().print("training a small GPT-2 on generated text, about a minute ...")
    folder = train_demo_model(output / "model")
    plan = plan_audit(str(folder), suites=["templates"], label="demo model")
    with progress_bar(plan) as progress:
        result = run_audit(plan, output=output, progress=progress)
    show_result(result, OutputFormat.table, output)
