"""What is primary is fixed by the audits before they are joined, and never vanishes.

The baseline's audit says which of its numbers verdicts rest on. Joining two tables can only lose
rows, so deciding anew on what is left would let the primary metric slide to another one. Every
primary number of either audit gets an entry in the comparison: with a verdict, or with the reason
why there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from fairaudit.comparing.pairing import Terms
from fairaudit.metrics.sample_estimates import Measurement
from fairaudit.metrics.texts import CHANGE_BESIDE_GAP
from fairaudit.results import AuditResult, Comparison, Estimate

Key = tuple[str, str, str | None, str]


def primary_estimates(audit: AuditResult) -> dict[Key, Estimate]:
    """Return the numbers that an audit's verdicts rest on, by key."""
    return {one.key: one for one in audit.estimates if one.primary and one.kind == "bias"}


def as_the_baseline_says(
    pairs: Iterable[tuple[Measurement, Measurement]], primary: Collection[Key]
) -> Iterator[tuple[Measurement, Measurement]]:
    """Mark as primary what the baseline's audit marked, and nothing else."""
    for ours, theirs in pairs:
        where = ours.where
        is_primary = (where.protocol, where.axis, where.group, ours.metric.name) in primary
        yield _marked(ours, primary=is_primary), _marked(theirs, primary=is_primary)


def _marked(one: Measurement, *, primary: bool) -> Measurement:
    return replace(one, where=replace(one.where, primary=primary))


def lost_primary(
    entries: Iterable[Comparison],
    baseline: Mapping[Key, Estimate],
    candidate: Mapping[Key, Estimate],
    terms: Terms,
    reason_of: Callable[[Estimate, bool], str],
) -> Iterator[Comparison]:
    """Yield an entry without a verdict for each primary number that was not compared.

    Parameters
    ----------
    entries : iterable of Comparison
        What was compared of one candidate.
    baseline, candidate : mapping
        `primary_estimates` of both audits.
    terms : Terms
        Labels and levels of the comparison.
    reason_of : callable
        Why a number was not compared, by the estimate and whether it is the baseline's.
    """
    compared = {entry.key[1:] for entry in entries}
    for key in {**baseline, **candidate}:
        ours = key in baseline
        estimate = baseline[key] if ours else candidate[key]
        for lost in _with_its_change(estimate):
            if lost.key not in compared:
                yield _lost(lost, terms, reason_of(estimate, ours))


def _with_its_change(estimate: Estimate) -> Iterator[Estimate]:
    """Yield an estimate and, of a largest gap, what only a comparison has: the largest change."""
    yield estimate
    change = CHANGE_BESIDE_GAP.get(estimate.name)
    if change is not None:
        update = {"name": change.name, "direction": change.direction, "ideal": change.ideal}
        yield estimate.model_copy(update=update)


def _lost(estimate: Estimate, terms: Terms, reason: str) -> Comparison:
    return Comparison(
        name=estimate.name,
        suite=estimate.suite,
        protocol=estimate.protocol,
        axis=estimate.axis,
        group=estimate.group,
        baseline=terms.baseline,
        candidate=terms.candidate,
        value_baseline=None,
        value_candidate=None,
        difference=None,
        n=0,
        n_clusters=0,
        direction=estimate.direction,
        ideal=estimate.ideal,
        primary=True,
        alpha=terms.alpha,
        reason=reason,
    )
