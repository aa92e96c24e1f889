"""The suites of an audit: their primary estimates, what they explored, examples, control pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from fairaudit.report import document as doc
from fairaudit.report import names, words
from fairaudit.report.audit import view
from fairaudit.report.audit.examples import Examples
from fairaudit.report.audit.reading import mark_of
from fairaudit.report.audit.textgroups import GroupTable
from fairaudit.report.document import (
    Box,
    Column,
    Content,
    Folded,
    Group,
    Paragraph,
    Section,
    Span,
    Table,
)
from fairaudit.report.documents import parts
from fairaudit.report.documents.prose import prose
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, metric_of, small, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import fit
from fairaudit.results import AuditResult, Estimate


def measure(picture: Callable[[Estimate], Content]) -> tuple[Column, ...]:
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


def sample_column() -> Column:
    """Return the column of n."""
    return Column("n", lambda one: parts.sample(one, one.n_tied or None, "tied"), "num")


def _p() -> Column:
    return Column("Adj. p", parts.adjusted_p, "num",
                  "p-value against the ideal, corrected for the number of looks")  # fmt: skip


def pictures(estimates: Iterable[Estimate]) -> Callable[[Estimate], Content]:
    """Return pictures on one scale for each protocol and metric.

    Single groups have wider intervals than whole axes, and a scale of their own.
    """
    alike = grouped(estimates, lambda one: (one.protocol, one.name, one.group is None))
    scales = {kind: fit(map(mark_of, found)) for kind, found in alike.items()}
    return lambda one: parts.picture(
        mark_of(one), scales[one.protocol, one.name, one.group is None]
    )


def suite_section(
    section: view.Section, result: AuditResult, by_group: GroupTable | None, shown: Examples | None
) -> Section:
    """Return a suite that ran, or estimates of one that the audit does not list."""
    run = section.run
    blocks: list[doc.Block] = []
    if run is not None:
        language = f"in the language {run.language}" if run.language != "en" else None
        skipped = f"{words.count(run.n_skipped)} skipped" if run.n_skipped else None
        line = " · ".join(filter(None, (words.plural(run.n_items, "item"), skipped, language)))
        blocks.append(Paragraph((f"{line} · ", Span(section.name, "code")), "facts"))
    blocks.append(_about(section))
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
    return Section(
        section.anchor, name, blocks, nav=shorten(name, 28), folded=bool(section.primary)
    )


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
        *measure(lambda one: doc.Glyph(lambda: own[one.key].picture(one))),
        sample_column(),
        Column(
            "Adj. p", lambda one: words.p_of(one.p_adjusted) if one.group is None else "", "num"
        ),
    )
    groups = [
        Group(axis_name(one.axis), (*filter(_bounded, one.groups), *one.contrasts))
        for one in table.axes
    ]
    label = small(metric_of(table.axes[0].groups[0]).label)
    caption = (f"By group: {label}, ", Span(variant(table.protocol), "code"))
    yield Table(columns, groups, caption, f"By group, {suite_name(table.suite)}", "dense")
    if few := [found for one in table.axes for found in one.groups if not _bounded(found)]:
        yield Paragraph(_without_interval(few), "detail")
    yield Paragraph(prose("audit").intro("groups"), "detail")


def _bounded(found: Estimate) -> bool:
    return found.interval is not None


def _without_interval(few: Sequence[Estimate]) -> str:
    """Return the groups that are too small for an interval, in one sentence for each reason."""
    reasons = grouped(few, lambda one: one.reason or parts.UNKNOWN)
    said = []
    for reason, own in reasons.items():
        named = (
            f"{shorten(str(one.group), 40)} {words.value_of(one)} (n {words.count(one.n)})"
            for one in own
        )
        said.append(f"Without an interval ({reason}): {', '.join(named)}.")
    return " ".join(said)


def _exploratory(block: view.Block, suite: str, result: AuditResult, *, is_open: bool) -> Folded:
    columns = (
        Column("Metric", parts.label_with_cautions),
        Column("Group", parts.group),
        *measure(pictures(result.estimates)),
        sample_column(),
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


def controls(result: AuditResult) -> Section:
    """Return the control pairs."""
    columns = (
        Column("What", parts.label_with_cautions),
        *measure(pictures(result.estimates)),
        sample_column(),
    )
    tables = []
    for block in view.controls(result):
        name = (f"{suite_name(block.axes[0][0].suite)}, ", Span(variant(block.protocol), "code"))
        groups = [Group(axis_name(own[0].axis), own) for own in block.axes]
        tables.append(Table(columns, groups, name, f"Controls, {block.protocol}", "dense"))
    return Section("controls", "Controls", tables, prose("audit").intro("controls"), folded=True)
