"""The bounds that decide: what margins and gates hold against a difference, in one place.

A page that draws 95 % and decides at 90 % contradicts itself, so both are shown; and a bound is
called by one phrase, wherever it stands.
"""

from __future__ import annotations

import math
from typing import Final

from fairaudit.report import paired_numbers as paired
from fairaudit.report import words
from fairaudit.results import Comparison, Interval
from fairaudit.results.stored_evidence import bounds_of
from fairaudit.vocabulary.verdicts import Verdict

#: More than this many times as many items is no advice.
_MOST_TIMES: Final = 50


def inner(found: Comparison) -> Interval | None:
    """Return the interval at 1 − 2α: each of its bounds holds with probability 1 − α."""
    return _interval(found, unseen=False)


def deciding(found: Comparison) -> Interval | None:
    """Return `inner`, widened by what clusters unlike all that were seen could add."""
    used, high = _interval(found, unseen=True), found.increase_up_to
    return used if used is None or high is None else used.model_copy(update={"high": high})


def allows_for_unseen(found: Comparison) -> bool:
    """Whether the bounds that decide reach further than the items alone say."""
    seen, used = inner(found), deciding(found)
    return seen is not None and used is not None and used.high > seen.high + 1e-9


def increase_excluded(found: Comparison) -> bool | None:
    """Whether an increase of as much as the margin is excluded; None: nobody can say."""
    if found.verdict == Verdict.IDENTICAL:
        return True
    if found.verdict == Verdict.NOT_INTERPRETABLE:
        return None
    used = deciding(found)
    return None if used is None or found.margin is None else used.high < found.margin


def increase_said(found: Comparison) -> str:
    """Return the one phrase for the bound of an increase.

    ``an increase of 5 points or more is excluded`` or ``an increase of up to 5.5 points is not
    excluded``; an empty text where nothing bounds it.
    """
    # An interval that ends at its value bounds one side only, which is better than nothing.
    used, unit = deciding(found) or found.interval, paired.unit_of(found)
    if used is None:
        return ""
    if not found.direction:
        largest = max(abs(used.low), abs(used.high))
        return f"a change of up to {words.size(largest, unit)} is not excluded"
    if increase_excluded(found) and found.margin is not None:
        return f"an increase of {words.level_of(found.margin, unit)} or more is excluded"
    if used.high <= 0:
        return "any increase is excluded"
    return f"an increase of up to {words.size(used.high, unit)} is not excluded"


def times_as_many(found: Comparison) -> int | None:
    """Return how many times as many items would decide, if the difference stayed as it is.

    The fewer of two: until the bounds keep within the margin, or until they leave out 0. None:
    no such number, or one so large that it is no advice.
    """
    value, seen = found.difference, inner(found)
    if value is None or seen is None or found.interval is None:
        return None
    widths = max(value - seen.low, seen.high - value)
    outer = max(value - found.interval.low, found.interval.high - value)
    wanted = [(outer / abs(value)) ** 2] if value else []
    room = (found.margin or 0.0) - abs(value)
    if room > 0:
        wanted.append(max((widths / room) ** 2, _clusters_for(found, room)))
    times = min((_up(one) for one in wanted), default=_MOST_TIMES + 1)
    return times if 1 < times <= _MOST_TIMES else None


def _clusters_for(found: Comparison, room: float) -> float:
    """Return the factor until a share of unseen clusters could not fill the room any more."""
    if found.reach is None or found.reach <= room or not found.n_clusters:
        return 0.0
    return math.log(found.alpha) / math.log1p(-room / found.reach) / found.n_clusters


def _up(times: float) -> int:
    return max(2, math.ceil(times - 1e-9)) if times > 1 else 1


def _interval(found: Comparison, *, unseen: bool) -> Interval | None:
    bounds = bounds_of(found, unseen=unseen)
    if bounds is None or found.interval is None:
        return None
    low, high = bounds
    level = 1 - 2 * found.alpha
    return found.interval.model_copy(update={"low": low, "high": high, "level": level})
