"""What a reader must know about two audits before the numbers: how they came about differently."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.comparing.pairing import Terms
from fairaudit.results import AuditResult
from fairaudit.results.relations import is_swapped, setting_differences


def notes_on(baseline: AuditResult, candidate: AuditResult, terms: Terms) -> Iterator[str]:
    """Say in which settings the audits differ, what a gate must hear of, and which way they go."""
    ours, theirs = baseline.provenance, candidate.provenance
    for one in setting_differences(ours, theirs):
        yield _scored_with(terms, one.name, one.baseline, one.candidate)
    limits = ours.settings.item_limit, theirs.settings.item_limit
    if limits[0] != limits[1]:
        yield _scored_with(terms, "item_limit", *map(str, limits))
    if is_swapped(ours, theirs, baseline.privacy):
        yield (
            f"{terms.baseline} was made from {terms.candidate}: baseline and candidate look "
            "swapped; compare again with the base model first"
        )
    if candidate.privacy_refuted is not None:
        yield f"{terms.candidate}: {candidate.privacy_refuted}"


def _scored_with(terms: Terms, name: str, baseline: str, candidate: str) -> str:
    return f"{terms.candidate} was scored with {name} {candidate}, the baseline with {baseline}"
