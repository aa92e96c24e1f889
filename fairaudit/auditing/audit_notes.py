"""What an audit says beside its numbers that follows from its plan and its texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fairaudit.auditing.audit_plan import AuditPlan
from fairaudit.auditing.audit_provenance import batching_notes
from fairaudit.auditing.audit_texts import (
    WARNING,
    repeated_note,
    thinking_note,
    truncation_notes,
)
from fairaudit.suites.languages import ENGLISH
from fairaudit.vocabulary.suites import called

if TYPE_CHECKING:
    from fairaudit.results.texts import PromptTexts


def plan_notes(plan: AuditPlan, texts: Mapping[str, tuple[PromptTexts, ...]]) -> tuple[str, ...]:
    """Say what a reader must know of model, items, texts and their scorers."""
    scorers = {scorer.id: scorer for entry in plan.suites for scorer in entry.scorers}.values()
    notes = [*plan.loaded.notes, *(() if plan.base is None else plan.base.notes)]
    notes += [note for entry in plan.suites if entry.data is not None for note in entry.data.notes]
    notes += [
        f"{called(entry.suite.name)}: its texts are in the language {entry.suite.language}"
        for entry in plan.suites
        if entry.suite.language != ENGLISH
    ]
    notes += [
        f"{called(entry.suite.name)}: {entry.n_unasked} items have no protocol for "
        f"{plan.loaded.kind} models and were not asked"
        for entry in plan.suites
        if entry.n_unasked
    ]
    notes += batching_notes(plan.settings, scorers)
    notes += plan.left_out
    repeated = (repeated_note(suite, written) for suite, written in texts.items())
    notes += [note for note in repeated if note is not None]
    thinking = (thinking_note(suite, written) for suite, written in texts.items())
    notes += [note for note in thinking if note is not None]
    notes += truncation_notes(scorers)
    if plan.generation is not None:
        notes.append(WARNING)
    limit = plan.settings.item_limit
    if limit is not None:
        notes.append(f"at most {limit} items per suite and axis were asked, so intervals are wide")
    return tuple(notes)
