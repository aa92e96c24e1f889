"""``fairaudit demo``: the embedded experiment in its short form, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.experiment import run_plan


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the demo.")] = Path(
        "demo"
    ),
) -> None:
    """Run the embedded experiment: small GPT-2s fine-tuned four ways, in two known worlds."""
    run_plan({"plan": "demo", "output": output})
