"""A document in a terminal: the numbers that matter, in tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairaudit.report import document as doc
from fairaudit.report.document import plain, runs, seen
from fairaudit.report.safe_text import clean
from fairaudit.vocabulary.decisions import GateDecision

_STYLES: Final = {
    **{decision.lower(): decision.style for decision in GateDecision},
    "answer": "bold",
    "aside": "dim",
    "caution": "yellow",
    "intro": "dim",
    "missing": "dim",
    "name": "bold underline",
    "remarks": "dim",
    "strong": "bold",
    "warning": "bold yellow",
}


def render_terminal(document: doc.Document) -> Group:
    """Everything a terminal shows of a document.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    parts: list[RenderableType] = []
    before: doc.Block | None = None
    for block in _flat((*document.head, *document.sections)):
        if before is not None and not _joined(before, block):
            parts.append(Text())
        parts += _block(block)
        before = block
    return Group(*parts)


def _flat(blocks: Sequence[doc.Block]) -> Iterator[doc.Block]:
    """Yield blocks without what holds them."""
    for block in seen(blocks, doc.View.TERMINAL):
        if isinstance(block, doc.Section | doc.Folded | doc.Notice):
            if isinstance(block, doc.Section) and doc.View.TERMINAL in block.views:
                yield doc.Heading(block.title, doc.View.TERMINAL, "warning")
            yield from _flat(block.blocks)
        else:
            yield block


def _joined(before: doc.Block, block: doc.Block) -> bool:
    """Whether no blank line stands between two blocks: of sentences, below a title, of a table."""
    if isinstance(before, doc.Heading) and before.style == "warning":
        return True
    if "above" in (styles := [getattr(one, "style", "") for one in (before, block)]):
        return styles[0] == "above"
    if isinstance(block, doc.Items) and block.style == "remarks":
        return True
    return isinstance(before, doc.Paragraph | doc.Heading) and isinstance(block, doc.Paragraph)


def _block(block: doc.Block) -> Iterator[RenderableType]:
    if isinstance(block, doc.Heading | doc.Paragraph):
        default = "strong" if isinstance(block, doc.Heading) else ""
        yield _text(block.content, _STYLES.get(block.style or default, ""))
    elif isinstance(block, doc.Items):
        style = _STYLES.get(block.style, "")
        yield from (Padding(_text(item, style), (0, 0, 0, 2)) for item in block.items)
    elif isinstance(block, doc.Terms):
        for term, told in block.entries:
            line = _text((doc.Span(term, "strong"), *((": ", one) for one in told)))
            yield Padding(line, (0, 0, 0, 2))
    elif isinstance(block, doc.Table):
        yield _table(block)


def _table(table: doc.Table) -> Table:
    """Draw a table without lines; names of entries are indented below those of their groups."""
    headed = any(plain(column.head) for column in table.columns)
    drawn = Table(
        title=_text(table.caption) if table.caption else None,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        header_style="bold dim",
        padding=(0, 2, 0, 0),
        show_header=headed,
    )
    for column in table.columns:
        wraps = column.style == "wrap"
        drawn.add_column(
            _text(column.head),
            justify="right" if column.style == "num" else "left",
            no_wrap=not wraps,
            overflow="fold",
        )
    blanks = [""] * (len(table.columns) - 2)
    for group, entry in table.rows:
        if group is not None and entry is None:
            drawn.add_row(_text(group.title, "bold"), *blanks, _text(group.remark, "dim"))
        else:
            indent = "  " if group is not None and plain(group.title) else ""
            first, *rest = map(_text, table.cells(entry))
            drawn.add_row(Text.assemble(indent, first), *rest)
    if not table.entries:
        drawn.add_row(_text(table.empty, "dim"))
    return drawn


def _text(content: doc.Content, style: str = "") -> Text:
    text = Text(style=style)
    for run in runs(content):
        text.append_text(_run(run))
    return text


def _run(run: doc.Inline) -> Text:
    if isinstance(run, doc.Glyph):
        return Text()
    if isinstance(run, str):
        return Text(clean(run))
    if run.style == "break":
        return Text("\n")
    style = run.tone.style if run.tone is not None else _STYLES.get(run.style, "")
    return _text(run.content, style)
