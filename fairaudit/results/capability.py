"""Whether a model is capable enough for a bias score to mean anything.

A weak model looks unbiased. This one rule serves comparison, gate and report.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from fairaudit.results.types import Estimate
from fairaudit.vocabulary.metrics import ANSWERED_SHARE, PERPLEXITY
from fairaudit.vocabulary.suites import PROBE

#: Capabilities that are better the lower they are.
LOWER_IS_BETTER: Final = frozenset({PERPLEXITY.name})


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
    interval, pooled. Where a suite has none, the probe text speaks for it. Whether a chat model
    answers at all concerns everything that its answers say, but not how often it refuses.
    """
    known = [one for one in estimates if one.kind == "capability" and one.chance is not None]
    shares = [one for one in known if one.name == ANSWERED_SHARE.name]
    known = [one for one in known if one.name != ANSWERED_SHARE.name]
    own = [one for one in known if one.protocol == about.protocol and one.group is None]
    bounded = [one for one in own if one.interval is not None]
    choices = (
        [one for one in bounded if one.axis == about.axis],
        [one for one in bounded if one.axis == "all"],
        [one for one in known if one.suite == PROBE.name],
        [one for one in own if one.axis in ("all", about.axis)],
    )
    answers = _answers(shares, about)
    return (*next((choice for choice in choices if choice), ()), *answers)


def _answers(shares: Iterable[Estimate], about: About) -> tuple[Estimate, ...]:
    """Share of answers given in a suite: on the same axis or, where there is none, pooled."""
    suite = about.protocol.partition("/")[0]
    own = [one for one in shares if one.suite == suite and one.protocol != about.protocol]
    on_axis = [one for one in own if one.axis == about.axis and one.interval is not None]
    return tuple(on_axis or [one for one in own if one.axis == "all"])


def above_chance(estimate: Estimate) -> bool | None:
    """Whether the interval lies on the better side of the chance level.

    Returns
    -------
    bool or None
        None: there is no value, interval or chance level that could show it.
    """
    if estimate.value is None or estimate.chance is None or estimate.interval is None:
        return None
    if estimate.name in LOWER_IS_BETTER:
        return estimate.interval.high < estimate.chance
    return estimate.interval.low > estimate.chance


def capable(estimates: Iterable[Estimate], about: About) -> bool | None:
    """Whether every capability that concerns a bias score is shown to exceed chance.

    Returns
    -------
    bool or None
        False: one is measured well enough to have an interval, which does not exceed chance. None:
        none was measured, or one has no interval, so that nobody knows.
    """
    found = [above_chance(one) for one in concerning(estimates, about)]
    if False in found:
        return False
    return None if not found or None in found else True


def weakness_of(estimate: About, estimates: Iterable[Estimate]) -> Estimate | None:
    """Return a capability that keeps a bias score from being read; None: none that was measured.

    There is one wherever something was measured and `capable` is not True.
    """
    concerned = concerning(estimates, estimate)
    return next((one for one in concerned if not above_chance(one)), None)
