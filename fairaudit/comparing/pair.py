"""Baseline and one candidate: what their suites say, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fairaudit.comparing.losses import loss_notes
from fairaudit.comparing.notes import notes_on
from fairaudit.comparing.one_suite import SuiteFindings
from fairaudit.comparing.pairing import Terms
from fairaudit.comparing.primary import lost_primary, primary_estimates
from fairaudit.results import AuditResult, Change, Comparison, Estimate, NotCompared
from fairaudit.results.comparison import ItemChange
from fairaudit.results.consistency import one_model


@dataclass(slots=True)
class Pair:
    """Baseline and one candidate, with what was found so far."""

    terms: Terms
    candidate: AuditResult
    entries: list[Comparison] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    not_compared: list[NotCompared] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    items: list[ItemChange] = field(default_factory=list)
    #: One model, by what both audits say of it and by their scores.
    identical: bool = False
    #: Whether any bias was compared, with or without a verdict.
    has_entries: bool = False

    def why_lost(self, estimate: Estimate, of_baseline: bool) -> str:
        """Say why a primary number of one audit, or of both, was not compared."""
        for gap in self.not_compared:
            if gap.reaches(estimate):
                return gap.reason
        if estimate.reason is not None:
            return estimate.reason
        return f"only the {'baseline' if of_baseline else 'candidate'} has this number"

    def merge(self, found: Sequence[SuiteFindings], baseline: AuditResult) -> None:
        """Put what the suites of one candidate say together; the probe text comes last."""
        self.entries = [entry for one in found for entry in one.entries]
        self.changes = [change for one in found for change in one.changes]
        *suites, probe = found
        self.not_compared = [
            *(entry for one in suites for entry in one.refused),
            *(entry for one in suites for entry in one.gaps),
            *probe.refused,
        ]
        self.notes = [note for one in found for note in one.notes]
        self.items = [item for one in found for item in one.items]
        self.notes.extend(loss_notes(self.entries))
        self.has_entries = bool(self.entries)
        terms, candidate = self.terms, self.candidate
        primary, theirs = primary_estimates(baseline), primary_estimates(candidate)
        self.entries.extend(lost_primary(self.entries, primary, theirs, terms, self.why_lost))
        same_model = one_model(baseline.provenance, candidate.provenance)
        self.identical = same_model and not any(one.same_scores is False for one in found)
        self.notes.extend(notes_on(baseline, candidate, terms))
        if same_model and not self.identical:
            self.notes.append(
                f"{terms.candidate} is recorded as the same model as the baseline, but its scores "
                "differ: settings differ, or one of the audits is not what it says"
            )
