"""A report before it is laid out: blocks of sentences, tables of typed numbers, and figures.

One document per result serves page, summary, terminal, notebook and ``print``. Each block says in
which of them it appears. Numbers are `fairaudit.report.words.Number`, so no two views can differ.
Texts from outside are held as they are: whoever lays out a document makes them safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, Final

from markupsafe import Markup

from fairaudit.vocabulary.tones import Tone


class View(Flag):
    """Where a block appears; a notebook and ``print`` are one screen."""

    PAGE = auto()
    SUMMARY = auto()
    TERMINAL = auto()
    SCREEN = auto()
    SHORT = SUMMARY | TERMINAL
    READ = PAGE | SUMMARY
    SEEN = PAGE | TERMINAL
    EVERY = PAGE | SUMMARY | TERMINAL


@dataclass(frozen=True, slots=True)
class Glyph:
    """A small picture of numbers that stand beside it; only the page draws it."""

    draw: Callable[[], Markup]


@dataclass(frozen=True, slots=True)
class Span:
    """A run of text with a style, a link to a place of the page, or an explanation."""

    content: Content
    style: str = ""
    link: str = ""
    title: str = ""
    tone: Tone | None = None


Inline = str | Span | Glyph
Content = Inline | tuple["Content", ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the document in some views."""

    content: Content
    views: View
    style: str = ""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    content: Content
    style: str = ""
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence[Content]
    style: str = ""
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms with what is said of each."""

    entries: Sequence[tuple[Content, Sequence[Content]]]
    style: str = ""
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, and the cell of an entry. In a list the head stands before each cell."""

    head: Content
    cell: Callable[[Any], Content]
    style: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of a table under a heading; a terminal has room for a remark beside it."""

    title: Content
    entries: Sequence[Any]
    remark: Content = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Entries or groups of them by columns; in a summary as a list where ``listed``.

    ``frame`` and ``style`` are style classes of the page, around the table and of itself; ``label``
    is read aloud where it scrolls. ``empty`` is said in a terminal where there is no entry.
    """

    columns: Sequence[Column]
    entries: Sequence[Any]
    caption: Content = ""
    label: str = ""
    style: str = ""
    frame: str = "scroll"
    listed: bool = False
    id_of: Callable[[Any], str] | None = None
    empty: str = ""
    views: View = View.PAGE

    @property
    def rows(self) -> Iterator[tuple[Group | None, Any]]:
        """Entries with their group (None: of none), each group first without an entry."""
        for entry in self.entries:
            if isinstance(entry, Group):
                yield entry, None
                yield from ((entry, inner) for inner in entry.entries)
            else:
                yield None, entry

    def cells(self, entry: Any) -> list[Content]:
        """Return the cells of an entry."""
        return [column.cell(entry) for column in self.columns]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that must not be overlooked."""

    blocks: Sequence[Block]
    label: str
    style: str = "warning"
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Folded:
    """Details behind one line."""

    summary: Content
    blocks: Sequence[Block]
    style: str = ""
    id: str = ""
    open: bool = False
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Box:
    """Blocks with a common style, under a title of their own."""

    blocks: Sequence[Block]
    style: str = ""
    title: str = ""
    tag: str = "div"
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Code:
    """A command, as it is typed."""

    text: str
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the result by name, drawn by Matplotlib."""

    name: str
    caption: str
    views: View = View.PAGE


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading, which stands in ``views``; without any block it is left out.

    ``links`` are places within it that the contents of the page name too. ``folded``: the page
    shows only its title until it is opened.
    """

    id: str
    title: Content
    blocks: Sequence[Block]
    intro: Content = ""
    nav: str = ""
    badge: int = 0
    style: str = ""
    links: Sequence[tuple[str, str]] = ()
    views: View = View.PAGE
    folded: bool = False


Holder = Section | Notice | Folded | Box
Block = Heading | Paragraph | Items | Terms | Table | Code | Figure | Holder


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report: the title of its window, its head, and its sections.

    ``whole`` is the call that gives all rows of the table that ``print`` shows.
    """

    title: str
    head: Sequence[Block]
    sections: Sequence[Block] = ()
    whole: str = "to_frame()"


_HOLDERS: Final = (Section, Notice, Folded, Box)


def runs(content: Content) -> Iterator[Inline]:
    """Yield the parts of a text, one or many."""
    if isinstance(content, tuple):
        for part in content:
            yield from runs(part)
    else:
        yield content


def plain(content: Content) -> str:
    """Return a text without styles and pictures."""
    return "".join(
        plain(run.content) if isinstance(run, Span) else run
        for run in runs(content)
        if not isinstance(run, Glyph)
    )


def seen(blocks: Sequence[Block], view: View) -> Iterator[Block]:
    """Yield the blocks of a view, in order; of what holds blocks only where one of them is seen."""
    for block in blocks:
        if isinstance(block, _HOLDERS) and not any(seen(block.blocks, view)):
            continue
        if isinstance(block, Section) or view in block.views:
            yield block
