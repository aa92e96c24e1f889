"""The document of a card: the sections of the Hub's template that a result can fill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from fairaudit._version import __version__
from fairaudit.errors import ResultError
from fairaudit.report import document as doc
from fairaudit.report import frameworks, words
from fairaudit.report.document import Content, Section, Span, View
from fairaudit.report.documents import parts
from fairaudit.report.names import axis_name, metric_of, protocol_meaning, suite_name, variant
from fairaudit.results import Estimate, Provenance, SuiteRun
from fairaudit.results.comparison import Paired
from fairaudit.results.privacy import PrivacyStatement

Blocks = Sequence[doc.Block]


def card_document(
    shown: Sequence[Estimate | Paired],
    runs: Sequence[SuiteRun],
    *,
    limits: Blocks,
    results: Blocks,
    summary: Blocks,
    source: str,
    provenance: Provenance | None,
    no_data: str = "No suite ran.",
) -> doc.Document:
    """Put blocks under the headings of the Hub's template; an empty one says that it is empty."""
    tested = (
        _section("Testing Data", tuple(_testing_data(runs, provenance)), no_data),
        _section("Factors", tuple(_factors(shown)), "None."),
        _section("Metrics", tuple(_metrics(shown)), "None."),
    )
    evidence = tuple(_evidence(runs))
    found = results or (said("No value could be estimated."),)
    below = (_section("Summary", summary), _section("What this is evidence for", evidence))
    made = f"Made by fairaudit {__version__} {source}; updated by "
    sections = (
        _section("Bias, Risks, and Limitations", limits),
        _section("Evaluation", (
            _section(Markup("Testing Data, Factors & Metrics"), tested),
            _section("Results", (*found, *below)),
        )),
        said(Span((made, Span("fairaudit card", "code"), "."), "small")),
    )  # fmt: skip
    return doc.Document("", (), sections)


def _section(title: str, blocks: Blocks, empty: str = "") -> Section:
    shown = blocks or ((said(empty),) if empty else ())
    return Section("", title, shown, views=View.SUMMARY)


def said(*content: Content) -> doc.Paragraph:
    """Return a paragraph."""
    return doc.Paragraph(content, views=View.SUMMARY)


def strong(text: Content) -> Span:
    """Return a text in bold."""
    return Span(text, "strong")


def bullets(rows: Iterable[Content]) -> Iterator[doc.Items]:
    """Yield one list, or nothing without rows."""
    if items := tuple(rows):
        yield doc.Items(items, views=View.SUMMARY)


def table(heads: Sequence[str], rows: Sequence[Sequence[Content]]) -> doc.Table:
    """Return a table."""
    return parts.grid(heads, rows, views=View.SUMMARY)


def cells(found: Estimate | Paired, place: str, *values: Content) -> tuple[Content, ...]:
    """Return the cells of a row: what was measured where, values, and n."""
    suite = f"{suite_name(found.suite)}, {variant(found.protocol)}"
    return suite, place, metric_of(found).label, *values, words.count(found.n)


def caveats(runs: Iterable[SuiteRun]) -> Iterator[doc.Block]:
    """Yield the published doubts about the suites that ran."""
    ran = [run for run in runs if run.status == "run" and run.caveats]
    if ran:
        yield said("Known doubts about the suites:")
    yield from bullets((strong(suite_name(run.suite)), f": {' '.join(run.caveats)}") for run in ran)


def privacy(statement: Mapping[str, Any] | None, refuted: str | None) -> Iterator[doc.Block]:
    """Yield what the privacy statement claims, what canaries tell of it, or why it is refuted."""
    if statement is None:
        return
    try:
        claim = PrivacyStatement.of(dict(statement))
    except ResultError as error:
        refuted = refuted or f"The statement cannot be read: {error}"
    if refuted is not None:
        yield said(strong("Privacy: not to be relied on."), f" {_sentence(refuted)}")
        return
    told = [claim.sentence, *([] if claim.canaries is None else [claim.canaries.sentence])]
    yield said(strong("Privacy."), f" {' '.join(map(_sentence, told))}")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def storage(provenance: Provenance | None) -> Iterator[doc.Block]:
    """Yield how the weights are stored, and the precision that they were computed in."""
    stored = None if provenance is None else provenance.model.stored_as
    if provenance is not None and stored is not None:
        computed = provenance.settings.dtype
        with_type = "" if computed is None else f"; computed in {computed}"
        yield said(strong("Weights."), f" Stored as {stored}{with_type}.")


def _testing_data(runs: Sequence[SuiteRun], provenance: Provenance | None) -> Iterator[doc.Block]:
    """Yield what was asked: suites with their items and the files that held them."""
    yield from bullets(_data(run) for run in runs if run.status == "run")
    limit = None if provenance is None else provenance.settings.item_limit
    if runs and limit is not None:
        yield said(f"A sample: at most {limit} items of each suite and axis were asked.")


def _data(run: SuiteRun) -> Content:
    files: list[Content] = []
    for one in run.sources:
        blob = Span(one.blob_id[:12], "code")
        files.append(
            ("; " if not files else ", ", Span(one.path, "code"), " (Git blob ", blob, ")")
        )
    return strong(suite_name(run.suite)), f": {parts.asked(run)}", *files


def _factors(shown: Iterable[Estimate | Paired]) -> Iterator[doc.Block]:
    """Yield the axes along which results are told apart."""
    axes = dict.fromkeys(found.axis for found in shown if found.axis != "all")
    if axes:
        listed = words.listed([axis_name(axis).lower() for axis in axes])
        yield said(f"Results are told apart by axis: {listed}.")


def _metrics(shown: Sequence[Estimate | Paired]) -> Iterator[doc.Block]:
    """Yield what each metric asks, and what each protocol scores."""
    known = {metric_of(found).label: metric_of(found) for found in shown}
    yield from bullets(
        (strong(one.label), f": {one.meaning or 'no explanation recorded.'}")
        for one in known.values()
    )
    protocols = dict.fromkeys(found.protocol for found in shown if protocol_meaning(found.protocol))
    if protocols:
        yield said("Protocols:")
    yield from bullets(
        (
            Span(variant(protocol), "code"),
            f" ({suite_name(protocol.partition('/')[0])}): {protocol_meaning(protocol)}",
        )
        for protocol in protocols
    )


def _evidence(runs: Sequence[SuiteRun]) -> Iterator[doc.Block]:
    """Yield the frameworks that the suites are evidence for."""
    found = parts.evidence_table(runs, View.SUMMARY)
    if found.entries:
        yield said(f"{frameworks.INTRO} {frameworks.MODIFICATION}")
        yield found
