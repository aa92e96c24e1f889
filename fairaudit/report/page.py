"""What every HTML page shares: its environment, its style, and the pictures it embeds.

No network, no script: a content security policy in the page itself forbids both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from fairaudit._version import __version__
from fairaudit.report import names, words
from fairaudit.report.interval_svg import axis, strip
from fairaudit.report.marks import Mark
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.scale import Scale

#: Characters of a page with everything that it embeds: it stays under 2 MB.
_MAX_PAGE: Final = 1_900_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as a data URI, with its words; None: too large to be embedded."""

    name: str
    uri: str | None
    caption: str


def environment(mark_of: Callable[[Any], Mark] | None = None) -> jinja2.Environment:
    """Return the environment of templates; ``mark_of`` says what is drawn of a result's entry."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("fairaudit.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
    )

    def drawn(found: Any, scale: Scale | None, size: str = "mini") -> Markup:
        assert mark_of is not None
        return strip(mark_of(found), scale, size)

    def ticks(found: Any, scale: Scale) -> Markup:
        assert mark_of is not None
        return axis(mark_of(found).unit, scale)

    made.globals.update(
        names=names,
        words=words,
        version=__version__,
        style=Markup(_style()),
    )
    made.filters.update(strip=drawn, ticks=ticks, shorten=shorten)
    return made


def with_pictures(
    render: Callable[[tuple[Picture, ...]], str],
    figures: Mapping[str, bytes],
    captions: Mapping[str, str],
) -> str:
    """Render a page with as many of its figures as leave it under 2 MB; name the others."""
    whole = render(tuple(_pictures(figures, captions, _MAX_PAGE)))
    if len(whole.encode("utf-8")) <= _MAX_PAGE:
        return whole
    room = _MAX_PAGE - len(render(()).encode("utf-8"))
    return render(tuple(_pictures(figures, captions, room)))


def _pictures(
    figures: Mapping[str, bytes], captions: Mapping[str, str], room: int
) -> list[Picture]:
    pictures = []
    for name, content in figures.items():
        uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        caption = captions.get(name, name)
        room -= len(uri) + 1000
        pictures.append(Picture(name, uri if room > 0 else None, caption))
    return pictures


def _finalize(value: Any) -> Any:
    """Clean every text that is printed, unless it is our own markup."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    folder = resources.files("fairaudit.report") / "templates"
    return (folder / "style.css").read_text(encoding="utf-8")
