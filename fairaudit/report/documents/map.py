"""A map as a document, for people who want to know when privacy raises bias."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import provenance, words
from fairaudit.report.document import Column, Content, Folded, Paragraph, Section, Span, Table, View
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment.arms import in_order
from fairaudit.report.map import numbers, summary, view
from fairaudit.report.map.figures import CAPTIONS
from fairaudit.report.safe_text import shorten
from fairaudit.results.map import FrequencyPart, MapResult, MovedShare, OverSeeds
from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.units import Unit

#: Leans of a table in a terminal; of more the middle is left to the page.
_SHOWN_LEANS: Final = 7
_FAILED: Final = (
    "a cell is over the seeds that both arms finished, the law over those that finished in every "
    "text."
)
_ALL: Final = "DP, every ε"


def map_document(result: MapResult) -> doc.Document:
    """Build the document of a map."""
    tables = provenance.plan_tables(result.plan, result.versions, result.run)
    where = (f"{summary.SCOPE} Figures, all numbers and provenance: ", parts.REPORT, ".")
    sections: tuple[doc.Block, ...] = (
        _sides(result),
        *_short_sheets(result),
        _law(result),
        _frequencies(result),
        _cells(result),
        _texts(result),
        parts.failures(tuple(summary.failures(result))),
        parts.notes(result.notes),
        parts.limits("map", summary.SCOPE),
        parts.reading("map", ()),
        Section("provenance", "Provenance", (parts.ledger(tables),)),
        Paragraph(summary.SCOPE, "intro", View.TERMINAL),
        Paragraph(where, views=View.SUMMARY),
    )
    window = f"{shorten(result.name, 60)} – map of bias under privacy"
    return doc.Document(window, tuple(_head(result)), sections)


def _head(result: MapResult) -> Iterator[doc.Block]:
    said = (summary.same(result), summary.way(result), summary.unexplained(result))
    answer = Span(summary.headline(result), "strong")
    yield Paragraph("Map: when privacy raises bias, and when it lowers it", "kicker")
    yield parts.title(shorten(result.name, 200))
    yield doc.Heading(("Map ", Span(shorten(result.name, 120), "code")), View.SUMMARY)
    yield doc.Heading(f"Map {shorten(result.name, 60)}", View.TERMINAL)
    yield doc.Heading(result.name, View.SCREEN)
    yield parts.facts(
        words.plural(len(result.worlds), "text"),
        words.plural(len(result.arms) + 1, "arm"),
        numbers.seeds(result.n_seeds),
        result.run.started[:10],
    )
    yield Paragraph(answer, "answer", View.EVERY | View.SCREEN)
    for line in (*filter(None, said), summary.measured(result)):
        yield Paragraph(line, "lead", View.EVERY)
    yield from parts.failed(tuple(summary.failures(result)), _FAILED)
    unit = numbers.unit_of(result)
    columns = (
        Column("Arm", lambda one: arms.name(one.arm), "name"),
        Column("Base leans more by", lambda one: numbers.lean(one.lean)),
        Column("Second group", lambda one: numbers.frequency(one.share)),
        Column("Change", lambda one: words.quantity(one.change.value, unit)),
        Column("Interval", lambda one: words.bounds(one.change.interval, unit)),
        Column("Seeds", lambda one: words.count(one.change.n_seeds)),
    )
    yield Table(columns, result.cells, views=View.SCREEN)


def _ordered(result: MapResult) -> list[MovedShare]:
    """Return the shares of the way, arms in order of reading."""
    found = {one.arm: one for one in result.moved}
    return [found[arm.id] for arm in in_order(found)]


def _sides(result: MapResult) -> Section:
    """Return the pictures of the map, and the mean change on each side of it."""
    sides, unit = {(one.arm, one.side): one.change for one in result.sides}, numbers.unit_of(result)
    some = (None, *(one.arm for one in _ordered(result)))
    rows: list[tuple[Content, ...]] = [
        (
            _ALL if arm is None else arms.name(arm),
            *(arms.change(sides.get((arm, side)), unit) for side in ("less", "same", "more")),
        )
        for arm in some
    ]
    heads = ("Arm", "Base leans less", "Alike", "Base leans more")
    caption = "Mean change against plain, by side of the map"
    table = parts.grid(heads, rows, caption=caption, label=caption)
    pictures = [doc.Figure(name, CAPTIONS[name]) for name in ("map", "map_arms")]
    return Section("map", "The map", (*pictures, table), prose("map").intro("map"))


def _short_sheets(result: MapResult) -> Iterator[doc.Block]:
    unit = numbers.unit_of(result)
    for sheet in view.all_sheets(result):
        of = f"second group has {numbers.frequency(sheet.share)} of the text"
        title = f"Change of bias against plain,{unit.suffix}: {of}"
        across = "Across: lean of the base minus lean of the text. Bold: the interval over seeds "
        table = _sheet(sheet, sheet.leans, unit, View.SUMMARY)
        blocks = (Paragraph(f"{across}leaves out 0.", views=View.SUMMARY), table)
        yield Section(f"sheet-{sheet.share:g}", title, blocks, views=View.SUMMARY)
        leans = sheet.leans
        if len(leans) > _SHOWN_LEANS:
            leans = (*leans[:3], *leans[-3:])
        above = f"Change against plain, by lean of base minus text; {of}"
        yield Paragraph(Span(above, "name"), "above", View.TERMINAL)
        yield _sheet(sheet, leans, unit, View.TERMINAL)


def _sheet(sheet: view.Sheet, leans: Sequence[float], unit: Unit, views: View) -> Table:
    """Return changes without their unit, by arm and lean."""

    def cell(arm: str, lean: float) -> Content:
        found = sheet.cells.get((arm, lean))
        tone = numbers.tone(found.change if found else None)
        shown = words.bare_quantity(found.change.value if found else None, unit)
        return Span(shown, "strong" if tone is not Tone.OPEN else "", tone=tone)

    rows = [(arms.name(arm.id, 24), *(cell(arm.id, lean) for lean in leans)) for arm in sheet.arms]
    return parts.grid(("Arm", *map(numbers.lean, leans)), rows, views=views)


def _law(result: MapResult) -> Section:
    """Return which share of the way each arm moved, and how well that explains the change."""
    fits = {one.arm: one for one in result.held_out}

    def fit(arm: str | None) -> Content:
        if arm not in fits:
            return parts.DASH
        reason = Span(shorten(fits[arm].reason or "", 120), "aside")
        return numbers.r_squared(fits[arm]), (" ", reason) if fits[arm].reason else ""

    rows: list[tuple[Content, ...]] = [
        (arms.name(one.arm), numbers.share_whole(one.share), fit(one.arm))
        for one in _ordered(result)
    ]
    together = [(f"{_ALL} with its own k", parts.DASH, fit(None))] if None in fits else []
    heads = ("Arm", "Share of the way, k", "R² over held-out cells")
    label = "Share of the way moved, and fit on held-out cells"
    blocks: list[doc.Block] = [
        doc.Figure("map_law", CAPTIONS["map_law"]),
        parts.grid(heads, [*rows, *together], label=label),
    ]
    if rows:
        short = ("Arm", "Share of the way to plain", heads[2])
        blocks.append(parts.grid(short, rows, views=View.SHORT))
    intro = prose("map").intro("law")
    return Section("law", "What moving less explains", blocks, intro, views=View.SUMMARY)


def _frequencies(result: MapResult) -> Section:
    """Return what moving less does not explain, by how often a group is named."""
    unit, said = numbers.unit_of(result), prose("map").intro
    order = {arm.id: place for place, arm in enumerate(in_order(result.arms))}
    found = sorted(
        result.frequencies, key=lambda one: (order.get(one.arm, len(order)), one.frequency)
    )
    early = any(one.beyond_early is not None for one in found)

    def over_seeds(name: str, head: str) -> Column:
        return Column(head, lambda one: arms.change(getattr(one, name), unit))

    def whole(name: str, head: str) -> Column:
        return Column(head, lambda one: numbers.whole(getattr(one, name), unit), "num")

    named = (
        Column("Arm", lambda one: arms.name(one.arm)),
        Column("Group has", lambda one: numbers.frequency(one.frequency), "num"),
    )
    stopped = (over_seeds("early", "Stopped early"), over_seeds("beyond_early", "Beyond that"))
    columns = (
        *named,
        over_seeds("change", "Change"),
        over_seeds("explained", "Explained"),
        over_seeds("unexplained", "Not explained"),
        *(stopped if early else ()),
        Column("Moved here", _moved, "num"),
    )
    short = (
        *named,
        whole("explained", "Explained"),
        whole("unexplained", "Not explained"),
        whole("beyond_early", "Beyond plain stopped as far along"),
    )
    label = "Explained and unexplained change, by frequency of the group"
    blocks = (Table(columns, found, label=label), Table(short, found, views=View.SUMMARY))
    intro = (said("frequency"), said("early") if early else said("not_early"))
    title = "What it does not explain, by frequency of the group"
    return Section("frequency", title, blocks if found else (), intro, "What it does not explain",
                   views=View.SUMMARY)  # fmt: skip


def _moved(found: FrequencyPart) -> words.Number:
    return numbers.share_whole(found.share)


def _cells(result: MapResult) -> Section:
    unit, folded = numbers.unit_of(result), []

    def of(place: int) -> Column:
        head, name = (("Change", "change"), ("Explained", "explained"),
                      ("Not explained", "unexplained"))[place]  # fmt: skip
        return Column(head, lambda one: arms.change(getattr(one, name), unit))

    columns = (
        Column("Arm", lambda one: arms.name(one.arm)),
        Column("Lean", lambda one: numbers.lean(one.lean), "num"),
        *map(of, range(3)),
        Column("Seeds", lambda one: words.count(one.change.n_seeds), "num"),
    )
    for sheet in view.all_sheets(result):
        counted = Span(words.plural(len(sheet.cells), "cell"), "aside-inline")
        places = ((arm.id, lean) for arm in sheet.arms for lean in sheet.leans)
        some = [sheet.cells[place] for place in places if place in sheet.cells]
        table = Table(columns, some, label="Cells", style="dense")
        head = f"Second group has {numbers.frequency(sheet.share)} of the text "
        folded.append(Folded((head, counted), (table,)))
    return Section("cells", "All cells", folded, prose("map").intro("cells"))


def _texts(result: MapResult) -> Section:
    unit = numbers.unit_of(result)

    def whole(found: OverSeeds | None) -> Content:
        return numbers.whole(found, unit)

    columns = (
        Column("Base leans more by", lambda one: numbers.lean(one.lean)),
        Column("Second group", lambda one: numbers.frequency(one.share), "num"),
        Column("Base", lambda one: whole(one.base)),
        Column("Plain", lambda one: whole(one.plain)),
        Column("Text implies", lambda one: words.quantity(one.implied, unit), "num"),
        Column("Folder", lambda one: Span(shorten(one.folder, 60), "code")),
    )
    table = Table(columns, result.worlds, label="Texts", style="dense")
    return Section("worlds", "Texts", (table,))
