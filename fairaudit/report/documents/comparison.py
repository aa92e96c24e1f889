"""A comparison as a document, for people who want to know whether it became worse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from fairaudit.report import document as doc
from fairaudit.report import names, provenance, verdicts, words
from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison import summary, view
from fairaudit.report.comparison.plane import CAPTION, planes
from fairaudit.report.diagnostics.disparity_beside_bias import Beside, beside
from fairaudit.report.diagnostics.quantities_in_words import group_name, value_of
from fairaudit.report.document import (
    Column,
    Content,
    Folded,
    Heading,
    Paragraph,
    Section,
    Span,
    Table,
    View,
)
from fairaudit.report.documents import parts
from fairaudit.report.documents.candidates import (
    Page,
    candidate_blocks,
    glance,
    short_blocks,
    verdict,
)
from fairaudit.report.documents.diagnostics import disparities
from fairaudit.report.documents.gate import gate_banner
from fairaudit.report.documents.pairs import changed_pairs
from fairaudit.report.documents.prose import prose
from fairaudit.report.names import axis_name, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import Agreement, Comparison, ComparisonResult, DiagnosticsResult
from fairaudit.results.gate import GateResult
from fairaudit.vocabulary.verdicts import MISSING
from fairaudit.vocabulary.words import Word

#: With more candidates than this, each is folded, and the overview comes first.
FEW = 3
#: What could not be compared, by name, at the top of a page.
_GAPS = 4


def comparison_document(
    result: ComparisonResult,
    diagnosis: DiagnosticsResult | None = None,
    decided: GateResult | None = None,
) -> doc.Document:
    """Build the document of a comparison, with a diagnosis and a gate's decision beside it."""
    every = view.candidates(result)
    alone, page = len(every) == 1, Page.of(result)
    sections: tuple[doc.Block, ...] = (
        *([] if alone else _overviews(result, every, page)),
        *_verdicts(result, every, page),
        *_short(result, every, page),
        _steps(result),
        changed_pairs(result),
        _planes(result),
        _disparity(result, beside(result, diagnosis)),
        _agreement(result),
        _gaps(result),
        parts.notes(result.notes),
        _measured(result),
        parts.evidenced(result.suites),
        parts.limits("comparison", verdicts.SCOPE),
        _reading(result),
        _provenance(result, alone=alone),
        Paragraph(f"{paired.CONVENTION} {verdicts.SCOPE}", "intro", View.TERMINAL),
        Paragraph((f"{paired.CONVENTION} {verdicts.SCOPE} Methods, exploratory tables and ",
                   "provenance: ", parts.REPORT, "."), views=View.SUMMARY),
    )  # fmt: skip
    which = shorten(result.candidates[0], 60) if alone else _n_candidates(every)
    window = f"{which} compared with {shorten(result.baseline, 60)} – bias"
    return doc.Document(window, tuple(_head(result, every, decided)), sections)


def _n_candidates(every: Sequence[view.Candidate]) -> str:
    return words.plural(len(every), "candidate")


def _head(
    result: ComparisonResult, every: Sequence[view.Candidate], decided: GateResult | None
) -> Iterator[doc.Block]:
    alone, n = len(every) == 1, sum(len(one.primary) for one in every)
    which = shorten(every[0].name, 200) if alone else _n_candidates(every)
    answer, measured = summary.overall(result), summary.measured(result)
    versus, baseline = Span("compared with", "versus"), shorten(result.baseline, 200)
    boxes, name = prose("comparison").intro("boxes"), shorten(result.baseline, 120)
    what = "a language model" if alone else "language models"
    yield Paragraph(f"Bias of {what}, compared with a baseline", "kicker")
    yield parts.title((which, " ", versus, " ", baseline))
    yield Heading(("Bias compared with ", Span(name, "code")), View.SUMMARY)
    yield Heading(f"Bias compared with {shorten(result.baseline, 60)}", View.TERMINAL)
    compared = f"{words.listed(result.candidates)} compared with {result.baseline}"
    yield Heading(compared, View.SCREEN)
    yield parts.facts(words.plural(n, "primary comparison"), result.run.started[:10])
    yield Paragraph(answer, "answer", View.PAGE if alone else View.SEEN)
    yield Paragraph(answer, views=View.SCREEN)
    if alone and (beyond := summary.outside(every[0])):
        yield Paragraph(beyond, "outside", View.PAGE | View.SCREEN)
    if decided is not None:
        yield from gate_banner(decided)
    if not alone:
        yield Paragraph(measured, "intro")
    whole = (Span(answer, "strong"), f" {measured} ", boxes)
    yield Paragraph(whole, views=View.SUMMARY)
    columns = (
        *([] if alone else [Column("Candidate", lambda one: one.candidate, "name")]),
        Column("Suite", parts.suite, "name"),
        Column("Axis", parts.axis, "name"),
        Column("Metric", parts.label, "name"),
        Column("Difference (+: more stereotyped)", paired.difference),
        Column("Interval", paired.interval),
        Column("n", parts.n),
        Column("Verdict", verdict),
    )
    yield Table(columns, view.primary(result), views=View.SCREEN)
    if not alone:
        yield from _notices(result)


def _notices(result: ComparisonResult) -> Iterator[doc.Block]:
    gaps, split = view.gaps(result), summary.disagreement_words(result)
    if gaps:
        one, many = "suite or protocol", "suites or protocols"
        if any(gap.axis for gap in gaps):
            one, many = "suite, protocol or part of one", "suites, protocols or parts of them"
        lost = f"{words.plural(len(gaps), one, many)} could not be compared."
        missed = ", ".join(shorten(gap.named, 60) for gap in gaps[:_GAPS])
        more = " and others" if len(gaps) > _GAPS else ""
        asked = "what it asks" if len(gaps) == 1 else "what they ask"
        told = f" {missed}{more}: nothing is known about {asked}. "
        said = (Span(lost, "bold"), told, Span("Why", link="#not-compared"))
        yield doc.Notice((Paragraph(said),), "What could not be compared", "notice")
    if split:
        which = (f"{split} ", Span("Which", link="#agreement"))
        blocks = (Paragraph(which), Paragraph(split, "caution", View.SHORT))
        yield doc.Notice(blocks, "Families of metrics disagree", views=View.EVERY)


def _overviews(
    result: ComparisonResult, every: Sequence[view.Candidate], page: Page
) -> Iterator[doc.Block]:
    """Yield all candidates at a glance: numbers on the page, counts in a terminal."""
    rows = view.matrix(result)
    metrics = _metrics(rows)
    told = "; ".join(f"{suite_name(one)}: {', '.join(own)}" for one, own in metrics.items())
    intro = prose("comparison").intro("overview"), f" {told}."
    legend = doc.Items([_word(word) for word in verdicts.WORDS], "legend")
    columns = [
        Column("Axis and suite", lambda row: _matrix_place(row.first, metrics)),
        Column(shorten(result.baseline, 24), _matrix_baseline, "num figure faint"),
    ]
    for place, one in enumerate(every):
        head = Span(shorten(one.name, 24), link=f"#{one.anchor}")
        cell = lambda row, place=place: _matrix_cell(row.cells[place], page)  # noqa: E731
        columns.append(Column(head, cell, "num"))
    label = "Overview of all candidates"
    matrix = Table(columns, rows, label=label, style="matrix")
    yield Section("overview", "Overview", (legend, matrix), intro)
    counts = [Column("Candidate", lambda one: Span(shorten(one.name, 24), "strong"))]
    for word in (*verdicts.WORDS, MISSING):
        n = lambda one, word=word: Span(_count(one, word.label), tone=word.tone)  # noqa: E731
        counts.append(Column(word.mark, n, "num"))
    yield Table(counts, every, views=View.TERMINAL)
    words_said = ", ".join(f"{word.mark} {word.label}" for word in verdicts.WORDS)
    yield Paragraph(f"{words_said}.", "intro", View.TERMINAL)


def _count(found: view.Candidate, label: str) -> str:
    return words.count(Counter(verdicts.word_of(one).label for one in found.primary)[label])


def _word(word: Word) -> Content:
    return Span((Span(word.mark, "mark"), f" {word.label}"), "verdict", tone=word.tone)


def _matrix_place(found: Comparison, metrics: Mapping[str, Sequence[str]]) -> Content:
    """Return axis and suite, with the metric where a suite has several."""
    aspect = f": {paired.aspect(found)}" if paired.aspect(found) else ""
    axis = Span(f"{shorten(axis_name(found.axis), 40)}{aspect}", "axis")
    several = len(metrics[found.suite]) > 1 and not aspect
    what = names.measured(found) if several else suite_name(found.suite)
    return axis, " ", Span(shorten(what, 80), "aside-inline")


def _metrics(rows: Sequence[view.MatrixRow]) -> dict[str, list[str]]:
    """Return the names of the metrics of each suite."""
    found: dict[str, list[str]] = {}
    for row in rows:
        label, known = parts.label(row.first).lower(), found.setdefault(row.first.suite, [])
        if label not in known:
            known.append(label)
    return found


def _matrix_baseline(row: view.MatrixRow) -> Content:
    return words.MISSING if row.first.group_changes else paired.baseline_value(row.first)


def _matrix_cell(found: Comparison | None, page: Page) -> Content:
    if found is None:
        return Span((words.MISSING, Span("not compared", "quiet")), "missing")
    word = verdicts.word_of(found)
    shown = (" ", paired.bare(found)) if found.difference is not None else ""
    said = (Span(word.mark, "mark"), Span(word.label, "quiet"), shown)
    return Span(said, "verdict", page.link(found), tone=word.tone)


def _verdicts(
    result: ComparisonResult, every: Sequence[view.Candidate], page: Page
) -> Iterator[Section]:
    """Yield the verdicts: of one candidate, of each of a few, or of many, each folded."""
    said = prose("comparison").intro("verdicts")
    if len(every) > FEW:
        many = [_folded(one, page) for one in every]
        links = [(shorten(one.name, 28), one.anchor) for one in every]
        yield Section("verdicts", "Candidates", many, said, links=links)
    elif len(every) > 1:
        for one in every:
            shown = (*_answered(one), *glance(one, page), *candidate_blocks(one))
            name = shorten(one.name, 80)
            yield Section(one.anchor, name, shown, said, nav=shorten(one.name, 28))
    else:
        # The numbers first, so that they stand on the first screen.
        shown = tuple(glance(every[0], page)) or (Paragraph(summary.answer(every[0])),)
        below = Paragraph((f"{summary.measured(result)} ", *said), "intro")
        blocks = (*shown, *_notices(result), below, *candidate_blocks(every[0]))
        yield Section("verdicts", "Verdicts", blocks)


def _answered(found: view.Candidate) -> Iterator[Paragraph]:
    yield Paragraph(f"{summary.answer(found)} {summary.counted(found.primary)}")
    if beyond := summary.outside(found):
        yield Paragraph(beyond, "outside")


def _folded(found: view.Candidate, page: Page) -> Folded:
    answer = Span(summary.answer(found), "aside-inline")
    head = (Span(shorten(found.name, 80), "bold"), " ", answer)
    counted = Paragraph(summary.counted(found.primary))
    beyond = [Paragraph(said, "outside")] if (said := summary.outside(found)) else []
    inside = (counted, *beyond, *glance(found, page), *candidate_blocks(found))
    return Folded(head, inside, "candidate", found.anchor)


def _short(
    result: ComparisonResult, every: Sequence[view.Candidate], page: Page
) -> Iterator[doc.Block]:
    """Yield the candidates of the short views."""
    for one in every:
        answer = summary.overall(result) if len(every) == 1 else summary.answer(one)
        blocks = (Paragraph(answer, views=View.TERMINAL), *short_blocks(one, page))
        named = Paragraph(shorten(one.name, 70), "name", View.TERMINAL)
        title = Span(shorten(one.name, 120), "code")
        yield Section(one.anchor, title, (named, *blocks), views=View.SUMMARY)


def _steps(result: ComparisonResult) -> Section:
    steps = tuple(summary.next_steps(result))
    items = (doc.Items(steps, "steps", View.EVERY),) if steps else ()
    return Section("now", "What now", items, views=View.EVERY)


def _planes(result: ComparisonResult) -> Section:
    picture = (doc.Figure("plane", CAPTION),) if planes(result) else ()
    intro = prose("comparison").intro("planes")
    return Section("planes", "Bias and capability, drawn", picture, intro, folded=True)


def _disparity(result: ComparisonResult, rows: Sequence[Beside]) -> Section:
    columns = (
        Column("Candidate", lambda row: shorten(row.candidate, 40)),
        Column("Axis", parts.axis),
        Column("Bias, difference", lambda row: tuple(map(_bias, row.biases))),
        Column("Convergence disparity", lambda row: disparities(row.disparities)),
        Column("Clip rate", _clip_rates),
    )
    title = "Gradient disparity beside the bias change"
    intro = prose("comparison").intro("disparity", baseline=shorten(result.baseline, 60))
    table = Table(columns, rows, label=title, style="dense")
    return Section("disparity", title, (table,) if rows else (), intro, "Gradient disparity")


def _bias(found: Comparison) -> Span:
    return Span((f"{shorten(suite_name(found.suite), 40)}: ", paired.with_interval(found)), "aside")


def _clip_rates(row: Beside) -> Content:
    rates = [Span((f"{group_name(one.group or '')}: ", value_of(one)), "aside")
             for one in row.clip_rates]  # fmt: skip
    return tuple(rates) or parts.missing("no clipping norm known")


def _agreement(result: ComparisonResult) -> Section:
    columns = (
        Column("One family", lambda one: shorten(names.family_name(one.family_a), 90)),
        Column("Another", lambda one: shorten(names.family_name(one.family_b), 90)),
        Column("Correlation", _correlation, "num",
               "Kendall’s rank correlation tau-b: 1 the same order, −1 the opposite"),
        Column("n", parts.n, "num"),
        Column("Opposite verdicts", lambda one: shorten("; ".join(one.opposed), 300) or "none"),
    )  # fmt: skip
    table = Table(columns, result.agreement, label="Agreement of metric families")
    intro = summary.disagreement_words(result) or prose("comparison").intro("agreement")
    blocks = (table,) if result.agreement else ()
    return Section("agreement", "Do the metrics agree?", blocks, intro, "Agreement", folded=True)


def _correlation(found: Agreement) -> Content:
    if found.value is None:
        return parts.missing(found.reason or parts.UNKNOWN)
    return words.correlation(found.value)


def _gaps(result: ComparisonResult) -> Section:
    gaps, entries = view.gaps(result), []
    for gap in gaps:
        whom = ", ".join(shorten(name, 40) for name in gap.candidates)
        named = f" – {whom}" if whom else ""
        entries.append((f"{shorten(gap.named, 80)}{named}", (gap.reason,)))
    blocks = (doc.Terms(entries, views=View.EVERY),) if gaps else ()
    intro = prose("comparison").intro("not_compared")
    return Section("not-compared", "Not compared", blocks, intro, badge=len(gaps),
                   style="not-run", views=View.EVERY)  # fmt: skip


def _measured(result: ComparisonResult) -> Section:
    entries: list[tuple[Content, Sequence[Content]]] = []
    for asked in view.protocols(result):
        protocol = asked[0].protocol
        meaning = names.protocol_meaning(protocol)
        said = f" – {meaning}" if meaning else ""
        metrics = ", ".join(parts.label(one).lower() for one in asked)
        told = (Span(shorten(variant(protocol), 60), "code"), f"{said}: {metrics}")
        entries.append((shorten(parts.suite(asked[0]), 40), (told,)))
    for run in (run for run in result.suites if run.status == "run"):
        entries.append((f"Items of {shorten(suite_name(run.suite), 40)}", (parts.asked(run),)))
        if run.caveats:
            entries.append((f"Doubts about {shorten(suite_name(run.suite), 40)}", run.caveats))
    intro, terms = prose("comparison").intro("measured"), doc.Terms(entries, "about")
    return Section("measured", "How it was measured", (terms,), intro, "How measured", folded=True)


def _reading(result: ComparisonResult) -> Section:
    entries = (*result.comparisons, *result.changes)
    glossary = [(metric.label, metric.meaning) for metric in names.glossary(entries)]
    first = [(_word(word), f"{word.meaning} {word.limit}") for word in verdicts.WORDS]
    cautions = names.cautions_of(result.comparisons)
    return parts.reading("comparison", glossary, cautions, first)


def _provenance(result: ComparisonResult, *, alone: bool) -> Section:
    whole = (("Comparison", provenance.comparison_rows(result)),
             ("Run", provenance.when_rows(result.run)))  # fmt: skip
    blocks: list[doc.Block] = [parts.ledger(whole)]
    for label, side in provenance.sides(result):
        role = "Candidate" if len(blocks) > 1 else "Baseline"
        head = (f"{role}: ", Span(shorten(label, 80), "bold"))
        tables = parts.ledger(provenance.side_tables(result, label, side))
        blocks.append(Folded(head, (tables,), open=alone))
    blocks += parts.sources(result.suites)
    repeat = provenance.stored_command(result.run)
    if repeat is not None:
        told = Paragraph("Repeat it, with DIR for a folder of your choice:")
        blocks[:0] = (told, doc.Code(repeat))
    return Section(
        "provenance", "Provenance, and how to repeat it", blocks, nav="Provenance", folded=True
    )
