"""Half the length and no fact lost: everything that a result says stands on its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from fairaudit.report import deciding, names, verdicts, words
from fairaudit.report import paired_numbers as paired
from fairaudit.report.html import render_html
from fairaudit.results import AuditResult, Change, Comparison, ComparisonResult, Estimate
from fairaudit.results.types import Provenance, SuiteRun
from tests.report import comparisons
from tests.report.pages import Page


def _of_estimate(found: Estimate) -> Iterator[str]:
    yield words.bare(found).split(" [")[0]
    yield names.axis_name(found.axis) if found.axis != "all" else names.metric_of(found).label
    yield names.metric_of(found).label
    yield names.variant(found.protocol)
    yield words.count(found.n)
    if found.interval is not None and found.value is not None:
        yield words.interval_of(found)
        yield names.method_name(found.interval.method)
        yield f"by {found.interval.resampling_unit}"
    if found.p_adjusted is not None:
        yield words.p_of(found.p_adjusted)
    if found.primary and found.mde is not None:
        yield words.detectable(found)
    if found.group is not None:
        yield found.group
    if found.reason is not None and (found.value is None or found.interval is None):
        yield found.reason[:60]
    if found.n_clusters not in (0, found.n):
        yield words.plural(found.n_clusters, "cluster")
    if found.n_skipped:
        yield f"{words.count(found.n_skipped)} skipped"
    yield from _cautions(found.cautions)


def _of_paired(found: Comparison | Change) -> Iterator[str]:
    yield paired.baseline_value(found)
    yield paired.candidate_value(found)
    yield names.metric_of(found).label
    yield names.variant(found.protocol)
    yield words.count(found.n)
    if found.difference is not None:
        yield paired.difference(found)
    if found.interval is not None:
        yield paired.interval(found)
        yield names.method_name(found.interval.method)
        yield f"by {found.interval.resampling_unit}"
    if found.n_clusters not in (0, found.n):
        yield words.plural(found.n_clusters, "cluster")
    if found.reason is not None and (found.difference is None or found.interval is None):
        yield found.reason[:60]


def _of_comparison(found: Comparison) -> Iterator[str]:
    yield from _of_paired(found)
    yield verdicts.word_of(found).label if found.primary else ""
    yield names.axis_name(found.axis)
    if found.p_adjusted is not None:
        yield words.p_of(found.p_adjusted)
    yield from _cautions(found.cautions)
    if not found.primary:
        return
    unit = paired.unit_of(found)
    if found.mde is not None:
        yield paired.detectable_with_unit(found)
    within, used = deciding.inner(found), deciding.deciding(found)
    if within is not None:
        yield words.bounds(within, unit)
    # What cannot be read has no answer to whether an increase is excluded.
    if used is not None and deciding.increase_excluded(found) is not None:
        yield f"at most {words.quantity(used.high, unit)}"
        yield f"margin {words.level_of(found.margin, unit)}"
    if found.n_discordant is not None and found.n:
        yield f"{words.count(found.n_discordant)} discordant"
    if found.family_size:
        yield f"of {found.family_size}"
    yield verdicts.word_of(found).limit


def _cautions(cautions: tuple[str, ...]) -> Iterator[str]:
    for name in cautions:
        known = names.caution_of(name)
        yield known.label
        yield known.meaning


def _of_run(run: SuiteRun) -> Iterator[str]:
    yield names.suite_name(run.suite)
    yield from run.caveats
    yield from () if run.reason is None else (run.reason,)


def _of_provenance(found: Provenance) -> Iterator[str]:
    yield from filter(None, (found.model.id, found.model.fingerprint, found.model.revision))
    yield str(found.settings.seed)
    yield from found.versions.values()


def _of_audit(result: AuditResult) -> Iterator[str]:
    for one in result.estimates:
        yield from _of_estimate(one)
    for run in result.suites:
        yield from _of_run(run)
        yield from (source.blob_id for source in run.sources if run.status == "run")
    yield from _of_provenance(result.provenance)
    yield from (note for note in result.notes if "<" not in note)
    yield result.run.started


def _of_result(result: ComparisonResult) -> Iterator[str]:
    for one in result.comparisons:
        yield from _of_comparison(one)
    for change in result.changes:
        yield from _of_paired(change)
    for gap in result.not_compared:
        yield gap.reason
    for run in result.suites:
        yield from run.caveats
        yield words.plural(run.n_items, "item") if run.status == "run" else ""
        yield from (source.blob_id for source in run.sources)
    for agreement in result.agreement:
        yield agreement.reason or words.correlation(agreement.value or 0.0)
    for side in (result.provenance.baseline, *result.provenance.candidates.values()):
        yield from _of_provenance(side)
    yield from result.notes
    yield from result.provenance.audits.values()
    yield result.run.started


def lost(facts: Iterable[str], html: str) -> list[str]:
    text = " ".join(Page(html).text.split()).lower()
    return sorted({fact for fact in facts if " ".join(fact.split()).lower() not in text})


def test_an_audit_loses_nothing(audit: AuditResult):
    facts = list(_of_audit(audit))
    assert len(facts) > 900
    assert lost(facts, render_html(audit, {})) == []


@pytest.mark.parametrize("candidates", [1, 3, 9])
def test_a_comparison_loses_nothing(candidates: int):
    result = comparisons.whole_comparison(candidates)
    facts = list(_of_result(result))
    assert len(facts) > 400 * candidates
    assert lost(facts, render_html(result, {})) == []


def test_a_lost_fact_would_be_found():
    result = comparisons.whole_comparison(1)
    first = result.comparisons[0]
    html = render_html(result, {}).replace(str(paired.difference(first)), "")
    assert lost(_of_result(result), html) == [paired.difference(first)]
