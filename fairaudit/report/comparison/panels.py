"""Which differences share a drawn axis, so that their pictures may be compared by eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison.view import Candidate
from fairaudit.report.grouping import grouped
from fairaudit.report.scale import Scale, fit
from fairaudit.report.verdicts import mark_of
from fairaudit.results import Comparison, ComparisonResult

ScaleOf = Callable[[Comparison], Scale | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """Differences of one candidate in one unit, so on one drawn axis, grouped by protocol."""

    scale: Scale
    protocols: tuple[tuple[Comparison, ...], ...]

    @property
    def title(self) -> str:
        """Names of the metrics shown."""
        return paired.labels(found for group in self.protocols for found in group)


def panels(found: Candidate, scale_of: ScaleOf) -> tuple[Panel, ...]:
    """Return one panel for each unit in which the candidate has any difference."""
    shown = [one for group in found.protocols for one in group]
    made = []
    for alike in grouped(shown, paired.unit_of).values():
        scale = scale_of(alike[0])
        if scale is not None and any(one.difference is not None for one in alike):
            protocols = grouped(alike, lambda one: one.protocol).values()
            made.append(Panel(scale, tuple(tuple(group) for group in protocols)))
    return tuple(made)


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
