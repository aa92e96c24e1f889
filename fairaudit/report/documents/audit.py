"""An audit as a document, for people who want to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import names, provenance, words
from fairaudit.report.audit import reading, summary, view
from fairaudit.report.audit.examples import examples_by_suite
from fairaudit.report.audit.reading import Standing, mark_of, standing
from fairaudit.report.audit.textgroups import group_tables
from fairaudit.report.document import (
    Column,
    Content,
    Group,
    Heading,
    Paragraph,
    Section,
    Span,
    Table,
    View,
)
from fairaudit.report.documents import parts
from fairaudit.report.documents.gate import gate_banner
from fairaudit.report.documents.prose import keyed, prose
from fairaudit.report.documents.suites import (
    controls,
    measure,
    pictures,
    sample_column,
    suite_section,
)
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of
from fairaudit.results.gate import GateResult

_MARKS: Final = {Standing.TOWARDS: "▲△", Standing.AWAY: "▼▽", Standing.APART: "◆◇"}
_LEGEND: Final = (
    "▲ leans towards the stereotype, ▼ away from it, △ ▽ by its own interval but not after "
    "correction; no mark: no lean shown."
)
_ABOVE_CHANCE: Final = "capability not shown to be above chance"
_NOT_SHOWN: Final = "not shown to be above chance"
_WHICH: Final = Span(_ABOVE_CHANCE, link="#capability")
_TO_CAPABILITY: Final = Span("Which", link="#capability")


def audit_document(result: AuditResult, decided: GateResult | None = None) -> doc.Document:
    """Build the document of an audit, with the decision of a gate at its top."""
    tables, examples = group_tables(result), examples_by_suite(result.suites)
    closing = "Methods, control pairs, exploratory estimates and provenance: "
    said = summary.answer(result)
    sections: tuple[doc.Block, ...] = (
        *_headline(result),
        _capability(result),
        _not_run(result),
        *(suite_section(one, result, tables.get(one.name), examples.get(one.name))
          for one in view.sections(result)),
        controls(result),
        parts.notes(result.notes),
        parts.figures("audit"),
        parts.evidenced(result.suites),
        parts.reading("audit", _glossary(result), names.cautions_of(result.estimates)),
        *_provenance(result),
        Paragraph(_LEGEND, "intro", View.TERMINAL),
        Paragraph(said, "answer", View.TERMINAL),
        Paragraph(f"{summary.found(result)} {summary.SHORT_LIMITS}", "intro", View.TERMINAL),
        Paragraph((closing, parts.REPORT, "."), views=View.SUMMARY),
    )  # fmt: skip
    window = f"{shorten(result.label, 80)} – bias audit"
    return doc.Document(window, tuple(_head(result, decided)), sections)


def _head(result: AuditResult, decided: GateResult | None) -> Iterator[doc.Block]:
    model, gaps = result.provenance.model, view.not_run(result)
    size = f"{words.count(model.n_parameters)} parameters" if model.n_parameters else None
    answer, found = summary.answer(result), summary.found(result)
    measured = f"{summary.measured(result)} {found}"
    yield Paragraph("Bias audit of a language model", "kicker")
    yield parts.title(result.label)
    yield Heading(("Bias audit: ", Span(result.label, "code")), View.SUMMARY)
    yield Heading(shorten(result.label, 70), View.TERMINAL)
    yield Heading(result.label, View.SCREEN)
    yield parts.facts(model.architecture, size, result.run.started[:10])
    yield Paragraph(answer, "answer")
    if decided is not None:
        yield from gate_banner(decided)
    yield Paragraph(measured, "lead")
    yield Paragraph(summary.LIMITS, "intro")
    whole = (Span(answer, "strong"), f" {measured} {summary.LIMITS}")
    yield Paragraph(whole, views=View.SUMMARY)
    yield Paragraph(f"{answer} {found}", views=View.SCREEN)
    yield Table(_SCREEN, view.primary_bias(result) or result.estimates, views=View.SCREEN)
    yield from _weak(result)
    if gaps:
        missed = ", ".join(suite_name(run.suite) for run in gaps)
        asked = "what it asks" if len(gaps) == 1 else "what they ask"
        why = Span("Why", link="#not-run")
        told = (Span(summary.gaps(result), "bold"), f" {missed}: nothing is known about {asked}. ")
        yield doc.Notice((Paragraph((told, why)),), "Suites that did not run", "notice")
    yield from _short(result)


def _weak(result: AuditResult) -> Iterator[doc.Block]:
    """Yield which capability estimates are not shown to be above chance."""
    weak = reading.weak_capabilities(result)
    if weak:
        said = (Span(summary.weak(result), "strong"), f" {summary.LOOKS_FAIR}")
        blocks = (
            Paragraph(said, "caution", View.SHORT),
            Paragraph((said, " ", _TO_CAPABILITY)),
            doc.Items([reading.weakness_words(one) for one in weak], views=View.SHORT),
        )
        yield doc.Notice(blocks, "Capability warning", views=View.EVERY)


def _short(result: AuditResult) -> Iterator[doc.Block]:
    """Yield the primary estimates of the short views."""
    links, primary = view.anchors(result), view.primary_bias(result)
    groups = []
    for found in grouped(primary, names.measured).values():
        protocols = ", ".join(dict.fromkeys(variant(one.protocol) for one in found))
        what = shorten(f"{names.small(metric_of(found[0]).label)}, {protocols}", 90)
        groups.append(Group(shorten(suite_name(found[0].suite), 24), found, what))
    columns = (
        Column("Bias", lambda one: shorten(axis_name(one.axis), 22)),
        Column("value", lambda one: _toned(one, words.value_of(one)), "num"),
        Column("95 % interval", lambda one: _toned(one, words.interval_of(one))),
        Column("ideal", lambda one: Span(words.reference(one.ideal, one), "aside"), "num"),
        Column("n", parts.n, "num"),
        Column("", lambda one: _remark(one, result.estimates), "wrap"),
    )
    yield Table(columns, groups, empty="no primary estimate", views=View.TERMINAL)
    listed = (
        Column("", lambda one: Span(f"{names.measured(one)} · {axis_name(one.axis)}",
                                    link=f"#{links[one.key]}")),
        Column("", _listed_value),
        Column("n ", parts.n),
        Column("", lambda one: Span(variant(one.protocol), "code")),
        Column("", reading.standing_words),
        Column("", parts.cautions),
        Column("", lambda one: _uninterpretable(one, result)),
    )  # fmt: skip
    table = Table(listed, primary, listed=True, views=View.SUMMARY)
    blocks = (table,) if primary else ()
    yield Section("primary", "Primary estimates", blocks, views=View.SUMMARY)


def _toned(found: Estimate, content: Content) -> Content:
    tone = mark_of(found).tone
    return Span(content, tone=tone) if tone.style else content


def _remark(found: Estimate, estimates: tuple[Estimate, ...]) -> Content:
    """Return the mark of the standing, then what a reader must know about the number."""
    remarks = [names.caution_of(caution).label for caution in found.cautions]
    if weakness_of(found, estimates) is not None:
        remarks.append("not interpretable")
    if found.value is None:
        remarks.append(shorten(found.reason or parts.UNKNOWN, 200))
    mark = _MARKS.get(standing(found), "  ")[reading.lost_in_correction(found)]
    said = (" ", Span("; ".join(remarks), "caution")) if remarks else ""
    return _toned(found, mark), said


def _listed_value(found: Estimate) -> Content:
    reason = found.reason or parts.UNKNOWN
    if found.value is None:
        return words.MISSING, f" ({reason})"
    bounds = words.interval_of(found) if found.interval else f"without an interval ({reason})"
    return Span(words.value_of(found), "strong"), " ", bounds


def _uninterpretable(found: Estimate, result: AuditResult) -> Content:
    failed = weakness_of(found, result.estimates) is not None
    return Span(f"not interpretable: {_ABOVE_CHANCE}", "strong") if failed else ""


_SCREEN: Final = (
    Column("Suite", lambda one: f"{suite_name(one.suite)}, {variant(one.protocol)}", "name"),
    Column("Axis", parts.axis, "name"),
    Column("Metric", parts.label, "name"),
    Column("Value", words.value_of),
    Column("Interval", words.interval_of),
    Column("n", parts.n),
    Column("Reading", lambda one: reading.standing_words(one) if one.kind == "bias" else one.kind),
)


def _kind(found: Estimate) -> tuple[object, ...]:
    """Return what estimates on one drawn axis share."""
    return metric_of(found).unit, found.ideal


def _headline(result: AuditResult) -> Iterator[Section]:
    """Yield every primary estimate once, with all its numbers, by axis."""
    alike = grouped(view.primary_bias(result), _kind)
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    said = prose("audit").intro
    key = keyed("the interval leans towards the stereotype, ", "away from it, ",
                "no lean shown, or none that correction for all looks leaves.")  # fmt: skip
    links = view.anchors(result)
    columns = (
        Column("Suite, what was measured", lambda one: _source(one, result), "what"),
        Column("Reading", _read, "wide reads", "With the p-value against the ideal, corrected for "
               "all looks, and the smallest distance from it detectable at 80 % power"),
        Column("Value", lambda one: _valued(one, scales[_kind(one)]), "wide"),
        Column("95 % interval", _interval, "bounds-cell"),
        Column("n", lambda one: parts.sample(one, one.n_tied or None, "tied"), "num"),
    )  # fmt: skip
    groups = [Group(shorten(axis_name(card.axis), 60), card.estimates)
              for card in view.cards(result)]  # fmt: skip
    label = "Primary estimates by axis"
    table = Table(columns, groups, Span(label, "quiet"), label, "sheet",
                  id_of=lambda one: links[one.key])  # fmt: skip
    intro = (said("by_axis"), key, said("by_axis_end"))
    yield Section("by-axis", "By axis", (table,) if groups else (), intro)


def _source(found: Estimate, result: AuditResult) -> Content:
    what = (f"{metric_of(found).label}, ", Span(shorten(variant(found.protocol), 60), "code"))
    weak = weakness_of(found, result.estimates) is not None
    beneath = (" ", Span(("Not interpretable: ", _WHICH), "aside caution")) if weak else ()
    suite = Span(shorten(suite_name(found.suite), 40), "axis")
    return suite, " ", Span(what, "aside"), parts.chips(found.cautions), beneath


def _read(found: Estimate) -> Content:
    """Return where an estimate stands, with its p-value and what could have been detected."""
    lost = reading.lost_in_correction(found)
    side = Standing.INCLUDES if lost else standing(found)
    shown = Span(reading.standing_words(found), f"standing {side.value}")
    p = ("adj. p ", words.p_of(found.p_adjusted)) if found.p_adjusted is not None else ()
    least = ("detectable ", words.detectable_with_unit(found)) if found.mde is not None else ()
    return shown, tuple((" ", Span(one, "aside")) for one in (p, least) if one)


def _valued(found: Estimate, scale: Scale | None) -> Content:
    ideal = ("ideal ", words.reference(found.ideal, found)) if found.ideal is not None else "–"
    value = Span(words.value_of(found), "strong figure"), " ", Span(ideal, "aside-inline figure")
    return value, parts.picture(mark_of(found), scale)


def _interval(found: Estimate) -> Content:
    if found.value is None:
        return Span(f"no value: {found.reason or parts.UNKNOWN}", "missing")
    return parts.bounds(found.interval, metric_of(found).unit, found.reason)


def _capability(result: AuditResult) -> Section:
    weak, found = reading.weak_capabilities(result), reading.headline_capabilities(result)
    said = prose("audit").intro
    blocks: list[doc.Block] = []
    if weak:
        told = " Bias scores of the same suite and axis cannot be interpreted."
        lines = doc.Items([f"{reading.weakness_words(one)}." for one in weak])
        head = Paragraph((Span("Not shown to be above chance.", "bold"), told))
        blocks.append(doc.Notice((head, lines), "Capability not shown to be above chance"))
    if found:
        blocks += _capability_tables(found, result)
    else:
        none = (Span("No capability was measured.", "bold"), said("no_capability"))
        blocks.append(doc.Notice((Paragraph(none),), "No capability"))
    return Section("capability", "Capability", blocks, said("capability"), views=View.READ)


def _capability_tables(found: Sequence[Estimate], result: AuditResult) -> Iterator[Table]:
    chance = Column("Chance", lambda one: words.reference(one.chance, one), "num")
    columns = (
        Column("What", lambda one: (parts.label(one), _on_axis(one), parts.chips(one.cautions))),
        Column("Suite and protocol", parts.suite_and_protocol),
        *measure(pictures(result.estimates)),
        Column("Chance", lambda one: (chance.cell(one), _none_recorded(one)), "num"),
        sample_column(),
    )  # fmt: skip
    yield Table(columns, found, label="Capability")
    short = (
        Column("Capability", lambda one: f"  {metric_of(one).short or parts.label(one)}"),
        Column("value", words.value_of, "num"),
        Column("95 % interval", words.interval_of),
        Column("chance", lambda one: Span(chance.cell(one), "aside"), "num"),
        Column("n", parts.n, "num"),
        Column("", _above_chance),
    )  # fmt: skip
    yield Table(short, found, views=View.TERMINAL)
    listed = (
        Column("", _capability_named),
        Column("", _listed_value),
        Column("n ", parts.n),
        Column("", lambda one: "" if one.chance is None else f"chance {chance.cell(one)}"),
        Column("", lambda one: Span(_NOT_SHOWN, "strong") if reading.falls_short(one) else ""),
    )  # fmt: skip
    yield Table(listed, found, listed=True, views=View.SUMMARY)


def _above_chance(found: Estimate) -> Content:
    if reading.falls_short(found):
        return Span("not shown above chance", "warning")
    return Span(variant(found.protocol), "aside")


def _capability_named(found: Estimate) -> Content:
    where = f"{suite_name(found.suite)} · {axis_name(found.axis)}, "
    return f"{parts.label(found)} ({where}", Span(variant(found.protocol), "code"), ")"


def _none_recorded(found: Estimate) -> Content:
    known = found.value is None or found.chance is not None
    return "" if known else (" ", Span("none recorded", "aside"))


def _on_axis(found: Estimate) -> Content:
    return (" ", Span(axis_name(found.axis), "aside")) if found.axis != "all" else ""


def _not_run(result: AuditResult) -> Section:
    gaps = view.not_run(result)
    terms = [(suite_name(run.suite), (run.reason or parts.UNKNOWN,)) for run in gaps]
    blocks = (doc.Terms(terms, views=View.EVERY),) if gaps else ()
    intro = prose("audit").intro("not_run")
    return Section("not-run", "Not run", blocks, intro, badge=len(gaps), style="not-run",
                   views=View.EVERY)  # fmt: skip


def _glossary(result: AuditResult) -> list[tuple[str, str]]:
    return [(metric.label, metric.meaning) for metric in names.glossary(result.estimates)]


def _provenance(result: AuditResult) -> Iterator[Section]:
    found, run = result.provenance, result.run
    tables = [
        *provenance.origin_tables(found),
        ("Settings", provenance.settings_rows(found.settings)),
        ("Run", (*provenance.when_rows(run), *provenance.device_rows(found))),
    ]
    if result.privacy:
        tables.append(("Privacy statement", tuple(provenance.nested_rows(result.privacy))))
    blocks: list[doc.Block] = []
    if result.privacy and result.privacy.get("noise_reproducible"):
        told = (Span("No privacy guarantee.", "bold"), prose("audit").intro("no_guarantee"))
        blocks.append(doc.Notice((Paragraph(told),), "No privacy guarantee"))
    blocks.append(parts.ledger(tables))
    blocks += parts.sources(result.suites)
    recorded = " FILE stands for the recorded scores, and" if found.settings.recorded else ""
    intro = (
        f"Seed {found.settings.seed}. On the same machine, versions and thread count this gives "
        f"the same numbers;{recorded} DIR for a folder of your choice."
    )
    blocks[:0] = (Paragraph(intro), doc.Code(provenance.command(result)))
    title = "Provenance, and how to repeat it"
    yield Section("provenance", title, blocks, nav="Provenance", folded=True)
