"""A document as Markdown: a summary for a pull request or a release checklist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup

from fairaudit.report import document as doc
from fairaudit.report.document import plain, runs, seen
from fairaudit.report.escape import code, escape
from fairaudit.report.words import Number
from fairaudit.vocabulary.decisions import GateDecision

_BETWEEN: Final = " · "
#: Our own words, which need no escape.
_DECISIONS: Final = frozenset(decision.lower() for decision in GateDecision)


def render_markdown(document: doc.Document, report: str, depth: int = 3) -> str:
    """Render the summary; ``report`` is the address of the page that its links lead to.

    Sections get headings of ``depth``, those within them one deeper. Text from outside cannot break
    out of its line.
    """
    return "\n\n".join(_blocks((*document.head, *document.sections), report, depth)) + "\n"


def _blocks(blocks: Sequence[doc.Block], report: str, depth: int = 3) -> Iterator[str]:
    for block in seen(blocks, doc.View.SUMMARY):
        if isinstance(block, doc.Section):
            if doc.View.SUMMARY in block.views:
                yield f"{'#' * depth} {_inline(block.title, report)}"
            yield from _blocks(block.blocks, report, depth + 1)
        else:
            yield _block(block, report)


def _block(block: doc.Block, report: str) -> str:
    if isinstance(block, doc.Heading):
        return f"## {_inline(block.content, report)}"
    if isinstance(block, doc.Paragraph):
        return _inline(block.content, report)
    if isinstance(block, doc.Items):
        return "\n".join(f"- {_inline(item, report)}" for item in block.items)
    if isinstance(block, doc.Terms):
        told = (
            (term, _BETWEEN.join(_inline(x, report) for x in said)) for term, said in block.entries
        )
        return "\n".join(f"- **{_inline(term, report)}**: {said}" for term, said in told)
    if isinstance(block, doc.Table):
        return _list(block, report) if block.listed else _table(block, report)
    assert isinstance(block, doc.Notice | doc.Folded), "shown nowhere but on a page"
    inside = "\n".join(_blocks(block.blocks, report))
    if isinstance(block, doc.Notice):
        return "\n".join(f"> {line}" for line in inside.split("\n"))
    head = f"<summary>{_inline(block.summary, report)}</summary>"
    return "\n".join(["<details>", head, "", inside, "", "</details>"])


def _list(table: doc.Table, report: str) -> str:
    """Return one line per entry; empty cells are left out."""
    lines = []
    for _, entry in table.rows:
        if entry is not None:
            cells = zip(table.columns, table.cells(entry), strict=True)
            shown = (_inline((one.head, cell), report) for one, cell in cells if plain(cell))
            lines.append(f"- {_BETWEEN.join(shown)}")
    return "\n".join(lines)


def _table(table: doc.Table, report: str) -> str:
    """Return a table of GitHub; a group stands before the names of its entries."""
    heads = [_inline(column.head, report) for column in table.columns]
    lines = [heads, ["---:" if column.style == "num" else "---" for column in table.columns]]
    for group, entry in table.rows:
        if entry is not None:
            first, *rest = (_inline(cell, report) for cell in table.cells(entry))
            named = f"{_inline(group.title, report)}, " if group is not None else ""
            lines.append([named + first, *rest])
    caption = f"**{_inline(table.caption, report)}**\n\n" if table.caption else ""
    return caption + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _inline(content: doc.Content, report: str) -> str:
    return "".join(_run(run, report) for run in runs(content))


def _run(run: doc.Inline, report: str) -> str:
    if isinstance(run, str):
        return run if isinstance(run, Number | Markup) else escape(run)
    if isinstance(run, doc.Glyph):
        return ""
    if run.style == "box":
        return f"[{plain(run.content)}]"
    if run.style == "break":
        return " "
    if run.style == "report":
        return f"[{report}]({report})"
    if run.style in _DECISIONS:
        return plain(run.content)
    text = code(plain(run.content)) if run.style == "code" else _inline(run.content, report)
    if run.style == "small":
        text = f"<sub>{text}</sub>"
    if run.style == "strong" and text:
        text = f"**{text}**"
    return f"[{text}]({report}{run.link})" if run.link else text
