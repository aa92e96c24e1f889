"""Whether the models of a comparison are capable enough for a bias score to mean anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fairaudit.comparing.joining import PROBE
from fairaudit.results import Estimate


class About(Protocol):
    """What is asked about: a protocol and an axis."""

    @property
    def protocol(self) -> str:
        """Protocol id."""

    @property
    def axis(self) -> str:
        """Axis, or ``all``."""


def capable(estimates: Sequence[Estimate], about: About) -> bool | None:
    """Whether every capability that concerns a bias score is shown to exceed chance.

    The probe text concerns every suite; a suite's own capability its protocol, on the same axis or,
    where that axis allows no interval, pooled. Only capabilities with a chance level count.

    Returns
    -------
    bool or None
        None: no such capability was measured well enough to have an interval.
    """
    usable = [
        found
        for found in estimates
        if found.kind == "capability" and found.chance is not None and found.interval is not None
    ]
    own = [found for found in usable if found.protocol == about.protocol and found.group is None]
    on_axis = [found for found in own if found.axis == about.axis]
    pooled = [found for found in own if found.axis == "all"]
    probe = [found for found in usable if found.suite == PROBE]
    shown = [
        found.interval.low > found.chance
        for found in (*(on_axis or pooled), *probe)
        if found.interval is not None and found.chance is not None
    ]
    return all(shown) if shown else None
