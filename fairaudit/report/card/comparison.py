"""The body of a card from a comparison: what one candidate changed beside the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.card import sections
from fairaudit.report.card.sections import Sections, bullets, table
from fairaudit.report.comparison import summary
from fairaudit.report.comparison.view import Candidate, Gap, gaps
from fairaudit.report.escape import escape
from fairaudit.report.names import caution_of, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import Change, Comparison, ComparisonResult

_LONGEST = 120
_NO_SUITES = "The comparison does not record the items of its suites."


def comparison_body(result: ComparisonResult, candidate: Candidate) -> str:
    """Return the Markdown that stands between our comments."""
    shown = (*candidate.primary, *candidate.beside)
    return sections.render(
        Sections(
            limits=tuple(_limits(result, candidate)),
            data=tuple(sections.testing_data(result.suites)) or (_NO_SUITES,),
            factors=tuple(sections.factors(shown)),
            metrics=tuple(sections.metrics(shown)),
            results=tuple(_results(result, candidate)),
            summary=(
                escape(f"{summary.answer(candidate)} {summary.counted(candidate.primary)}"),
                *([escape(beyond)] if (beyond := summary.outside(candidate)) else []),
                *sections.storage(result.provenance.candidates.get(candidate.name)),
            ),
            evidence=tuple(sections.evidence_table(result.suites)),
            source=(
                f"from the comparison of {_name(candidate.name)} with {_name(result.baseline)} of "
                f"{escape(result.run.started[:10])}"
            ),
        )
    )


def _limits(result: ComparisonResult, candidate: Candidate) -> Iterator[str]:
    yield (
        f"Compared item by item with {_name(result.baseline)}: "
        f"**{escape(summary.answer(candidate))}** {verdicts.SCOPE}"
    )
    yield from bullets(escape(verdicts.caution_words(name)) for name in candidate.cautions)
    missing = [
        one for one in gaps(result) if not one.candidates or candidate.name in one.candidates
    ]
    if missing:
        yield "Not compared, so nothing is known here, for or against:"
        yield from bullets(map(_gap, missing))
    known = result.provenance
    yield from sections.privacy(
        known.privacy.get(candidate.name), known.privacy_refuted.get(candidate.name)
    )
    yield from sections.caveats(result.suites)


def _gap(found: Gap) -> str:
    return f"**{escape(found.named)}**: {escape(found.reason)}"


def _results(result: ComparisonResult, candidate: Candidate) -> Iterator[str]:
    if candidate.primary:
        yield table(
            ("Suite", "Axis", "Metric", "Before → after", "Difference", "n", "Verdict"),
            [_row(found, candidate) for found in candidate.primary],
        )
        yield (
            "Differences are signed so that above 0 is more stereotyped; intervals are those of "
            "one look, verdicts are corrected for all of them."
        )
    if candidate.beside:
        yield "What else changed:"
        yield table(
            ("Suite", "Axis", "Metric", "Before → after", "Difference", "n"),
            [_beside_row(found) for found in candidate.beside],
        )


def _row(found: Comparison, candidate: Candidate) -> tuple[str, ...]:
    word = verdicts.word_of(found)
    # What has no value gives its reason in the column of differences.
    meaning = (
        word.meaning if found.difference is None else verdicts.brief(found),
        *(caution_of(name).label for name in candidate.own_cautions(found)),
    )
    return (*_cells(found), f"{word.mark} **{word.label}**: {escape('; '.join(meaning))}")


def _beside_row(found: Change) -> tuple[str, ...]:
    suite, axis, metric, values, difference, n = _cells(found)
    if found.kind == "distance":
        return suite, axis, metric, paired.candidate_value(found), words.MISSING, n
    return suite, axis, metric, values, difference, n


def _cells(found: Comparison | Change) -> tuple[str, ...]:
    bounds = ""
    if found.difference is not None and found.interval is None:
        bounds = f" (no interval: {escape(paired.reason(found))})"
    elif found.difference is None:
        bounds = f" ({escape(paired.reason(found))})"
    return (
        f"{escape(suite_name(found.suite))}, {escape(variant(found.protocol))}",
        escape(paired.place(found)),
        escape(metric_of(found).label),
        f"{paired.baseline_value(found)} → {paired.candidate_value(found)}",
        f"{paired.with_interval(found)}{bounds}",
        words.count(found.n),
    )


def _name(label: str) -> str:
    return f"“{escape(shorten(label, _LONGEST))}”"
