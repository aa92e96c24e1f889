"""What every HTML page shares: its environment, its style, and the pictures it embeds.

No network, no script: a content security policy in the page itself forbids both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from fairaudit._version import __version__
from fairaudit.report.safe_text import clean

#: Characters of a page with everything that it embeds: it stays under 2 MB.
_MAX_PAGE: Final = 1_900_000


def environment() -> jinja2.Environment:
    """Return the environment of the page's template."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("fairaudit.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
    )
    made.globals.update(version=__version__, style=Markup(_style()))
    return made


def with_pictures(
    render: Callable[[dict[str, str | None]], str], figures: Mapping[str, bytes]
) -> str:
    """Render a page with as many of its figures as leave it under 2 MB; name the others.

    ``render`` gets them as data URIs by name; None: too large to be embedded.
    """
    whole = render(_pictures(figures, _MAX_PAGE))
    if len(whole.encode("utf-8")) <= _MAX_PAGE:
        return whole
    room = _MAX_PAGE - len(render(dict.fromkeys(figures)).encode("utf-8"))
    return render(_pictures(figures, room))


def _pictures(figures: Mapping[str, bytes], room: int) -> dict[str, str | None]:
    pictures: dict[str, str | None] = {}
    for name, content in figures.items():
        uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        room -= len(uri) + 1000
        pictures[name] = uri if room > 0 else None
    return pictures


def _finalize(value: Any) -> Any:
    """Clean every text that is printed, unless it is our own markup."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    folder = resources.files("fairaudit.report") / "templates"
    return (folder / "style.css").read_text(encoding="utf-8")
