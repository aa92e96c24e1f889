"""The document of a card from one audit: the model by itself."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report import words
from fairaudit.report.audit import summary
from fairaudit.report.audit.reading import (
    headline_capabilities,
    standing_words,
    weak_capabilities,
    weakness_words,
)
from fairaudit.report.audit.view import not_run, primary_bias
from fairaudit.report.card import sections
from fairaudit.report.card.sections import bullets, card_document, cells, said, strong, table
from fairaudit.report.document import Block, Content, Document
from fairaudit.report.names import axis_name, caution_of, method_name, suite_name
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of


def audit_card(result: AuditResult) -> Document:
    """Return what stands between our comments."""
    answer = said(strong(summary.answer(result)), f" {summary.found(result)}")
    return card_document(
        (*primary_bias(result), *headline_capabilities(result)),
        result.suites,
        limits=tuple(_limits(result)),
        results=tuple(_results(result)),
        summary=(answer, *sections.storage(result.provenance)),
        source=f"from the audit “{result.label}” of {result.run.started[:10]}",
        provenance=result.provenance,
    )


def _limits(result: AuditResult) -> Iterator[Block]:
    told = f" {summary.measured(result)} {summary.LIMITS}"
    yield said(strong(summary.answer(result)), told)
    weak = weak_capabilities(result)
    if weak:
        yield said(strong(summary.weak(result)), f" {summary.LOOKS_FAIR}")
        yield from bullets(weakness_words(one) for one in weak)
    missing = not_run(result)
    if missing:
        nothing = " Missing is not zero: they say nothing, for or against."
        yield said(strong(summary.gaps(result)), nothing)
        yield from bullets(
            (strong(suite_name(run.suite)), f": {run.reason or 'no reason recorded'}")
            for run in missing
        )
    yield from sections.privacy(result.privacy, result.privacy_refuted)
    yield from sections.caveats(result.suites)


def _results(result: AuditResult) -> Iterator[Block]:
    primary, able = primary_bias(result), headline_capabilities(result)
    if primary:
        yield table(
            ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Adjusted p", "Reading"),
            [_bias_row(found, result) for found in primary],
        )
    if able:
        yield said("Capability, because a weak model looks unbiased:")
        yield table(
            ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Chance"),
            [(*_row(found), words.reference(found.chance, found)) for found in able],
        )


def _bias_row(found: Estimate, result: AuditResult) -> tuple[Content, ...]:
    failed = weakness_of(found, result.estimates) is not None
    reading = (
        standing_words(found),
        *(caution_of(caution).label for caution in found.cautions),
        *(["not interpretable: capability not shown to be above chance"] if failed else []),
    )
    return (*_row(found), words.p_of(found.p_adjusted), "; ".join(reading))


def _row(found: Estimate) -> tuple[Content, ...]:
    """Return the first cells; a missing value or interval gives its reason."""
    reason = f" ({found.reason or 'no reason recorded'})"
    value: Content = words.value_of(found), reason if found.value is None else ""
    bounds: Content = words.interval_of(found)
    if found.interval is not None:
        level = words.level_name(found.interval.level)
        bounds = bounds, f" ({level}, {method_name(found.interval.method)})"
    elif found.value is not None:
        bounds = bounds, reason
    return cells(found, axis_name(found.axis), value, bounds)
