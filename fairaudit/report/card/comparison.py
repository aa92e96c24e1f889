"""The document of a card from a comparison: what one candidate changed beside the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.card import sections
from fairaudit.report.card.sections import bullets, card_document, cells, said, strong, table
from fairaudit.report.comparison import summary
from fairaudit.report.comparison.view import Candidate, gaps
from fairaudit.report.document import Block, Content, Document
from fairaudit.report.names import caution_of
from fairaudit.report.safe_text import shorten
from fairaudit.results import Change, Comparison, ComparisonResult

_LONGEST = 120
_NO_SUITES = "The comparison does not record the items of its suites."


def comparison_card(result: ComparisonResult, candidate: Candidate) -> Document:
    """Return what stands between our comments."""
    answer = f"{summary.answer(candidate)} {summary.counted(candidate.primary)}"
    beyond = summary.outside(candidate)
    return card_document(
        (*candidate.primary, *candidate.beside),
        result.suites,
        limits=tuple(_limits(result, candidate)),
        results=tuple(_results(candidate)),
        summary=(
            said(answer),
            *([said(beyond)] if beyond else []),
            *sections.storage(result.provenance.candidates.get(candidate.name)),
        ),
        source=(
            f"from the comparison of {_name(candidate.name)} with {_name(result.baseline)} of "
            f"{result.run.started[:10]}"
        ),
        provenance=result.provenance.candidates.get(candidate.name),
        no_data=_NO_SUITES,
    )


def _limits(result: ComparisonResult, candidate: Candidate) -> Iterator[Block]:
    against = f"Compared item by item with {_name(result.baseline)}: "
    yield said(against, strong(summary.answer(candidate)), f" {verdicts.SCOPE}")
    yield from bullets(verdicts.caution_words(name) for name in candidate.cautions)
    missing = [
        one for one in gaps(result) if not one.candidates or candidate.name in one.candidates
    ]
    if missing:
        yield said("Not compared, so nothing is known here, for or against:")
        yield from bullets((strong(one.named), f": {one.reason}") for one in missing)
    known = result.provenance
    yield from sections.privacy(
        known.privacy.get(candidate.name), known.privacy_refuted.get(candidate.name)
    )
    yield from sections.caveats(result.suites)


def _results(candidate: Candidate) -> Iterator[Block]:
    if candidate.primary:
        yield table(
            ("Suite", "Axis", "Metric", "Before → after", "Difference", "n", "Verdict"),
            [_row(found, candidate) for found in candidate.primary],
        )
        yield said(
            "Differences are signed so that above 0 is more stereotyped; intervals are unadjusted, "
            "verdicts are corrected for all of them."
        )
    if candidate.beside:
        yield said("What else changed:")
        yield table(
            ("Suite", "Axis", "Metric", "Before → after", "Difference", "n"),
            [_cells(found) for found in candidate.beside],
        )


def _row(found: Comparison, candidate: Candidate) -> tuple[Content, ...]:
    word = verdicts.word_of(found)
    # What has no value gives its reason in the column of differences.
    meaning = (
        word.meaning if found.difference is None else verdicts.brief(found),
        *(caution_of(name).label for name in candidate.own_cautions(found)),
    )
    verdict = f"{word.mark} ", strong(word.label), f": {'; '.join(meaning)}"
    return (*_cells(found), verdict)


def _cells(found: Comparison | Change) -> tuple[Content, ...]:
    values: Content = paired.baseline_value(found), " → ", paired.candidate_value(found)
    difference: Content = paired.with_interval(found)
    if isinstance(found, Change) and found.kind == "distance":
        values, difference = paired.candidate_value(found), words.MISSING
    elif found.difference is None:
        difference = difference, f" ({paired.reason(found)})"
    elif found.interval is None:
        difference = difference, f" (no interval: {paired.reason(found)})"
    return cells(found, paired.place(found), values, difference)


def _name(label: str) -> str:
    return f"“{shorten(label, _LONGEST)}”"
