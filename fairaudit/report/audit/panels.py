"""Which estimates share a drawn axis, so that their pictures may be compared by eye."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fairaudit.report.audit.reading import mark_of
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.grouping import grouped
from fairaudit.report.names import metric_of
from fairaudit.report.scale import Scale, fit
from fairaudit.results import AuditResult, Estimate

ScaleOf = Callable[[Estimate], Scale | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """Primary estimates that share unit and ideal, so one drawn axis, grouped by suite."""

    scale: Scale
    suites: tuple[tuple[Estimate, ...], ...]

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """Every estimate of the panel."""
        return tuple(found for suite in self.suites for found in suite)

    @property
    def title(self) -> str:
        """Names of the metrics shown."""
        labels = [metric_of(found).label for found in self.estimates]
        first, *rest = dict.fromkeys(labels)
        return ", ".join((first, *(label.lower() for label in rest)))


def panels(result: AuditResult) -> tuple[Panel, ...]:
    """Return one panel for each kind of primary estimate that has any value."""
    found = []
    for alike in grouped(primary_bias(result), _kind).values():
        scale = fit(map(mark_of, alike))
        if scale is not None:
            suites = grouped(alike, lambda one: one.suite).values()
            found.append(Panel(scale, tuple(tuple(suite) for suite in suites)))
    return tuple(found)


def card_scales(result: AuditResult) -> ScaleOf:
    """Return the scale of a primary estimate: that of its panel."""
    alike = grouped(primary_bias(result), _kind)
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    return lambda estimate: scales[_kind(estimate)]


def table_scales(result: AuditResult) -> ScaleOf:
    """Return the scale of an estimate in a table: one per protocol and metric.

    Single groups have wider intervals than whole axes, and a scale of their own.
    """
    alike = grouped(result.estimates, _row_kind)
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    return lambda estimate: scales[_row_kind(estimate)]


def _kind(estimate: Estimate) -> tuple[object, ...]:
    return (metric_of(estimate).unit, estimate.ideal)


def _row_kind(estimate: Estimate) -> tuple[object, ...]:
    return (estimate.protocol, estimate.name, estimate.group is None)
