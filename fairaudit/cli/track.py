"""``fairaudit track``: a result's numbers into a tracker of experiments."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console


class TrackerName(StrEnum):
    """Trackers that can be logged to."""

    mlflow = "mlflow"
    wandb = "wandb"
    tensorboard = "tensorboard"


def track_command(
    folder: Annotated[Path, typer.Argument(help="Folder of an audit or a comparison.")],
    to: Annotated[TrackerName, typer.Option("--to", help="Tracker.")],
    place: Annotated[
        str, typer.Option(help="Folder that gets the run; for MLflow also a server's address.")
    ],
    step: Annotated[int, typer.Option(min=0, help="Step of the training.")] = 0,
) -> None:
    """Log numbers, bounds and verdicts to MLflow, Weights & Biases or TensorBoard.

    Weights & Biases is logged offline: nothing is uploaded.
    """
    from fairaudit.integrations.trackers import track

    track(folder, to=to.value, place=place, step=step)
    console().print(f"logged to {to.value}: {place}", highlight=False, markup=False, soft_wrap=True)
