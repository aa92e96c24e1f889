"""Which pairs changed between two models, by axis and direction, with a table to take away.

They may offend, so they stand behind a content warning, and only a page shows them. The filters
are radio buttons that the style sheet reads: the page runs no script.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import partial
from typing import Final
from urllib.parse import quote

from markupsafe import Markup, escape

from fairaudit.report import words
from fairaudit.report.document import (
    Block,
    Box,
    Column,
    Content,
    Folded,
    Glyph,
    Paragraph,
    Section,
    Span,
    Table,
)
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, suite_name, variant
from fairaudit.report.papertables import harmless
from fairaudit.report.safe_text import clean, shorten
from fairaudit.results import ComparisonResult
from fairaudit.results.comparison import ItemChange
from fairaudit.vocabulary.units import Unit

#: Pairs of a page, over all candidates; ``result.json`` holds all that were chosen.
_MOST: Final = 320
#: Axes with a filter: as many as the style sheet knows.
_AXES: Final = 16
_INTRO: Final = (
    "Of each axis the pairs on which the two models differ most, those that flip first: where one "
    "model prefers the stereotype and the other does not. A score is by how many nats the "
    "stereotype is more probable; above 0 it is preferred. They are extremes, not typical; what is "
    "typical stands in the verdicts."
)
_HEADS: Final = (
    "candidate", "suite", "protocol", "axis", "group", "item_id", "stereotype", "anti_stereotype",
    "before_nats", "after_nats", "change_nats",
)  # fmt: skip


def changed_pairs(result: ComparisonResult) -> Section:
    """Return the pairs that changed most, by candidate and axis."""
    blocks: list[Block] = []
    shares = grouped(result.item_changes, lambda one: one.candidate)
    room = _MOST // max(1, len(shares))
    for number, (candidate, own) in enumerate(shares.items(), start=1):
        shown = _spread(own, room)
        said = f"{words.plural(len(shown), 'pair')} that may be offensive"
        warning = Span("content warning", "chip")
        head = (Span(shorten(candidate, 60), "bold"), " ", warning, " ", Span(said, "aside-inline"))
        blocks.append(Folded(head, (_filtered(shown, number),), "examples"))
    return Section("pairs", "Which pairs changed", blocks, _INTRO, folded=True)


def _spread(own: Sequence[ItemChange], room: int) -> list[ItemChange]:
    """Return as many of each axis as there is room for, its first ones."""
    by_axis = grouped(own, lambda one: (one.axis, one.protocol, one.change > 0))
    each = max(1, room // max(1, len(by_axis)))
    return [one for some in by_axis.values() for one in some[:each]]


def _filtered(shown: Sequence[ItemChange], number: int) -> Box:
    axes = grouped(shown, lambda one: one.axis)
    blocks: list[Block] = [
        Paragraph(
            Glyph(partial(_radios, f"axis-{number}", "Axis", _axis_choices(axes))), "filters"
        ),
        Paragraph(Glyph(partial(_radios, f"way-{number}", "Direction", _WAYS)), "filters"),
        Paragraph(Glyph(partial(_link, shown))),
    ]
    for place, (axis, own) in enumerate(axes.items(), start=1):
        blocks.append(Box(tuple(_tables(own)), f"of of-{place}", shorten(axis_name(axis), 60)))
    return Box(blocks, "filtered")


_WAYS: Final = (
    ("all", "both directions"),
    ("pick-up", "more stereotyped now"),
    ("pick-down", "less stereotyped now"),
)


def _axis_choices(axes: Iterable[str]) -> tuple[tuple[str, str], ...]:
    named = [(f"pick-{place}", axis_name(axis)) for place, axis in enumerate(axes, start=1)]
    return (("all", "all axes"), *named[:_AXES])


def _radios(name: str, label: str, choices: Sequence[tuple[str, str]]) -> Markup:
    """Draw radio buttons, the first of them chosen."""
    buttons = (
        f'<label><input type="radio" name="{name}" class="{style}"'
        f"{' checked' if place == 0 else ''}>{escape(clean(said))}</label>"
        for place, (style, said) in enumerate(choices)
    )
    return Markup(f'<span role="radiogroup" aria-label="{label}">{" ".join(buttons)}</span>')


def _tables(own: Sequence[ItemChange]) -> Iterator[Box]:
    for style, said, sign in (
        ("up", "more stereotyped now", 1),
        ("down", "less stereotyped now", -1),
    ):
        some = [one for one in own if one.change * sign > 0]
        if some:
            axis = axis_name(some[0].axis)
            table = Table(_COLUMNS, some, said, f"{axis}: {said}", "dense")
            yield Box((table,), f"way-{style}")


def _pair(found: ItemChange) -> Content:
    """Return both texts with the words in which they differ marked."""
    item = Span((f"{suite_name(found.suite)}, {variant(found.protocol)}, item ",
                 Span(shorten(found.item_id, 60), "code")), "aside")  # fmt: skip
    if len(found.texts) < 2:
        return Span("the audit stored no texts", "missing"), " ", item
    first, second = found.texts["stereotype"], found.texts["anti_stereotype"]
    one, other = _marked(first, second)
    return Span((Span(one, "outside"), " ", Span(other, "outside")), "pair"), " ", item


def _marked(first: str, second: str) -> tuple[Content, Content]:
    a, b = (re.findall(r"\s+|[^\s]+", text) for text in (first, second))
    parts: tuple[list[Content], list[Content]] = ([], [])
    for kind, *places in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for side, tokens, (start, end) in zip(parts, (a, b), (places[:2], places[2:]), strict=True):
            text = "".join(tokens[start:end])
            if text:
                side.append(text if kind == "equal" else Span(text, "differs"))
    return tuple(parts[0]), tuple(parts[1])


def _nats(value: float) -> words.Number:
    return words.quantity(value, Unit.SIGNED_NATS)


def _flips(found: ItemChange) -> Content:
    return (" ", Span("flips", "chip")) if found.before * found.after < 0 else ""


_COLUMNS: Final = (
    Column("Stereotype, then anti-stereotype", _pair, "prose"),
    Column("Before", lambda one: _nats(one.before), "num"),
    Column("After", lambda one: _nats(one.after), "num"),
    Column("Change", lambda one: (_nats(one.change), _flips(one)), "num",
           "Above 0: the candidate prefers the stereotype more"),
)  # fmt: skip


def _link(shown: Sequence[ItemChange]) -> Markup:
    """Draw a link that saves the pairs as a table, without a network."""
    data = quote(pairs_csv(shown))
    address = f"data:text/csv;charset=utf-8,{data}"
    return Markup(f'<a download="pairs.csv" href="{address}">Save these pairs as CSV</a>')


def pairs_csv(shown: Iterable[ItemChange]) -> str:
    """Write pairs as CSV; no cell is one that a spreadsheet would run."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_HEADS)
    for one in shown:
        texts = (one.texts.get("stereotype", ""), one.texts.get("anti_stereotype", ""))
        named = (one.candidate, one.suite, one.protocol, one.axis, one.group or "", one.item_id)
        numbers = (one.before, one.after, round(one.change, 4))
        writer.writerow([*map(harmless, (*named, *texts)), *numbers])
    return stream.getvalue()
