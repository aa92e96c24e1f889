"""One suite of a baseline and a candidate: everything that follows from its rows alone.

Nothing here looks at another suite, so suites may be compared in any order and in any process;
what needs them all (corrections, verdicts, cautions) comes later, in `fairaudit.comparing.compare`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fairaudit.comparing.distance import distance_moved
from fairaudit.comparing.groups import group_comparisons, primary_places
from fairaudit.comparing.item_changes import item_changes
from fairaudit.comparing.joining import Joined, join_probe, join_suite
from fairaudit.comparing.losses import with_losses, with_worst_cases
from fairaudit.comparing.missing import Missing
from fairaudit.comparing.pairing import Terms, changed, compared, paired_measurements
from fairaudit.comparing.primary import Key, as_the_baseline_says, primary_estimates
from fairaudit.comparing.uneven import uneven_note
from fairaudit.metrics.sample_estimates import Measurement
from fairaudit.metrics.stereoset import icat_change
from fairaudit.results import AuditResult, Change, Comparison, NotCompared
from fairaudit.results.comparison import ItemChange
from fairaudit.vocabulary.suites import PROBE

Found = list[tuple[Measurement, Measurement]]


@dataclass(slots=True)
class SuiteFindings:
    """What one suite of two audits says."""

    entries: list[Comparison] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    #: What could not be joined, then what was joined and gave no number.
    refused: list[NotCompared] = field(default_factory=list)
    gaps: list[NotCompared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    items: list[ItemChange] = field(default_factory=list)
    #: Whether both models gave the same scores; None where nothing was joined.
    same_scores: bool | None = None


def compare_suite(
    suite: str, baseline: AuditResult, candidate: AuditResult, terms: Terms
) -> SuiteFindings:
    """Join one suite of two audits and compare what both scored.

    Parameters
    ----------
    suite : str
        A suite that either audit names, or the probe text.
    baseline, candidate : AuditResult
    terms : Terms
        Labels and levels.

    Returns
    -------
    SuiteFindings
        The same, whatever other suites the audits have.

    Raises
    ------
    ResultError
        If the items of one of the audits are damaged.
    """
    if suite == PROBE.name:
        probe = join_probe(baseline, candidate)
        joined = probe if isinstance(probe, Joined) else None
        refused = [] if isinstance(probe, Joined) else [_whole(suite, probe, terms)]
    else:
        joined, refused = join_suite(suite, baseline, candidate, terms.candidate)
    found = SuiteFindings(refused=refused)
    if joined is not None:
        _compare(joined, baseline, candidate, terms, found)
    return found


def _whole(suite: str, reason: str, terms: Terms) -> NotCompared:
    return NotCompared.of(terms.candidate, suite, reason)


def _compare(
    joined: Joined,
    baseline: AuditResult,
    candidate: AuditResult,
    terms: Terms,
    found: SuiteFindings,
) -> None:
    measured = _measure(joined, primary_estimates(baseline), terms, found)
    if joined.suite == PROBE.name:
        found.changes.extend(distance_moved(joined, terms))
    else:
        places = primary_places(baseline)
        found.entries.extend(group_comparisons(joined, places, terms, candidate))
        uneven = uneven_note(joined, terms.candidate)
        found.notes.extend(() if uneven is None else (uneven,))
        missing = Missing(terms.candidate, joined, measured)
        found.gaps.extend(missing.gaps(baseline.estimates, candidate.estimates))
    found.changes = list(with_losses(found.changes, joined))
    counted = with_losses(found.entries, joined)
    found.entries = list(with_worst_cases(counted, baseline.estimates, candidate.estimates))
    found.same_scores = joined.same_scores
    judged = {entry.protocol for entry in found.entries if entry.primary}
    found.items = list(item_changes(joined, judged, terms))


def _measure(joined: Joined, primary: Collection[Key], terms: Terms, into: SuiteFindings) -> Found:
    found = list(as_the_baseline_says(paired_measurements(joined), primary))
    for ours, theirs in found:
        dropped = joined.n_dropped(ours.where.protocol, ours.where.axis)
        if ours.metric.kind == "bias":
            into.entries.append(compared(ours, theirs, terms, dropped))
        else:
            into.changes.append(changed(ours, theirs, terms, dropped))
    into.changes.extend(_composites(found, terms))
    return found


def _composites(found: Sequence[tuple[Measurement, Measurement]], terms: Terms) -> Iterator[Change]:
    """ICAT of both models on the common items, where stereotype and LM score are at hand."""
    by_slice: dict[Any, dict[str, tuple[Measurement, Measurement]]] = {}
    for pair in found:
        by_slice.setdefault(pair[0].where.protocol + pair[0].where.axis, {})[
            pair[0].metric.name
        ] = pair
    for metrics in by_slice.values():
        change = icat_change(metrics)
        if change is not None:
            yield Change(**change, baseline=terms.baseline, candidate=terms.candidate)
