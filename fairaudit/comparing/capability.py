"""Whether the models of a comparison are capable enough for a bias score to mean anything."""

from __future__ import annotations

from collections.abc import Sequence

from fairaudit.results import Estimate
from fairaudit.results.capability import About, concerning


def capable(estimates: Sequence[Estimate], about: About) -> bool | None:
    """Whether every capability that concerns a bias score is shown to exceed chance.

    Returns
    -------
    bool or None
        None: no such capability was measured well enough to have an interval.
    """
    shown = [
        one.interval.low > one.chance
        for one in concerning(estimates, about)
        if one.interval is not None and one.chance is not None
    ]
    return all(shown) if shown else None
