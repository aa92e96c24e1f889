"""An experiment with regimes as a document: in which of its worlds each claim holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from urllib.parse import quote

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.document import Column, Content, Paragraph, Section, Span, Table, View
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.arm_tables import levels
from fairaudit.report.documents.experiment import SCREEN, plan_section
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, regimes, summary, view, ways
from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale
from fairaudit.results.experiment import Claim, ExperimentResult

_WITHIN = " of a regime"


def regimes_document(result: ExperimentResult) -> doc.Document:
    """Build the document of an experiment with regimes."""
    said = prose("experiment").intro
    table = levels(result.regimes, list(map(_title, result.regimes)))
    own = (findings.SCOPE, *(text for _, text in prose("experiment").of("limits_of_regimes")))
    sections: tuple[doc.Block, ...] = (
        _claims(result),
        Section("regimes", "Regimes", (table,), said("regimes")),
        *(block for regime in result.regimes for block in _short(regime)),
        arms.predictions(result.regimes, within=_WITHIN),
        parts.failures(tuple(regimes.failures(result))),
        parts.notes(result.notes),
        parts.limits("experiment", *own),
        arms.reading(*result.regimes, regimes=True),
        plan_section(result),
        *arms.closing(),
    )
    window = f"{shorten(result.name, 60)} – experiment on bias"
    return doc.Document(window, tuple(_head(result)), sections)


def _head(result: ExperimentResult) -> Iterator[doc.Block]:
    some = result.regimes
    n_arms = len({arm.id for regime in some for arm in arms_of(regime)})
    kicker = "Experiment: what a training recipe does to bias, and in which worlds"
    yield from arms.titles(result, kicker)
    yield parts.facts(
        words.plural(len(some), "regime"),
        words.plural(n_arms, "arm"),
        numbers.seeds(max(len(view.seeds(regime)) for regime in some)),
        result.run.started[:10],
    )
    yield from arms.answers(regimes.answers(result))
    yield doc.Figure(ways.STEM, ways.CAPTION)
    yield Paragraph(regimes.measured(result), "lead", View.READ)
    yield from arms.failed(tuple(regimes.failures(result)))
    levels = [
        (one, level) for one in some for axis in view.axes(one)
        for level in view.levels_of(one, axis)
    ]  # fmt: skip
    label = Column("Regime", lambda row: regimes.label_of(row[0]), "name")
    yield Table((label, *map(_of_level, SCREEN)), levels, views=View.SCREEN)


def _of_level(column: Column) -> Column:
    """Return a column of levels for rows that name the regime first."""
    return Column(column.head, lambda row: column.cell(row[1]), column.style)


def _title(regime: ExperimentResult) -> Content:
    own = Span("Report of this regime", link=f"regimes/{quote(regime.name)}/report.html")
    told = (f" {shorten(regime.meaning, 300)} ", own)
    return Span(regimes.heading_of(regime), "strong"), Span(told, "aside-inline")


def _claims(result: ExperimentResult) -> Section:
    """Return every claim by regime and axis."""
    every = [claim for regime in result.regimes for claim in regime.claims]
    axes = sorted({one.axis for one in every}, key=view.axis_rank)
    scales, groups = regimes.scales(result), []
    for by_regime in regimes.claims_by_name(result).values():
        rows = []
        for regime, some in by_regime:
            known = {one.axis: one for one in some}
            cells = (_cell(regime, known.get(axis), scales) for axis in axes)
            rows.append((regimes.heading_of(regime), *cells))
        title = arms.claim_title([one for _, some in by_regime for one in some])
        groups.append(doc.Group(title, rows))
    columns = [
        Column(head, itemgetter(place))
        for place, head in enumerate(("Claim and regime", *map(arms.named, axes)))
    ]
    table = Table(columns, groups, label="Claims by regime and axis", style="dense inline claims")
    blocks = (arms.legend(), table, arms.in_sentences(result.regimes)) if every else ()
    intro = prose("experiment").intro("claims", within=" in one regime")
    return Section("claims", "Claims", blocks, intro)


def _cell(
    regime: ExperimentResult, found: Claim | None, scales: Mapping[tuple[str, str], Scale | None]
) -> Content:
    if found is None:
        return parts.DASH
    picture = parts.picture(findings.mark_of(found), scales[found.claim, found.metric])
    remark = summary.remark(regime, found)
    said = (" ", Span(remark, "explained")) if remark else ""
    return arms.finding(found), said, picture, arms.number(found)


def _short(regime: ExperimentResult) -> Iterator[Section]:
    """Yield the claims of a regime in the short views."""
    heading, meaning = regimes.heading_of(regime), shorten(regime.meaning, 300)
    blocks: list[doc.Block] = [Paragraph(heading, "name", View.TERMINAL)]
    if meaning:
        blocks.append(Paragraph(Span(meaning, "intro"), views=View.SHORT))
    for name, some in view.claims_by_name(regime).items():
        label = Span(shorten(findings.statement_of(name).label, 120), "strong")
        blocks += [Paragraph(label, "above", View.SHORT), *arms.short_claims(regime, some)]
    yield Section(f"short-{regime.name}", heading, blocks, views=View.SUMMARY)
