"""An experiment as a document, for people who want to know what a recipe does to bias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import names, provenance, words
from fairaudit.report.document import Column, Content, Folded, Paragraph, Section, Span, Table, View
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.arm_tables import (
    all_numbers,
    gradients,
    levels,
    runs,
    terms,
    toxicity_section,
    twins_section,
    under_training,
)
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import calibration, charts, numbers, summary, view
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.grouping import grouped
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import Claim, ExperimentResult, Level
from fairaudit.vocabulary.metrics import Metric

_POINTS: Final = (
    ("towards", "●", "more than plain"),
    ("away", "●", "less than plain"),
    ("open", "●", "not told apart from plain"),
)


def experiment_document(result: ExperimentResult) -> doc.Document:
    """Build the document of an experiment without regimes."""
    said, drawn = prose("experiment").intro, charts.charts(result)
    picture = (doc.Figure("calibration", calibration.CAPTION),)
    sections: tuple[doc.Block, ...] = (
        _claims(result),
        *_short_claims(result),
        Paragraph(summary.explained(result), views=View.TERMINAL),
        _levels(result, drawn),
        Section("utility", "Bias and utility", _utility(result), said("planes"), folded=True),
        Section("calibration", "Calibration", picture, said("calibration"), folded=True),
        under_training(result),
        twins_section(result),
        toxicity_section(result),
        gradients(result),
        runs(result),
        terms(result),
        arms.predictions((result,)),
        parts.failures(tuple(summary.failures(result))),
        _missing(result),
        parts.notes(result.notes),
        all_numbers(result),
        parts.limits("experiment", findings.SCOPE),
        arms.reading(result),
        plan_section(result),
        *arms.closing(),
    )
    window = f"{shorten(result.name, 60)} – experiment on bias"
    return doc.Document(window, tuple(_head(result, len(drawn))), sections)


def plan_section(result: ExperimentResult) -> Section:
    """Return plan, versions and run of an experiment."""
    tables = provenance.plan_tables(result.plan, result.versions, result.run)
    return Section("provenance", "Provenance", (parts.ledger(tables),), folded=True)


def _head(result: ExperimentResult, n_axes: int) -> Iterator[doc.Block]:
    rows, seeds = view.arm_rows(result), numbers.seeds(len(view.seeds(result)))
    explained = summary.explained(result)
    yield from arms.titles(result, "Experiment: what a training recipe does to bias")
    yield parts.facts(
        words.plural(len(rows), "arm"),
        seeds,
        words.plural(n_axes, "axis", "axes"),
        result.run.started[:10],
    )
    yield from arms.answers(summary.answers(result))
    if explained:
        how = Span("How that is told", link="#under-training")
        yield Paragraph((f"{explained} ", how), "lead", View.READ)
    yield Paragraph(summary.measured(result), "lead", View.READ)
    yield from arms.failed(tuple(summary.failures(result)))
    gaps = "; ".join(gap.what for gap in summary.gaps(result))
    if gaps:
        head, why = Span("Not looked at:", "bold"), Span("Why", link="#missing")
        told = Paragraph((head, f" {gaps}. Missing is not zero. ", why))
        yield doc.Notice((told,), "What was not looked at", "notice")
    levels = [one for one in result.levels if one.group is None]
    yield Table(SCREEN, levels, views=View.SCREEN)


#: Of levels, on one screen.
SCREEN: Final = (
    Column("Arm", lambda one: arms.name(one.arm), "name"),
    Column("Axis", parts.axis, "name"),
    Column("Metric", lambda one: _metric(one).label, "name"),
    Column("Level", numbers.level),
    Column("Interval", numbers.level_interval),
    Column("Seeds", lambda one: words.count(one.n_seeds)),
)


def _metric(found: Level) -> Metric:
    return numbers.metric_named(found.name)


def _claims(result: ExperimentResult) -> Section:
    told = (arms.claims(result), arms.in_sentences((result,))) if result.claims else ()
    intro = prose("experiment").intro("claims", within="")
    return Section("claims", "Claims", (arms.legend(), *told), intro)


def _short_claims(result: ExperimentResult) -> Iterator[Section]:
    for name, some in view.claims_by_name(result).items():
        label = shorten(findings.statement_of(name).label, 120)
        above = (Span(label, "name"), f"  {findings.measured_of(some)}")
        blocks: tuple[doc.Block, ...] = (
            Paragraph(above, "above", View.TERMINAL),
            *arms.short_claims(result, some),
            doc.Items(list(_remarks(result, some)), "remarks", View.TERMINAL),
        )
        yield Section(f"claim-{name}", label, blocks, views=View.SUMMARY)


def _remarks(result: ExperimentResult, some: list[Claim]) -> Iterator[str]:
    """Yield what the table has no room for; axes of which the same is said share a line."""

    def said(found: Claim) -> tuple[str, str]:
        remark = summary.remark(result, found)
        whole = f"{findings.brief(found)}{'; ' + remark if remark else ''}"
        return findings.word_of(found).mark, shorten(whole, 300)

    for (mark, words_), alike in grouped(some, said).items():
        axes = ", ".join(names.axis_name(one.axis) for one in alike)
        yield f"{mark} {shorten(axes, 60)}: {words_}"


def _levels(result: ExperimentResult, drawn: tuple[charts.Chart, ...]) -> Section:
    keys = [(Span(point, f"verdict {style}"), f" {said}") for style, point, said in _POINTS]
    of = dict.fromkeys(
        f"{shorten(numbers.metric_named(one.metric).label.lower(), 60)} ({one.protocol})"
        for one in drawn
    )
    intro = (*prose("experiment").intro("levels"), f" Measured: {'; '.join(of)}.")
    pictures = [doc.Figure(one.stem, charts.caption(one)) for one in drawn]
    head = "Drawn by ε, with single seeds"
    blocks = (doc.Items(keys, "legend"), levels((result,)), Folded(head, pictures))
    return Section("levels", "Levels of every arm", blocks if drawn else (), intro, "Levels")


def _utility(result: ExperimentResult) -> list[doc.Block]:
    return [doc.Figure("plane", charts.PLANES)] if charts.planes(result) else []


def _missing(result: ExperimentResult) -> Section:
    gaps = summary.gaps(result)
    entries: list[tuple[Content, list[Content]]] = [(gap.what, [gap.reason]) for gap in gaps]
    blocks = (doc.Terms(entries, views=View.EVERY),) if gaps else ()
    intro = prose("experiment").intro("missing")
    return Section("missing", "Not looked at", blocks, intro, badge=len(gaps), style="not-run",
                   views=View.SHORT)  # fmt: skip
