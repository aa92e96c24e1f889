"""``fairaudit verify``: does a checkpoint's privacy statement follow from its own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console

BROKEN_CLAIM = 1


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Checkpoint folder with privacy.json.")],
) -> None:
    """Recompute epsilon from privacy.json: 0 consistent, 1 the claim does not follow."""
    from fairaudit.training.verification import verify

    found = verify(folder)
    if not found.consistent:
        typer.echo(f"fairaudit: {folder}: {found.sentence}", err=True)
        raise typer.Exit(BROKEN_CLAIM)
    console().print(found.sentence, highlight=False, markup=False)
    for warning in found.warnings:
        console().print(f"note: {warning}", highlight=False, markup=False)
