"""``fairaudit verify``: does a checkpoint's privacy statement follow from its own parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.early import refuse_missing_statement
from fairaudit.cli.state import console

BROKEN_CLAIM = 1


def verify_command(
    folder: Annotated[Path, typer.Argument(help="Checkpoint folder with privacy.json.")],
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="Also guess again which canaries of private/ were in."),
    ] = False,
) -> None:
    """Recompute epsilon from privacy.json: 0 consistent, 1 the claim does not follow.

    With --canaries the model's knowledge of the canaries that finetune --canaries planted also
    bounds epsilon from below; a bound above the claim is a broken claim.
    """
    refuse_missing_statement(folder)
    from fairaudit.training.verification import verify, verify_canaries

    found = verify(folder)
    if not found.consistent:
        _broken(folder, found.sentence)
    _say(found.sentence)
    for warning in found.warnings:
        _say(f"note: {warning}")
    if canaries:
        told, problem = verify_canaries(folder)
        if problem is not None:
            _broken(folder, problem)
        _say(f"guessed again: {told.sentence}")


def _broken(folder: Path, why: str) -> None:
    typer.echo(f"fairaudit: {folder}: {why}", err=True)
    raise typer.Exit(BROKEN_CLAIM)


def _say(text: str) -> None:
    console().print(text, highlight=False, markup=False)
