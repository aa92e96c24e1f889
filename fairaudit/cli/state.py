"""Global options of one invocation, and the consoles that respect them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


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


def split_list(value: str | None) -> list[str] | None:
    """Split a comma-separated option; None stays None."""
    if value is None:
        return None
    return [part.strip() for part in value.split(",") if part.strip()]
