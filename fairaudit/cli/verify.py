"""``fairaudit verify``: does a checkpoint's privacy statement follow from its own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console
from fairaudit.errors import ResultError


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Checkpoint folder with privacy.json.")],
) -> None:
    """Recompute epsilon from privacy.json."""
    from fairaudit.training.verification import verify

    found = verify(folder)
    if not found.consistent:
        raise ResultError(f"{folder}: {found.sentence}")
    console().print(found.sentence, highlight=False, markup=False)
    for warning in found.warnings:
        console().print(f"note: {warning}", highlight=False, markup=False)
