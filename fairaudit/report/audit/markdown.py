"""``summary.md``: the audit in a few lines, for a pull request or a release checklist."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report import words
from fairaudit.report.audit import summary
from fairaudit.report.audit.reading import (
    falls_short,
    headline_capabilities,
    standing_words,
    weak_capabilities,
    weakness_words,
)
from fairaudit.report.audit.view import anchors, not_run, primary_bias
from fairaudit.report.escape import code, escape, listed
from fairaudit.report.names import axis_name, caution_of, measured, metric_of, suite_name, variant
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of


def render_summary(result: AuditResult, report: str = "report.html") -> str:
    """Render the Markdown summary of one audit; see `fairaudit.report.markdown`."""
    blocks = [
        f"## Bias audit: {code(result.label)}",
        f"**{escape(summary.answer(result))}** {summary.measured(result)} "
        f"{escape(summary.found(result))} {summary.LIMITS}",
        *_warnings(result),
        *listed("Primary estimates", _primary(result, report)),
        *listed("Capability", map(_capability, headline_capabilities(result))),
        *listed("Not run", _missing(result)),
        f"Methods, control pairs, exploratory estimates and provenance: [{report}]({report}).",
    ]
    return "\n\n".join(blocks) + "\n"


def _warnings(result: AuditResult) -> Iterator[str]:
    weak = weak_capabilities(result)
    if weak:
        lines = [f"> **{summary.weak(result)}** A model near chance looks fair."]
        lines += [f"> - {escape(weakness_words(one))}" for one in weak]
        yield "\n".join(lines)


def _primary(result: AuditResult, report: str) -> Iterator[str]:
    links = anchors(result)
    for found in primary_bias(result):
        failed = weakness_of(found, result.estimates) is not None
        yield " · ".join(
            (
                f"[{escape(measured(found))} · {escape(axis_name(found.axis))}]"
                f"({report}#{links[found.key]})",
                _value(found),
                _n(found),
                code(variant(found.protocol)),
                standing_words(found),
                *(escape(caution_of(caution).label) for caution in found.cautions),
                *(
                    ["**not interpretable: capability not shown to be above chance**"]
                    if failed
                    else []
                ),
            )
        )


def _place(found: Estimate) -> str:
    return f"{escape(suite_name(found.suite))} · {escape(axis_name(found.axis))}"


def _value(found: Estimate) -> str:
    if found.value is None:
        return f"{words.MISSING} ({escape(found.reason or 'no reason recorded')})"
    text = f"**{words.value_of(found)}**"
    if found.interval is None:
        return f"{text} without an interval ({escape(found.reason or 'no reason recorded')})"
    return f"{text} {words.interval_of(found)}"


def _n(found: Estimate) -> str:
    return f"n {words.count(found.n)}"


def _capability(found: Estimate) -> str:
    name = f"{escape(metric_of(found).label)} ({_place(found)}, {code(variant(found.protocol))})"
    parts = [name, _value(found), _n(found)]
    if found.chance is not None:
        parts.append(f"chance {words.reference(found.chance, found)}")
    if falls_short(found):
        parts.append("**not shown to be above chance**")
    return " · ".join(parts)


def _missing(result: AuditResult) -> Iterator[str]:
    for run in not_run(result):
        yield f"**{escape(suite_name(run.suite))}**: {escape(run.reason or 'no reason recorded')}"
