"""``fairaudit card``: a result into the model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console


def card_command(
    folder: Annotated[Path, typer.Argument(help="Folder of an audit or a comparison.")],
    readme: Annotated[Path, typer.Option(help="The card; created if there is none.")],
    candidate: Annotated[
        str | None, typer.Option(help="Whose card it is, where a comparison has several.")
    ] = None,
) -> None:
    """Write numbers and limitations into a model card; safe to repeat."""
    from fairaudit.report.card.update import update_card

    written = update_card(folder, readme, candidate=candidate)
    console().print(f"card: {written}", highlight=False, markup=False, soft_wrap=True)
