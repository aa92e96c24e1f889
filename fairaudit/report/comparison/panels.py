"""Which differences share a drawn axis, so that their pictures may be compared by eye."""

from __future__ import annotations

from collections.abc import Callable

from fairaudit.report import paired_numbers as paired
from fairaudit.report.grouping import grouped
from fairaudit.report.scale import Scale, fit
from fairaudit.report.verdicts import mark_of
from fairaudit.results import Comparison, ComparisonResult

ScaleOf = Callable[[Comparison], Scale | None]


def scales(result: ComparisonResult) -> ScaleOf:
    """Return the scale of a difference.

    Those with verdicts share one per unit, over all candidates; exploratory ones, whose intervals
    are wider, one per protocol and metric.
    """
    alike = grouped(result.comparisons, _kind)
    made = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    return lambda found: made[_kind(found)]


def _kind(found: Comparison) -> tuple[object, ...]:
    if found.primary:
        return (paired.unit_of(found),)
    return (found.protocol, found.name, found.group is None)
