"""Kinds of reasons why something is missing, as results tell them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START: Final = "not run: "


@dataclass(frozen=True, slots=True)
class NotRun:
    """Something was not computed at all, for want of what it needs.

    Parameters
    ----------
    why : str
        What is wanting.
    """

    why: str

    @property
    def reason(self) -> str:
        """As it stands in results.

        >>> NotRun("no curvature probes were asked for").reason
        'not run: no curvature probes were asked for'
        """
        return f"{_START}{self.why}"


def not_run_of(reason: str | None) -> NotRun | None:
    """Read a reason; None where it is of another kind."""
    if reason is None or not reason.startswith(_START):
        return None
    return NotRun(reason.removeprefix(_START))
