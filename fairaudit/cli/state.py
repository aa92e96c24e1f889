"""Global options of one invocation, and the consoles that respect them."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairaudit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rich.console import Console

    from fairaudit.progress import Progress


logger = logging.getLogger(__name__)

#: Flag of every verb that writes a result.
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace another result in the output folder.")
]


@dataclass
class State:
    """What ``--debug`` and ``--quiet`` said."""

    debug: bool = False
    quiet: bool = False


STATE = State()


def console() -> Console:
    """Return the console for results, on standard output."""
    from rich.console import Console

    return Console(quiet=STATE.quiet)


def shown_progress() -> AbstractContextManager[Progress]:
    """Return where work reports to: nowhere with ``--quiet``."""
    from fairaudit.progress import shown

    return shown(False if STATE.quiet else None)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet.

    Raises
    ------
    UsageError
        If it exists, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not overwritten; choose another file") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error


def append_step_summary(render: Callable[[], str]) -> None:
    """Append Markdown where GitHub asks for it; that it cannot be written changes no outcome."""
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    try:
        with open(place, "a", encoding="utf-8", errors="replace") as stream:
            stream.write(render())
    except OSError as error:
        logger.warning("step summary: %s: cannot be written (%s)", place, error.strerror)


def split_list(value: str | None) -> list[str] | None:
    """Split a comma-separated option; None stays None."""
    if value is None:
        return None
    return [part.strip() for part in value.split(",") if part.strip()]
