"""A document as one HTML file that needs nothing else.

No network, no script: a content security policy in the page itself forbids both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from markupsafe import Markup, escape

from fairaudit.report import document as doc
from fairaudit.report.document import runs, seen
from fairaudit.report.page import environment, with_pictures
from fairaudit.report.render.tablekit import TableKit
from fairaudit.report.safe_text import clean
from fairaudit.report.words import Number

#: Styles of a run that are elements by themselves.
_ELEMENTS: Final = {
    "code": "code",
    "name": "strong",
    "bold": "strong",
    "outside": "bdi",
    "differs": "mark",
}


def render_document(document: doc.Document, figures: Mapping[str, bytes]) -> str:
    """Render a page, with as many of its figures as leave it under 2 MB.

    Parameters
    ----------
    document : doc.Document
    figures : mapping of str to bytes
        PNG files by name; a figure that is not among them is left out.

    Returns
    -------
    str
        A whole HTML document. The same input gives the same text.
    """
    made = environment()
    made.filters.update(inline=inline, seen=_seen, kind=lambda block: type(block).__name__.lower())
    made.filters["kit"] = TableKit().draw
    template = made.get_template("document.html.j2")
    head, sections = _drawn(document.head, figures), _drawn(document.sections, figures)

    def render(pictures: dict[str, str | None]) -> str:
        # Places of tables are counted anew, each time that the page is rendered.
        made.filters["kit"] = TableKit().draw
        return template.render(
            title=document.title,
            head=head,
            sections=sections,
            pictures=pictures,
        )

    return with_pictures(render, figures)


def _drawn(blocks: Sequence[doc.Block], figures: Mapping[str, bytes]) -> tuple[doc.Block, ...]:
    """Leave out the figures that were not drawn."""
    return tuple(
        replace(block, blocks=_drawn(block.blocks, figures))
        if isinstance(block, doc.Section | doc.Folded | doc.Box)
        else block
        for block in blocks
        if not isinstance(block, doc.Figure) or block.name in figures
    )


def inline(content: doc.Content) -> Markup:
    """Return a text as HTML; whatever comes from outside is escaped."""
    return Markup("".join(_run(run) for run in runs(content)))


def _run(run: doc.Inline) -> str:
    if isinstance(run, doc.Glyph):
        return run.draw()
    if isinstance(run, Number):
        return f'<span class="figure">{_text(run)}</span>'
    if isinstance(run, str):
        return _text(run)
    if run.style == "break":
        return "<br>"
    inside, link = inline(run.content), f' href="{_text(run.link)}"'
    if run.style in _ELEMENTS:
        made = f"<{_ELEMENTS[run.style]}>{inside}</{_ELEMENTS[run.style]}>"
    elif run.title:
        made = f'<abbr{_class(run)} title="{_text(run.title)}">{inside}</abbr>'
    elif run.link:
        return f"<a{_class(run)}{link}>{inside}</a>"
    else:
        made = f"<span{_class(run)}>{inside}</span>"
    return f"<a{link}>{made}</a>" if run.link else made


def _text(text: str) -> str:
    return escape(clean(text))


def _class(run: doc.Span) -> str:
    names = " ".join(filter(None, (run.style, run.tone.value if run.tone is not None else "")))
    hidden = ' aria-hidden="true"' if run.style == "mark" else ""
    return f' class="{names}"{hidden}' if names else ""


def _seen(blocks: Sequence[doc.Block]) -> list[doc.Block]:
    return list(seen(blocks, doc.View.PAGE))
