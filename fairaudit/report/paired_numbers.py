"""Differences in words: of two models, of two arms; values of both sides, margin.

Differences are signed towards the stereotype, those of rates in percentage points.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fairaudit.report import words
from fairaudit.report.names import Unit, axis_name, metric_named, metric_of
from fairaudit.report.safe_text import shorten
from fairaudit.report.words import Number
from fairaudit.results import Comparison
from fairaudit.results.comparison import Paired
from fairaudit.results.experiment import ArmDifference, Claim

#: How every difference is signed, said in the head of its column.
CONVENTION: Final = (
    "Above 0 is more stereotyped: candidate minus baseline, with the sign turned where a lower "
    "value is the more stereotyped one."
)


Difference = Paired | Claim | ArmDifference


def unit_of(found: Difference) -> Unit:
    """Return the unit of a difference: points for rates."""
    if isinstance(found, Claim):
        return metric_named(found.metric).unit.difference
    metric = metric_named(found.name) if isinstance(found, ArmDifference) else metric_of(found)
    return metric.unit.difference


def _size(found: Difference) -> float | None:
    return found.value if isinstance(found, Claim | ArmDifference) else found.difference


_LONGEST_GROUP: Final = 30


def aspect(found: Paired) -> str:
    """Return ``largest change`` or ``largest gap``; an empty text for a number of a whole axis."""
    known = metric_of(found).over_groups
    return f"largest {known}" if known else ""


def contrast(found: Paired) -> str:
    """Return the groups that a number is about: ``largest change, Black against white``.

    Of an axis with more than two groups each number is about the worst of them; otherwise empty.
    """
    kind = aspect(found)
    worst = found.worst_group if isinstance(found, Comparison) else None
    if not kind or worst is None or not isinstance(found, Comparison):
        return kind
    against = found.against_group
    other = "the others" if against is None else shorten(against, _LONGEST_GROUP)
    return f"{kind}, {shorten(worst, _LONGEST_GROUP)} against {other}"


def place(found: Paired) -> str:
    """Return the axis, with the groups that the number is about: ``Race: largest gap, …``."""
    groups = contrast(found)
    return f"{axis_name(found.axis)}: {groups}" if groups else axis_name(found.axis)


def labels(shown: Iterable[Paired]) -> str:
    """Return the names of all metrics, each once."""
    return words.joined(metric_of(found).label for found in shown)


def baseline_value(found: Paired) -> Number:
    """Return the baseline's value with its unit, or a dash."""
    return words.quantity(found.value_baseline, metric_of(found).unit)


def candidate_value(found: Paired) -> Number:
    """Return the candidate's value with its unit, or a dash."""
    return words.quantity(found.value_candidate, metric_of(found).unit)


def difference(found: Difference) -> Number:
    """Return the difference with its unit: ``+5.2 points``, or a dash."""
    return words.quantity(_size(found), unit_of(found))


def interval(found: Difference) -> Number:
    """Return the interval of the difference: ``[+1.0, +9.4]``, or a dash."""
    return words.bounds(found.interval, unit_of(found))


def with_interval(found: Difference) -> Number:
    """Return the difference with its interval, only the difference, or a dash."""
    return words.quantity(_size(found), unit_of(found), found.interval)


def bare(found: Paired) -> Number:
    """Return the difference without its unit, or a dash."""
    return words.bare_quantity(found.difference, unit_of(found))


def bare_interval(found: Paired) -> Number:
    """Return difference and interval without the unit, for a narrow place."""
    return words.bare_quantity(found.difference, unit_of(found), found.interval)


def ratio(found: Paired) -> Number:
    """Return candidate over baseline: ``0.86 ×``, or a dash."""
    return words.quantity(found.ratio, Unit.RATIO)


def margin(found: Comparison) -> Number:
    """Return the margin of equivalence: ``±5.0``, or a dash."""
    return words.either_way(found.margin, unit_of(found))


def detectable(found: Comparison) -> Number:
    """Return the smallest difference detectable at 80 % power: ``±6.2``, or a dash."""
    return words.either_way(found.mde, unit_of(found))


def detectable_with_unit(found: Comparison) -> Number:
    """Return the smallest detectable difference with its unit: ``±6.2 points``, or a dash."""
    unit = unit_of(found)
    known = detectable(found)
    return Number(known + (unit.suffix if found.mde is not None else ""), found.mde, unit)


def reason(found: Paired) -> str:
    """Return why something is missing."""
    return found.reason or "no reason recorded"
