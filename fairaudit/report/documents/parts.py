"""Parts that documents of several kinds of result share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final

from fairaudit.report import document as doc
from fairaudit.report import names, words
from fairaudit.report.document import Column, Content, Section, Span
from fairaudit.report.documents.prose import prose
from fairaudit.report.frameworks import INTRO, MODIFICATION, evidence
from fairaudit.report.interval_svg import strip
from fairaudit.report.marks import Mark
from fairaudit.report.provenance import Fact
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import Scale
from fairaudit.results import Comparison, Estimate, Interval, SuiteRun
from fairaudit.results.comparison import Paired
from fairaudit.vocabulary.units import Unit

UNKNOWN: Final = "no reason recorded"
#: Head of a column of pictures, which is only read aloud.
PICTURE: Final = Span("Picture", "quiet")
#: The address of the page, in a summary.
REPORT: Final = Span("", "report")
DASH: Final = Span(words.MISSING, "missing")
_MOST_FAILED: Final = 12


def missing(reason: str) -> Span:
    """Return a dash with what is to be said of it, beneath."""
    return Span((words.MISSING, " ", Span(reason, "aside")), "missing")


def picture(mark: Mark, scale: Scale | None) -> doc.Glyph:
    """Return the picture of a number."""
    return doc.Glyph(partial(strip, mark, scale))


def bounds(interval: Interval | None, unit: Unit, reason: str | None) -> Content:
    """Return an interval with its method and what was resampled, or why there is none."""
    if interval is None:
        return missing(f"no interval: {reason or UNKNOWN}")
    level = "" if interval.level == 0.95 else f", {words.level_name(interval.level)}"
    how = f"{names.method_name(interval.method)}, by {interval.resampling_unit}{level}"
    return words.bounds(interval, unit), " ", Span(how, "aside")


def sample(found: Estimate | Paired, more: int | None = None, what: str = "") -> Content:
    """Return n, with clusters and what else was counted beneath; None is not said."""
    counts = ((more, what), (found.n_skipped or None, "skipped"))
    said = [f"{words.count(n)} {label}" for n, label in counts if n is not None]
    if found.n_clusters not in (0, found.n):
        said.insert(0, words.plural(found.n_clusters, "cluster"))
    return words.count(found.n), *((" ", Span(one, "aside figure")) for one in said)


def label(found: Estimate | Paired) -> str:
    """Return the name of the metric."""
    return names.metric_of(found).label


def label_with_cautions(found: Estimate | Comparison) -> Content:
    """Return the name of the metric, with cautions behind it."""
    return label(found), chips(found.cautions)


def axis(found: Any) -> str:
    """Return the name of the axis."""
    return names.axis_name(found.axis)


def suite(found: Estimate | Paired) -> str:
    """Return the name of the suite."""
    return names.suite_name(found.suite)


def suite_and_protocol(found: Estimate | Paired) -> Content:
    """Return suite and protocol, one below the other."""
    protocol = shorten(names.variant(found.protocol), 60)
    return shorten(suite(found), 40), " ", Span(protocol, "aside")


def group(found: Estimate | Paired) -> Content:
    """Return the group."""
    return Span("whole axis", "faint") if found.group is None else shorten(found.group, 60)


def n(found: Any) -> words.Number:
    """Return how many there were."""
    return words.count(found.n)


def adjusted_p(found: Estimate | Comparison) -> words.Number:
    """Return the corrected p-value."""
    return words.p_of(found.p_adjusted)


def cautions(found: Estimate | Comparison) -> str:
    """Return the names of all cautions."""
    return " · ".join(names.caution_of(one).label for one in found.cautions)


def chips(cautions: Iterable[str]) -> Content:
    """Return cautions as labels, each behind a blank."""
    return tuple((" ", Span(names.caution_of(one).label, "chip")) for one in cautions)


def facts(*parts: str | None) -> doc.Paragraph:
    """Return what there is of some facts, on one line."""
    return doc.Paragraph(" · ".join(filter(None, parts)), "facts")


def title(content: Content) -> doc.Heading:
    """Return the title of a page; a long one is set smaller."""
    return doc.Heading(content, doc.View.PAGE, "long" if len(doc.plain(content)) > 60 else "")


def notes(found: Sequence[str]) -> Section:
    """Return the notes of a result."""
    return Section("notes", "Notes", (doc.Items(found),) if found else ())


def limits(kind: str, *first: str) -> Section:
    """Return what a page cannot tell, from its fixed words."""
    items = doc.Items((*first, *(text for _, text in prose(kind).of("limits"))))
    title = "What this cannot tell you"
    return Section("limits", title, (items,), nav="What this cannot tell", folded=True)


def failed(lines: Sequence[str], told: str) -> Iterator[doc.Block]:
    """Yield the runs that failed: a notice on the page, a list in the short views."""
    more = [f"{len(lines) - _MOST_FAILED} more"] if len(lines) > _MOST_FAILED else []
    shown = doc.Items([*(shorten(line, 300) for line in lines[:_MOST_FAILED]), *more])
    said = Span(f"{words.plural(len(lines), 'run')} failed", "bold")
    if lines:
        blocks = (doc.Paragraph((said, f", the rest went on: {told}")), shown)
        yield doc.Notice(blocks, "Runs that failed")


def failures(lines: Sequence[str]) -> Section:
    """Return the runs that failed, in the short views."""
    items = doc.Items([shorten(line, 300) for line in lines], views=doc.View.SHORT)
    return Section("failed", "Failed", (items,) if lines else (), views=doc.View.SHORT)


def grid(
    heads: Sequence[Content], rows: Sequence[Sequence[Content] | doc.Group], **looks: Any
) -> doc.Table:
    """Return a table of made cells, or of groups of them: names first, then numbers."""
    columns = [
        Column(head, itemgetter(place), "num" if place else "") for place, head in enumerate(heads)
    ]
    return doc.Table(columns, rows, **looks)


def figures(kind: str) -> Section:
    """Return the figures of a kind of result; those that were not drawn are left out."""
    shown = [doc.Figure(name, caption) for name, caption in prose(kind).of("figures")]
    intro = ("The same files lie in ", Span("figures/", "code"), ", for slides and papers.")
    return Section("figures", "Figures", shown, intro, folded=True)


def reading(
    kind: str,
    glossary: Iterable[tuple[str, str]],
    cautions: Iterable[names.Caution] = (),
    first: Iterable[tuple[Content, str]] = (),
) -> Section:
    """Return how to read a page: its fixed words, its metrics and its cautions."""
    chipped = [(Span(one.label, "chip"), one.meaning) for one in cautions]
    entries = (*first, *prose(kind).of("glossary"), *glossary, *chipped)
    terms = [(term, (meaning or "No explanation recorded.",)) for term, meaning in entries]
    shown = doc.Terms(terms, "glossary")
    title = "How to read this report"
    return Section("reading", title, (shown,), nav="How to read this", folded=True)


def ledger(tables: Iterable[tuple[str, Sequence[Fact]]]) -> doc.Box:
    """Return tables of names and values."""
    columns = Column("", lambda fact: fact[0]), Column("", lambda fact: fact[1])
    return doc.Box([doc.Table(columns, own, named, frame="") for named, own in tables], "ledger")


def sources(runs: Iterable[SuiteRun]) -> Iterator[doc.Table]:
    """Yield which version of the data was read, file by file, where any was."""
    ran = [run for run in runs if run.status == "run"]
    read = [(run.suite, source) for run in ran for source in run.sources]
    columns = (
        Column("Suite", lambda one: names.suite_name(one[0])),
        Column("File", lambda one: one[1].path),
        Column("Blob id", lambda one: Span(one[1].blob_id, "code")),
    )
    if read:
        caption = "Sources, by the Git blob id of their content"
        yield doc.Table(columns, read, caption, "Sources", "sources")


def asked(run: SuiteRun) -> str:
    """Return how many items of a suite were asked."""
    skipped = f", {words.count(run.n_skipped)} of them skipped" if run.n_skipped else ""
    return f"{words.plural(run.n_items, 'item')}{skipped}"


def evidence_table(runs: Iterable[SuiteRun], views: doc.View = doc.View.PAGE) -> doc.Table:
    """Return the frameworks that suites are evidence for."""
    columns = (
        Column("Framework", lambda one: shorten(one.tag, 80)),
        Column("It asks for", lambda one: one.asks or words.MISSING, "prose"),
        Column("Evidence here", lambda one: _suites(one.ran)),
        Column("Did not run", lambda one: _suites(one.missing)),
    )
    return doc.Table(columns, evidence(runs), label="Evidence for frameworks", views=views)


def evidenced(runs: Iterable[SuiteRun]) -> Section:
    """Return what the suites are evidence for."""
    table, intro = evidence_table(runs), f"{INTRO} {MODIFICATION}"
    blocks = (table,) if table.entries else ()
    return Section("evidence", "What this is evidence for", blocks, intro, folded=True)


def _suites(found: Iterable[str]) -> str:
    return ", ".join(map(names.suite_name, found)) or words.MISSING
