"""Which capability scores say whether a bias score can be interpreted at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from fairaudit.results.types import Estimate

PROBE: Final = "probe"


class About(Protocol):
    """What is asked about: a protocol and an axis."""

    @property
    def protocol(self) -> str:
        """Protocol id."""

    @property
    def axis(self) -> str:
        """Axis, or ``all``."""


def concerning(estimates: Iterable[Estimate], about: About) -> tuple[Estimate, ...]:
    """Capability scores that concern a bias score; only those with a chance level count.

    A suite's own capability concerns its protocol: on the same axis or, where that axis allows no
    interval, pooled. Where a suite has none, the probe text speaks for it.
    """
    known = [one for one in estimates if one.kind == "capability" and one.chance is not None]
    own = [one for one in known if one.protocol == about.protocol and one.group is None]
    bounded = [one for one in own if one.interval is not None]
    choices = (
        [one for one in bounded if one.axis == about.axis],
        [one for one in bounded if one.axis == "all"],
        [one for one in known if one.suite == PROBE],
        [one for one in own if one.axis in ("all", about.axis)],
    )
    return tuple(next((choice for choice in choices if choice), ()))
