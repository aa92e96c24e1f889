"""One candidate of a comparison: verdicts and numbers, for the page and for the short views."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report import deciding, names, verdicts, words
from fairaudit.report import document as doc
from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison import summary, view
from fairaudit.report.comparison.panels import ScaleOf, scales
from fairaudit.report.document import (
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
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale
from fairaudit.results import Change, Comparison, ComparisonResult
from fairaudit.results.comparison import Paired
from fairaudit.vocabulary.suites import PROBE
from fairaudit.vocabulary.verdicts import Verdict

#: Head of a column where a terminal is narrow.
_SIGNED: Final = ("difference", Span("", "break"), "(+: more)")


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
    """Yield the verdicts of a candidate with every number, after what changed beside them."""
    if found.cautions:
        said = [Paragraph(verdicts.caution_words(caution)) for caution in found.cautions]
        yield doc.Notice(said, f"Cautions about {shorten(found.name, 60)}")
    if found.beside:
        yield doc.Items([_changed(change) for change in found.beside], "beside")
    if found.primary:
        yield _verdict_table(found, page)


def _verdict_table(found: view.Candidate, page: Page) -> Table:
    level = words.level_name(found.primary[0].interval.level if found.primary[0].interval else 0.95)
    columns = (
        Column("Axis, what was measured", lambda one: _place(one, found), "what"),
        Column("Verdict", _verdict_cell, "wide",
               "With the p-value of no change, corrected for the number of looks, and the "
               "smallest difference detectable at 80 % power"),
        Column("Before → after", lambda one: _values(one, page.scale_of(one)), "wide"),
        Column("Difference", lambda one: _difference(one, level), "wide", paired.CONVENTION),
        Column("Increase ≥ margin excluded", _excluded, "wide",
               "Whether the bound that gates use excludes an increase of as much as the margin"),
        Column("n", lambda one: parts.sample(one, one.n_discordant, "discordant"), "num"),
    )  # fmt: skip
    groups = [Group("", own) for own in found.axes]
    label = f"Verdicts of {shorten(found.name, 80)}, by axis and suite"
    return Table(columns, groups, Span(label, "quiet"), label, "sheet",
                 id_of=lambda one: page.links[one.key])  # fmt: skip


def _place(found: Comparison, candidate: view.Candidate) -> Content:
    where = Span(shorten(paired.place(found), 110), "axis")
    what = Span(shorten(names.measured(found), 80), "aside")
    return where, " ", what, parts.chips(candidate.own_cautions(found))


def _verdict_cell(found: Comparison) -> Content:
    """Return the verdict with its p-value and what could have been detected."""
    size = f" of {words.count(found.family_size)}" if found.family_size else ""
    p = ("adj. p ", words.p_of(found.p_adjusted), size) if found.p_adjusted is not None else ()
    least = ("detectable ", paired.detectable_with_unit(found)) if found.mde is not None else ()
    beneath = tuple((" ", Span(one, "aside")) for one in (p, least) if one)
    return verdict(found), beneath


def _values(found: Comparison, scale: Scale | None) -> Content:
    """Return both values above their picture; a sign that is turned is said."""
    values = Span((paired.baseline_value(found), " → ", paired.candidate_value(found)), "figure")
    turned = (" ", Span("lower is more stereotyped", "aside")) if found.direction < 0 else ()
    return values, turned, parts.picture(verdicts.mark_of(found), scale)


def _difference(found: Comparison, level: str) -> Content:
    """Return the difference with both intervals, the one that decides first."""
    if found.difference is None:
        return Span(f"no value: {_reason(found)}", "missing")
    value = Span(paired.difference(found), "strong")
    if found.interval is None:
        return value, " ", Span(f"no interval: {_reason(found)}", "aside wraps")
    within, unit = deciding.inner(found), paired.unit_of(found)
    how = f"{names.method_name(found.interval.method)}, by {found.interval.resampling_unit}"
    decides = () if within is None else (
        (" ", Span((f"{words.level_name(within.level)} ", words.bounds(within, unit)), "aside"))
    )  # fmt: skip
    outer = Span((f"{level} ", paired.interval(found)), "aside", title=how)
    return value, decides, " ", outer


def _excluded(found: Comparison) -> Content:
    """Return whether an increase as large as the margin is excluded, with the bound that says."""
    known, used = deciding.increase_excluded(found), deciding.deciding(found)
    if not found.direction:
        return parts.DASH, " ", Span("no stereotyped side", "aside")
    if used is None or known is None:
        why = "no margin declared" if found.margin is None and used is not None else ""
        return Span(why or "cannot tell", "missing")
    unit = paired.unit_of(found)
    margin = f"margin {words.level_of(found.margin, unit)}"
    if found.verdict == Verdict.IDENTICAL:
        return "yes", " ", Span("the same model", "aside")
    unseen = Span(f"allows for clusters unlike these {found.n_clusters}", "aside wraps")
    more = (" ", unseen) if deciding.allows_for_unseen(found) else ()
    at_most = Span(f"at most {words.signed(used.high, unit)}", "aside"), " ", Span(margin, "aside")
    return Span("yes" if known else "no", "strong"), " ", at_most, more


def _changed(found: Change) -> Content:
    """Return a change beside the verdicts on one line, with where it was measured."""
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
    named = Span(parts.label(found), "aside-inline")
    return named, " ", value, " ", Span(f"({', '.join(where)})", "aside-inline")


def candidate_blocks(found: view.Candidate) -> Iterator[doc.Block]:
    """Yield what stands behind the verdicts of a candidate, folded."""
    name = shorten(found.name, 60)
    if found.primary:
        terms = [((verdict(one), " ", shorten(paired.place(one), 110)), (_sentences(one),))
                 for one in found.primary]  # fmt: skip
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


def _measure() -> tuple[Column, ...]:
    """Return the columns of both sides, their difference and its interval."""
    return (
        Column("Baseline", paired.baseline_value, "num"),
        Column("Candidate", paired.candidate_value, "num"),
        Column("Difference", paired.difference, "num", paired.CONVENTION),
        Column("95 % interval", _bounds, "bounds-cell"),
    )


def _bounds(found: Paired) -> Content:
    if found.difference is None:
        return Span(f"no value: {_reason(found)}", "missing")
    return parts.bounds(found.interval, paired.unit_of(found), _reason(found))


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
    said, beyond = summary.answer(found), summary.outside(found)
    counted = f" In all: {summary.counted(found.primary)}" if found.primary else ""
    yield Paragraph(f"{said}{counted}", views=View.SUMMARY)
    if beyond:
        yield Paragraph(beyond, "caution", View.SHORT)
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
        Column(_SIGNED, lambda one: _toned(one, paired.difference(one)), "num"),
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
