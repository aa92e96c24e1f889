"""An experiment with regimes as a document: in which of its worlds each claim holds."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.document import Column, Content, Paragraph, Section, Span, Table, View
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.arm_tables import IMPLIED
from fairaudit.report.documents.experiment import SCREEN, plan_section
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, regimes, view, ways
from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import ExperimentResult
from fairaudit.vocabulary.units import Unit

_WITHIN = " of a regime"


def regimes_document(result: ExperimentResult) -> doc.Document:
    """Build the document of an experiment with regimes."""
    predicted = [(regime, one) for regime in result.regimes for one in regime.predictions]
    where = Column("Regime", lambda row: regimes.heading_of(row[0]))
    said = prose("experiment").intro
    tables = [_levels(regimes.table_of(one)) for one in result.regimes]
    own = (findings.SCOPE, *(text for _, text in prose("experiment").of("limits_of_regimes")))
    sections: tuple[doc.Block, ...] = (
        Section("regimes", "Regimes", tables, said("regimes")),
        _claims(result),
        *(block for regime in result.regimes for block in _short(regime)),
        arms.predictions(predicted, where, within=_WITHIN),
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


def _levels(found: regimes.LevelTable) -> doc.Box:
    """Return the levels of every arm of a regime at the endpoint of each axis."""
    utility = ("ε per record", "Held-out perplexity", "Moved")
    rows: list[tuple[Content, ...]] = [
        (
            arms.name(row.arm.id),
            *(arms.level(found.levels.get((row.arm.id, axis))) for axis in found.axes),
            numbers.spent(row.done),
            numbers.mean(row.perplexities, Unit.NUMBER),
            numbers.mean(row.distances, Unit.NATS),
        )
        for row in found.rows
    ]
    if found.implied:
        implied = (found.implied.get(axis, words.MISSING) for axis in found.axes)
        rows.append((IMPLIED, *implied, *("" for _ in utility)))
    heads = ("Arm", *map(arms.named, found.axes), *utility)
    label = f"Levels in {regimes.label_of(found.regime)}"
    own = Span("Report of this regime", link=f"regimes/{quote(found.regime.name)}/report.html")
    said = Paragraph((f"{shorten(found.regime.meaning, 300)} ", own), "detail")
    table = parts.grid(heads, rows, label=label, style="dense")
    return doc.Box((said, table), "claim", regimes.heading_of(found.regime))


def _claims(result: ExperimentResult) -> Section:
    scales, blocks = regimes.scales(result), list[doc.Block]([arms.legend()])
    for name, by_regime in regimes.claims_by_name(result).items():
        statement = findings.statement_of(name)
        says = f"{statement.says[:1].upper()}{statement.says[1:]}." if statement.says else ""
        inside: list[doc.Block] = [Paragraph(says, "detail")]
        for regime, some in by_regime:
            first = some[0]
            metric = shorten(numbers.metric_named(first.metric).label, 80)
            of = f"{metric}, {arms.name(first.arm)} against {arms.name(first.reference)}"
            caption = (f"{regimes.heading_of(regime)} ", Span(of, "aside-inline"))
            scale = scales[first.claim, first.metric]
            inside.append(arms.claims(regime, some, scale, caption))
        blocks.append(doc.Box(inside, "claim", shorten(statement.label, 120)))
    intro = prose("experiment").intro("claims", within=" in one regime")
    return Section("claims", "Claims", blocks if len(blocks) > 1 else (), intro)


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
