"""Numbers of a paired comparison in words: values of both sides, difference, margin.

Differences are signed towards the stereotype, those of rates in percentage points.
"""

from __future__ import annotations

from fairaudit.report import words
from fairaudit.report.names import Unit, difference_unit, metric_of
from fairaudit.results import Comparison
from fairaudit.results.comparison import Paired


def unit_of(found: Paired) -> Unit:
    """Return the unit of the difference."""
    return difference_unit(metric_of(found).unit)


def baseline_value(found: Paired) -> str:
    """Return the baseline's value with its unit, or a dash."""
    return words.quantity(found.value_baseline, metric_of(found).unit)


def candidate_value(found: Paired) -> str:
    """Return the candidate's value with its unit, or a dash."""
    return words.quantity(found.value_candidate, metric_of(found).unit)


def difference(found: Paired) -> str:
    """Return the difference with its unit: ``+5.2 points``, or a dash."""
    return words.quantity(found.difference, unit_of(found))


def interval(found: Paired) -> str:
    """Return the interval of the difference: ``[+1.0, +9.4]``, or a dash."""
    if found.interval is None:
        return words.MISSING
    return words.bounds(found.interval, unit_of(found))


def with_interval(found: Paired) -> str:
    """Return the difference with its interval, only the difference, or a dash."""
    if found.difference is None or found.interval is None:
        return difference(found)
    return f"{difference(found)} {interval(found)}"


def bare(found: Paired) -> str:
    """Return the difference without its unit, or a dash."""
    if found.difference is None:
        return words.MISSING
    return words.number(found.difference, unit_of(found))


def bare_interval(found: Paired) -> str:
    """Return difference and interval without the unit, for a narrow place."""
    shown = found.difference is not None and found.interval
    return f"{bare(found)} {interval(found)}" if shown else bare(found)


def ratio(found: Paired) -> str:
    """Return candidate over baseline: ``0.86 ×``, or a dash."""
    return words.quantity(found.ratio, Unit.RATIO)


def margin(found: Comparison) -> str:
    """Return the margin of equivalence: ``±5.0``, or a dash."""
    return words.either_way(found.margin, unit_of(found))


def detectable(found: Comparison) -> str:
    """Return the smallest difference found with 80 % power: ``±6.2``, or a dash."""
    return words.either_way(found.mde, unit_of(found))


def reason(found: Paired) -> str:
    """Return why something is missing."""
    return found.reason or "no reason recorded"
