"""An audit as a document, for people who want to read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import names, provenance, words
from fairaudit.report.audit import reading, summary, view
from fairaudit.report.audit.examples import Examples, examples_by_suite
from fairaudit.report.audit.reading import Standing, mark_of, standing
from fairaudit.report.audit.textgroups import GroupTable, group_tables
from fairaudit.report.document import (
    Box,
    Column,
    Content,
    Folded,
    Group,
    Heading,
    Paragraph,
    Section,
    Span,
    Table,
    View,
)
from fairaudit.report.documents import parts
from fairaudit.report.documents.prose import keyed, prose
from fairaudit.report.grouping import grouped
from fairaudit.report.interval_svg import axis
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of

_MARKS: Final = {Standing.TOWARDS: "▲△", Standing.AWAY: "▼▽", Standing.APART: "◆◇"}
_LEGEND: Final = (
    "▲ leans towards the stereotype, ▼ away from it, △ ▽ by its own interval but not after "
    "correction; no mark: the ideal is not excluded."
)
_ABOVE_CHANCE: Final = "capability not shown to be above chance"
_NOT_SHOWN: Final = "not shown to be above chance"
_WHICH: Final = Span(_ABOVE_CHANCE, link="#capability")
_TO_CAPABILITY: Final = Span("Which", link="#capability")


def audit_document(result: AuditResult) -> doc.Document:
    """Build the document of an audit."""
    tables, examples = group_tables(result), examples_by_suite(result.suites)
    closing = "Methods, control pairs, exploratory estimates and provenance: "
    said = summary.answer(result)
    sections: tuple[doc.Block, ...] = (
        *_headline(result),
        _capability(result),
        *(_suite(one, result, tables.get(one.name), examples.get(one.name))
          for one in view.sections(result)),
        _controls(result),
        _not_run(result),
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
    return doc.Document(window, tuple(_head(result)), sections)


def _head(result: AuditResult) -> Iterator[doc.Block]:
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
        told = " A model that cannot tell sense from nonsense looks fair."
        said = (Span(summary.weak(result), "strong"), told)
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
        what = shorten(f"{metric_of(found[0]).label.lower()}, {protocols}", 90)
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
    value = Span(words.value_of(found), "strong")
    return value, (
        " ",
        words.interval_of(found),
    ) if found.interval else f" without an interval ({reason})"


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


def _measure(picture: Callable[[Estimate], Content]) -> tuple[Column, ...]:
    """Return the columns of a value, its picture and its interval."""
    return (
        Column("Value", words.value_of, "num"),
        Column(parts.PICTURE, picture, "mini-cell"),
        Column("95 % interval", _bounds, "bounds-cell"),
    )


def _bounds(found: Estimate) -> Content:
    if found.value is None:
        return Span(f"no value: {found.reason or parts.UNKNOWN}", "missing")
    return parts.bounds(found.interval, metric_of(found).unit, found.reason)


def _n() -> Column:
    return Column("n", lambda one: parts.sample(one, one.n_tied or None, "tied"), "num")


def _p() -> Column:
    return Column("Adj. p", parts.adjusted_p, "num",
                  "p-value against the ideal, corrected for the number of looks")  # fmt: skip


def _pictures(estimates: Iterable[Estimate]) -> Callable[[Estimate], Content]:
    """Return pictures on one scale for each protocol and metric.

    Single groups have wider intervals than whole axes, and a scale of their own.
    """
    alike = grouped(estimates, lambda one: (one.protocol, one.name, one.group is None))
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    return lambda one: parts.picture(
        mark_of(one), scales[one.protocol, one.name, one.group is None]
    )


def _kind(found: Estimate) -> tuple[object, ...]:
    """Return what estimates on one drawn axis share."""
    return metric_of(found).unit, found.ideal


def _headline(result: AuditResult) -> Iterator[Section]:
    alike = grouped(view.primary_bias(result), _kind)
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    said = prose("audit").intro
    key = keyed("the interval leans towards the stereotype, ", "away from it, ",
                "the ideal is not excluded.")  # fmt: skip
    intro = (said("by_axis"), key, said("by_axis_end"))
    links = view.anchors(result)
    cards = [
        Box([_reading(one, result, links[one.key], scales[_kind(one)]) for one in card.estimates],
            "card", shorten(axis_name(card.axis), 60), "article")
        for card in view.cards(result)
    ]  # fmt: skip
    yield Section("by-axis", "By axis", (Box(cards, "cards"),) if cards else (), intro)
    plots = [
        _plot(found, scale, result)
        for kind, found in alike.items()
        if (scale := scales[kind]) is not None
    ]
    yield Section("at-a-glance", "At a glance", plots, said("glance"))


def _reading(found: Estimate, result: AuditResult, link: str, scale: Scale | None) -> Box:
    reason, side = found.reason or parts.UNKNOWN, standing(found).value
    why = "" if found.interval else f": {reason}"
    blocks = [
        Paragraph(Span(shorten(suite_name(found.suite), 40), link=f"#{link}"), "source"),
        Paragraph((words.value_of(found), " ", _beside(found)), "value"),
        Paragraph(parts.picture(mark_of(found), scale)),
        Paragraph(f"{reading.standing_words(found)}{why}", f"standing {side}"),
        Paragraph(_detail(found), "detail"),
    ]
    if weakness_of(found, result.estimates) is not None:
        blocks.append(Paragraph(("Not interpretable: ", _WHICH), "detail caution"))
    return Box(blocks, "reading")


def _beside(found: Estimate) -> Content:
    """Return the interval behind a value."""
    return Span(words.interval_of(found), "bounds") if found.interval else ""


def _detail(found: Estimate) -> Content:
    p = words.p_of(found.p_adjusted)
    return (
        f"{metric_of(found).label} · ",
        Span(f"ideal {words.reference(found.ideal, found)}", "figure"),
        " · ",
        Span(f"n {words.count(found.n)}", "figure"),
        "" if found.p_adjusted is None else (" · ", Span(f"adjusted p {p}", "figure")),
        f" · {variant(found.protocol)}",
    )


def _plot(found: Sequence[Estimate], scale: Scale, result: AuditResult) -> Box:
    """Return estimates that share unit and ideal, so one drawn axis, by suite."""
    first, weak = found[0], [weakness_of(one, result.estimates) for one in found]
    dagger = Span("†", title=f"Not interpretable: {_ABOVE_CHANCE}")
    failed = {one.key for one, failure in zip(found, weak, strict=True) if failure is not None}
    columns = (
        Column("Axis", lambda one: (shorten(axis_name(one.axis), 40),
                                    (" ", dagger) if one.key in failed else "")),
        Column("Interval", lambda one: parts.picture(mark_of(one), scale, "wide"), "plot"),
        Column("Value", lambda one: (words.value_of(one), " ", _beside(one)), "figure"),
    )  # fmt: skip
    labels = words.joined(metric_of(one).label for one in found)
    groups = [
        Group(shorten(suite_name(suite), 60), own)
        for suite, own in grouped(found, lambda one: one.suite).items()
    ]
    caption = f"{labels}, with interval; ideal {words.reference(first.ideal, first)}"
    ticks = doc.Glyph(lambda: axis(metric_of(first).unit, scale))
    table = Table(columns, groups, caption, style="plots", frame="", foot=("", ticks, ""))
    note = Paragraph(("† Not interpretable: ", _WHICH, "."), "detail")
    return Box((table, note) if failed else (table,), "forest")


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
        *_measure(_pictures(result.estimates)),
        Column("Chance", lambda one: (chance.cell(one), _none_recorded(one)), "num"),
        _n(),
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


def _suite(
    section: view.Section, result: AuditResult, by_group: GroupTable | None, shown: Examples | None
) -> Section:
    run = section.run
    blocks: list[doc.Block] = []
    if run is not None:
        language = f"in the language {run.language}" if run.language != "en" else None
        skipped = f"{words.count(run.n_skipped)} skipped" if run.n_skipped else None
        line = " · ".join(filter(None, (words.plural(run.n_items, "item"), skipped, language)))
        blocks.append(Paragraph((f"{line} · ", Span(section.name, "code")), "facts"))
    blocks.append(_about(section))
    if section.primary:
        blocks.append(_primary(section, result))
    if by_group is not None:
        blocks += _by_group(by_group)
    for block in section.exploratory:
        is_open = not section.primary and block == section.exploratory[0]
        blocks.append(_exploratory(block, section.name, result, is_open=is_open))
    if not section.primary and not section.exploratory:
        blocks.append(Paragraph("There are no estimates of this suite beside its control pairs."))
    if shown is not None:
        blocks.append(_examples(shown))
    name = suite_name(section.name)
    return Section(section.anchor, name, blocks, nav=shorten(name, 28))


def _about(section: view.Section) -> doc.Terms:
    meanings = [metric_of(one).meaning for one in section.asks if metric_of(one).meaning]
    protocols: list[Content] = []
    for protocol in section.protocols:
        meaning = names.protocol_meaning(protocol)
        protocols.append((Span(variant(protocol), "code"), f" – {meaning}" if meaning else ""))
    caveats = section.run.caveats if section.run else ()
    entries: list[tuple[Content, Sequence[Content]]] = [
        ("It asks", meanings), ("Protocols", protocols or ["none recorded"]), ("Caveats", caveats)
    ]  # fmt: skip
    return doc.Terms([(term, told) for term, told in entries if told], "about")


def _primary(section: view.Section, result: AuditResult) -> Table:
    first, links = section.primary_estimates[0], view.anchors(result)
    several = len({one.name for one in section.primary_estimates}) > 1
    beside = {row.estimate.key: row.companions for row in section.primary}
    columns = [
        Column("Axis", lambda one: (parts.axis(one), parts.chips(one.cautions),
                                    _chip(one, result))),
        *([Column("Metric", parts.label)] if several else []),
        *_measure(_pictures(result.estimates)),
        _n(),
        _p(),
        Column("Detectable", words.detectable, "num",
               "Smallest distance from the ideal found with 80 % power"),
    ]  # fmt: skip
    for place, name in enumerate(section.companions):
        cell = lambda one, place=place: _companion(beside[one.key][place])  # noqa: E731
        columns.append(Column(names.short_label(name), cell, "num"))
    label = "" if several else f": {metric_of(first).label.lower()}"
    caption = (f"Primary{label}, ", Span(variant(first.protocol), "code"))
    name = f"Primary estimates of {suite_name(section.name)}"
    return Table(columns, section.primary_estimates, caption, name,
                 id_of=lambda one: links[one.key])  # fmt: skip


def _chip(found: Estimate, result: AuditResult) -> Content:
    failed = weakness_of(found, result.estimates) is not None
    return (" ", Span("not interpretable", "chip strong")) if failed else ""


def _companion(found: Estimate | None) -> Content:
    """Return an estimate that stands beside a primary one."""
    if found is None or found.value is None:
        return parts.missing("not measured" if found is None else found.reason or parts.UNKNOWN)
    below = Span(words.interval_of(found) if found.interval else "no interval", "aside")
    return words.bare(found), " ", below


def _by_group(table: GroupTable) -> Iterator[doc.Block]:
    own = {one.key: found for found in table.axes for one in (*found.groups, *found.contrasts)}

    def named(found: Estimate) -> Content:
        axis, chips = own[found.key], parts.chips(found.cautions)
        if found.group is None:
            said: Content = Span(shorten(axis.contrast_label(found), 60), "aside-inline")
            return f"{metric_of(found).label} ", said, chips
        is_reference = found.group == axis.reference and len(axis.groups) > 1
        said = (" ", Span("reference", "aside-inline")) if is_reference else ""
        return shorten(found.group, 60), said, chips

    columns = (
        Column("Group", named),
        *_measure(lambda one: doc.Glyph(lambda: own[one.key].picture(one))),
        _n(),
        Column(
            "Adj. p", lambda one: words.p_of(one.p_adjusted) if one.group is None else "", "num"
        ),
    )
    groups = [Group(axis_name(one.axis), (*one.groups, *one.contrasts)) for one in table.axes]
    label = metric_of(table.axes[0].groups[0]).label.lower()
    caption = (f"By group: {label}, ", Span(variant(table.protocol), "code"))
    yield Table(columns, groups, caption, f"By group, {suite_name(table.suite)}", "dense")
    yield Paragraph(prose("audit").intro("groups"), "detail")


def _exploratory(block: view.Block, suite: str, result: AuditResult, *, is_open: bool) -> Folded:
    columns = (
        Column("Metric", parts.label_with_cautions),
        Column("Group", parts.group),
        *_measure(_pictures(result.estimates)),
        _n(),
        _p(),
    )
    name = variant(block.protocol)
    n = f"{words.plural(block.size, 'estimate')}; no verdict rests on them"
    groups = [Group(axis_name(own[0].axis), own) for own in block.axes]
    label = f"Exploratory estimates, {name}, {suite_name(suite)}"
    head = ("Exploratory: ", Span(name, "code"), " ", Span(n, "aside-inline"))
    return Folded(head, (Table(columns, groups, label=label, style="dense"),), open=is_open)


def _examples(shown: Examples) -> Folded:
    n = f"{words.plural(shown.size, 'item')} that may be offensive; extremes, not typical"
    head = ("Examples ", Span("content warning", "chip"), " ", Span(n, "aside-inline"))
    protocol = Span(variant(shown.protocol), "code")
    blocks: list[doc.Block] = [
        Paragraph((f"{shown.rule} Protocol: ", protocol, ". Long texts are cut."))
    ]
    for name, entries in shown.axes:
        terms: list[tuple[Content, Sequence[Content]]] = []
        for one in entries:
            group = (Span(shorten(one.group, 60), "outside"), ", ") if one.group is not None else ""
            item = (group, "item ", Span(shorten(one.item_id, 60), "code"))
            said = [
                (Span(f"{label}:", "aside-inline"), " ", Span(text, "outside"))
                for label, text in one.texts
            ]
            terms.append(((f"{one.said} ", Span(item, "aside-inline")), said))
        blocks.append(Box((doc.Terms(terms, "sentences"),), title=axis_name(name)))
    return Folded(head, blocks, "examples")


def _controls(result: AuditResult) -> Section:
    columns = (
        Column("What", parts.label_with_cautions),
        *_measure(_pictures(result.estimates)),
        _n(),
    )
    tables = []
    for block in view.controls(result):
        name = (f"{suite_name(block.axes[0][0].suite)}, ", Span(variant(block.protocol), "code"))
        groups = [Group(axis_name(own[0].axis), own) for own in block.axes]
        tables.append(Table(columns, groups, name, f"Controls, {block.protocol}", "dense"))
    return Section("controls", "Controls", tables, prose("audit").intro("controls"))


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
    sources = [
        (one.suite, source)
        for one in result.suites
        if one.status == "run"
        for source in one.sources
    ]
    if sources:
        columns = (
            Column("Suite", lambda one: suite_name(one[0])),
            Column("File", lambda one: one[1].path),
            Column("Blob id", lambda one: Span(one[1].blob_id, "code")),
        )
        caption = "Sources, by the Git blob id of their content"
        blocks.append(Table(columns, sources, caption, "Sources", "sources"))
    yield Section("provenance", "Provenance", blocks)
    recorded = " FILE stands for the recorded scores, and" if found.settings.recorded else ""
    intro = (
        f"Seed {found.settings.seed}. On the same machine, versions and thread count this gives "
        f"the same numbers;{recorded} DIR for a folder of your choice."
    )
    yield Section("repeat", "Repeat it", (doc.Code(provenance.command(result)),), intro)
