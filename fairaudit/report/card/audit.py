"""The body of a card from one audit: the model by itself."""

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
from fairaudit.report.card.sections import Sections, bullets, table
from fairaudit.report.escape import escape
from fairaudit.report.names import (
    axis_name,
    caution_of,
    method_name,
    metric_of,
    suite_name,
    variant,
)
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of


def audit_body(result: AuditResult) -> str:
    """Return the Markdown that stands between our comments."""
    shown = (*primary_bias(result), *headline_capabilities(result))
    return sections.render(
        Sections(
            limits=tuple(_limits(result)),
            data=tuple(sections.testing_data(result.suites)),
            factors=tuple(sections.factors(shown)),
            metrics=tuple(sections.metrics(shown)),
            results=tuple(_results(result)),
            summary=tuple(_summary(result)),
            evidence=tuple(sections.evidence_table(result.suites)),
            source=f"from the audit “{escape(result.label)}” of {escape(result.run.started[:10])}",
        )
    )


def _limits(result: AuditResult) -> Iterator[str]:
    yield f"**{escape(summary.answer(result))}** {summary.measured(result)} {summary.LIMITS}"
    weak = weak_capabilities(result)
    if weak:
        yield f"**{summary.weak(result)}** {summary.LOOKS_FAIR}"
        yield from bullets(escape(weakness_words(one)) for one in weak)
    missing = not_run(result)
    if missing:
        yield f"**{summary.gaps(result)}** Missing is not zero: they say nothing, for or against."
        yield from bullets(_missing(run.suite, run.reason) for run in missing)
    yield from sections.privacy(result.privacy, result.privacy_refuted)
    yield from sections.caveats(result.suites)


def _missing(suite: str, reason: str | None) -> str:
    return f"**{escape(suite_name(suite))}**: {escape(reason or 'no reason recorded')}"


def _results(result: AuditResult) -> Iterator[str]:
    primary, able = primary_bias(result), headline_capabilities(result)
    if primary:
        yield table(
            ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Adjusted p", "Reading"),
            [_bias_row(found, result) for found in primary],
        )
    if able:
        yield "Capability, because a weak model looks unbiased:"
        yield table(
            ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Chance"),
            [(*_row(found), words.reference(found.chance, found)) for found in able],
        )


def _bias_row(found: Estimate, result: AuditResult) -> tuple[str, ...]:
    failed = weakness_of(found, result.estimates) is not None
    reading = (
        standing_words(found),
        *(caution_of(caution).label for caution in found.cautions),
        *(["not interpretable: capability not shown to be above chance"] if failed else []),
    )
    return (*_row(found), words.p_of(found.p_adjusted), escape("; ".join(reading)))


def _row(found: Estimate) -> tuple[str, ...]:
    """Return the first cells; a missing value or interval gives its reason."""
    reason = escape(found.reason or "no reason recorded")
    value: str = words.value_of(found) if found.value is not None else f"– ({reason})"
    bounds: str = words.interval_of(found)
    if found.interval is not None:
        level = words.level_name(found.interval.level)
        bounds = f"{bounds} ({level}, {escape(method_name(found.interval.method))})"
    elif found.value is not None:
        bounds = f"– ({reason})"
    return (
        f"{escape(suite_name(found.suite))}, {escape(variant(found.protocol))}",
        escape(axis_name(found.axis)),
        escape(metric_of(found).label),
        value,
        bounds,
        words.count(found.n),
    )


def _summary(result: AuditResult) -> Iterator[str]:
    yield f"**{escape(summary.answer(result))}** {escape(summary.found(result))}"
    yield from sections.storage(result.provenance)
