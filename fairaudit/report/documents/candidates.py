"""One candidate of a comparison: verdicts and numbers, for the page and for the short views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import names, verdicts, words
from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison import summary, view
from fairaudit.report.comparison.panels import ScaleOf, scales
from fairaudit.report.document import (
    Box,
    Column,
    Content,
    Folded,
    Group,
    Paragraph,
    Span,
    Table,
    View,
)
from fairaudit.report.documents import parts
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale
from fairaudit.results import Change, Comparison, ComparisonResult
from fairaudit.results.comparison import Paired
from fairaudit.vocabulary.suites import PROBE
from fairaudit.vocabulary.units import Unit
from fairaudit.vocabulary.verdicts import Verdict

_LEGEND: Final = (
    "Line: no change. Band: the margin. Right: more stereotyped. A hollow point decides nothing."
)


@dataclass(frozen=True, slots=True)
class Page:
    """What all candidates share: where each verdict stands, and the scale of its picture."""

    links: Mapping[view.Key, str]
    scale_of: ScaleOf

    @classmethod
    def of(cls, result: ComparisonResult) -> Page:
        """Return the places and scales of a result."""
        return cls(view.anchors(result), scales(result))

    def link(self, found: Comparison) -> str:
        """Return the place of a verdict."""
        return f"#{self.links[found.key]}"


def verdict(found: Comparison) -> Content:
    """Return mark and label of a verdict."""
    word = verdicts.word_of(found)
    return Span((Span(word.mark, "mark"), f" {word.label}"), "verdict", tone=word.tone)


def _reason(found: Paired, most: int = 300) -> str:
    return shorten(paired.reason(found), most)


def glance(found: view.Candidate, page: Page) -> Iterator[doc.Block]:
    """Yield the verdicts of a candidate in words, with what else changed."""
    if found.cautions:
        said = [Paragraph(verdicts.caution_words(caution)) for caution in found.cautions]
        yield doc.Notice(said, f"Cautions about {shorten(found.name, 60)}")
    if found.beside:
        yield doc.Items([_changed(change) for change in found.beside], "beside")
    columns = (
        Column("Axis and suite", lambda one: Span(_place(one), link=page.link(one))),
        Column("Verdict", verdict),
        Column("Picture", lambda one: _picture(one, page.scale_of(one)), "mini-cell"),
        Column("Difference and interval", _difference),
        Column("In plain words", lambda one: _plain(one, found), "plain"),
    )
    caption = Span(f"Verdicts of {shorten(found.name, 80)}, by axis and suite", "quiet")
    if found.primary:
        groups = [Group("", own) for own in found.axes]
        yield Table(columns, groups, caption, style="lines", frame="")


def _place(found: Comparison) -> Content:
    where = Span(shorten(paired.place(found), 110), "axis")
    return where, " ", Span(shorten(names.measured(found), 80), "aside-inline")


def _picture(found: Comparison, scale: Scale | None, size: str = "mini") -> doc.Glyph:
    return parts.picture(verdicts.mark_of(found), scale, size)


def _difference(found: Paired) -> Content:
    bounds = (" ", Span(paired.interval(found), "bounds")) if found.interval else ""
    return Span(paired.difference(found), "strong"), bounds


def _plain(found: Comparison, candidate: view.Candidate) -> Content:
    return shorten(verdicts.brief(found), 300), parts.chips(candidate.own_cautions(found))


def _changed(found: Change) -> Content:
    """Return a change beside the verdicts, with where it was measured."""
    where = [shorten(suite_name(found.suite), 40)]
    if found.suite != PROBE.name:
        where.append(shorten(variant(found.protocol), 40))
    if found.axis != "all":
        where.append(shorten(axis_name(found.axis).lower(), 40))
    value: Content = Span(paired.candidate_value(found), "strong")
    if found.value_candidate is None:
        why = Span(_reason(found, 120), "aside-inline")
        value = Span((words.MISSING, " ", why), "missing")
    elif found.kind != "distance":
        value = paired.baseline_value(found), " → ", value
    return Span(parts.label(found), "aside"), " ", value, " ", Span(", ".join(where), "aside")


def candidate_blocks(found: view.Candidate, page: Page) -> Iterator[doc.Block]:
    """Yield every number of a candidate."""
    name = shorten(found.name, 60)
    for alike in grouped((one for own in found.protocols for one in own), paired.unit_of).values():
        scale = page.scale_of(alike[0])
        if scale is not None and any(one.difference is not None for one in alike):
            yield _plot(alike, scale)
    for own in found.protocols:
        yield _verdict_table(own, name, page)
    if found.primary:
        terms = [((verdict(one), " ", _place(one)), (_sentences(one),)) for one in found.primary]
        head = "The same in sentences: what each verdict means, and what it does not"
        yield Folded(head, (doc.Terms(terms, "sentences"),))
    if found.changes:
        yield _changes(found.changes, name)
    for block in found.exploratory:
        yield _exploratory(block, name)
    if found.n_left_out:
        left = f"{words.plural(found.n_left_out, 'comparison')} of single groups are left out here"
        file = Span("result.json", "code")
        yield Paragraph((f"{left} to keep the page light; ", file, " holds them."), "detail")


def _sentences(found: Comparison) -> str:
    return shorten(" ".join(verdicts.sentences(found)), 2000)


def _plot(found: Sequence[Comparison], scale: Scale) -> Box:
    """Return differences in one unit, so on one drawn axis, by protocol."""
    unit = paired.unit_of(found[0])
    points = ", in percentage points" if unit is Unit.POINTS else ""
    columns = (
        Column("Axis", lambda one: shorten(paired.place(one), 110)),
        Column("Interval", lambda one: _picture(one, scale, "wide"), "plot"),
        Column("Difference", lambda one: (_mark(one), " ", paired.bare_interval(one))),
    )
    protocols = grouped(found, lambda one: one.protocol).values()
    suites = [(suite_name(own[0].suite), own) for own in protocols]
    caption = f"{paired.labels(found)}: difference from the baseline{points}"
    return parts.plot(caption, columns, suites, unit, scale, _LEGEND)


def _mark(found: Comparison) -> Content:
    word = verdicts.word_of(found)
    return Span((Span(word.mark, "mark"), Span(word.label, "quiet")), "verdict", tone=word.tone)


def _measure(interval: str = "Interval") -> tuple[Column, ...]:
    """Return the columns of both sides, their difference and its interval."""
    return (
        Column("Baseline", paired.baseline_value, "num"),
        Column("Candidate", paired.candidate_value, "num"),
        Column("Difference", paired.difference, "num"),
        Column(interval, _bounds, "bounds-cell"),
    )


def _bounds(found: Paired) -> Content:
    if found.difference is None:
        return Span(f"no value: {_reason(found)}", "missing")
    return parts.bounds(found.interval, paired.unit_of(found), _reason(found))


def _verdict_table(own: Sequence[Comparison], name: str, page: Page) -> Table:
    first = own[0]
    columns = (
        Column("Axis", lambda one: (shorten(paired.place(one), 110), parts.chips(one.cautions))),
        Column("Verdict", verdict),
        *_measure(f"{words.level_name(1 - first.alpha)} interval"),
        Column("Adj. p", _adjusted, "num",
               "Two-sided p-value of no change, corrected for the number of looks"),
        Column("Margin", paired.margin, "num",
               "Half-width of the zone in which a difference counts as too small to matter"),
        Column("Detectable", paired.detectable, "num",
               "Smallest difference found with 80 % power"),
        Column("n", lambda one: parts.sample(one, one.n_discordant, "discordant"), "num"),
    )  # fmt: skip
    what = f"{shorten(suite_name(first.suite), 60)}: {paired.labels(own).lower()}, "
    caption = (what, Span(shorten(variant(first.protocol), 60), "code"))
    label = f"Verdicts of {suite_name(first.suite)}, {name}"
    return Table(columns, own, caption, label, id_of=lambda one: page.links[one.key])


def _adjusted(found: Comparison) -> Content:
    size = f"of {found.family_size}" if found.family_size else ""
    return words.p_of(found.p_adjusted), (" ", Span(size, "aside")) if size else ""


def _changes(changes: Sequence[Change], name: str) -> Folded:
    columns = (
        Column("What", _change_named),
        Column("Suite and protocol", parts.suite_and_protocol),
        *_measure(),
        Column("Ratio", paired.ratio, "num"),
        Column("n", parts.sample, "num"),
    )
    n = Span(f"{words.plural(len(changes), 'change')}; no verdict rests on them", "aside-inline")
    table = Table(columns, changes, label=f"Changes of {name}", style="dense")
    return Folded(("What else changed: capability, composite scores and distance ", n), (table,))


def _change_named(found: Change) -> Content:
    group = f", {shorten(found.group, 40)}" if found.group else ""
    where = f"{shorten(axis_name(found.axis), 40)}{group}"
    return parts.label(found), (" ", Span(where, "aside")) if found.axis != "all" else ""


def _exploratory(block: view.Block, name: str) -> Folded:
    columns = (
        Column("Metric", parts.label_with_cautions),
        Column("Group", parts.group),
        *_measure(),
        Column("n", parts.sample, "num"),
        Column("Adj. p", parts.adjusted_p, "num"),
    )
    protocol, n = shorten(variant(block.protocol), 60), words.plural(block.size, "comparison")
    suite = shorten(suite_name(block.protocol.partition("/")[0]), 40)
    note = Span(f"{n}; no verdict rests on them", "aside-inline")
    head = (f"Exploratory: {suite}, ", Span(protocol, "code"), " ", note)
    groups = [Group(shorten(axis_name(own[0].axis), 60), own) for own in block.axes]
    label = f"Exploratory comparisons of {name}, {protocol}"
    return Folded(head, (Table(columns, groups, label=label, style="dense"),))


def short_blocks(found: view.Candidate, page: Page) -> Iterator[doc.Block]:
    """Yield a candidate for a terminal and a summary."""
    said = summary.answer(found)
    counted = f" In all: {summary.counted(found.primary)}" if found.primary else ""
    yield Paragraph(f"{said}{counted}", views=View.SUMMARY)
    listed = (
        Column("", lambda one: (Span("x" if verdicts.settled(one) else " ", "box"), " ",
                                verdicts.word_of(one).mark, " ",
                                Span(verdicts.word_of(one).label, "strong"))),
        Column("", lambda one: Span(f"{paired.place(one)} · {names.measured(one)}",
                                    link=page.link(one))),
        Column("", _listed_difference),
        Column("", verdicts.brief),
        Column("n ", parts.n),
        Column("", parts.cautions),
    )  # fmt: skip
    columns = (
        Column("Verdict", lambda one: _toned(one, verdict(one))),
        Column("difference", lambda one: _toned(one, paired.difference(one)), "num"),
        Column("interval", lambda one: _toned(one, paired.interval(one))),
        Column("n", parts.n, "num"),
        Column("measured by", lambda one: _measured_by(one, found), "wrap"),
    )
    groups = [Group(shorten(axis_name(own[0].axis), 30), own) for own in found.axes]
    yield Table(columns, groups, empty="no primary comparison", views=View.TERMINAL)
    if found.primary:
        yield Table(listed, found.primary, listed=True, views=View.SUMMARY)
    yield from _short_changes(found)


def _toned(found: Comparison, content: Content) -> Content:
    return Span(content, tone=verdicts.word_of(found).tone)


def _listed_difference(found: Paired) -> Content:
    if found.difference is None:
        return words.MISSING
    bounds = paired.interval(found) if found.interval else "without an interval"
    return Span(paired.difference(found), "strong"), " ", bounds


def _measured_by(found: Comparison, candidate: view.Candidate) -> Content:
    groups = paired.contrast(found)
    cautions = [names.caution_of(one).label for one in candidate.own_cautions(found)]
    what = shorten(names.measured(found), 60) + (f": {groups}" if groups else "")
    return what, Span("".join(f"; {label}" for label in cautions), "caution")


def _short_changes(found: view.Candidate) -> Iterator[doc.Block]:
    """Yield what else changed, what holds for the whole model, and what verdicts leave open."""
    changes = [_listed_change(change) for change in found.beside]
    if changes:
        yield Paragraph("What else changed:", views=View.SUMMARY)
        yield doc.Items(changes, views=View.SUMMARY)
    lines = [verdicts.caution_words(caution) for caution in found.cautions]
    if found.beside:
        lines.append("; ".join(map(_short_change, found.beside)))
    for one in found.primary:
        if one.verdict in (None, Verdict.INCONCLUSIVE):
            place = f"{paired.place(one)}, {names.measured(one)}"
            brief = shorten(verdicts.brief(one), 300)
            lines.append(f"{verdicts.word_of(one).mark} {place}: {brief}")
    if lines:
        yield doc.Items(lines, "aside", View.TERMINAL)


def _short_change(found: Change) -> str:
    before = "" if found.kind == "distance" else f"{paired.baseline_value(found)} → "
    return f"{metric_of(found).label} {before}{paired.candidate_value(found)}"


def _listed_change(found: Change) -> Content:
    axis = f", {axis_name(found.axis).lower()}" if found.axis != "all" else ""
    name = f"{metric_of(found).label} ({suite_name(found.suite)}{axis}) · "
    if found.kind == "distance":
        return name, Span(paired.candidate_value(found), "strong")
    values = paired.baseline_value(found), " → ", paired.candidate_value(found), " · "
    protocol = Span(variant(found.protocol), "code")
    return name, values, _listed_difference(found), " · ", protocol
