"""Text from outside in Markdown: it stays on its line, and drives nothing on GitHub."""

from __future__ import annotations

import re
from typing import Final

from fairaudit.report.safe_text import clean

#: What Markdown reads in the middle of a line, and what GitHub makes a link of.
_SPECIAL: Final = re.compile(r"[\\`*_\[\]|~$]|(?<=:)/(?=/)|(?<=www)\.", re.IGNORECASE)
#: An empty comment ends a mention or an issue number before GitHub sees it.
_ENTITIES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "@": "@<!-- -->",
    "#": "#<!-- -->",
}


def escape(text: str) -> str:
    """Escape text so that Markdown, HTML, mentions and bare addresses stay plain."""
    escaped = _SPECIAL.sub(r"\\\g<0>", clean(text))
    return "".join(_ENTITIES.get(character, character) for character in escaped)


def code(text: str) -> str:
    """Return text as inline code, fenced by more backticks than it holds."""
    text = clean(text).strip() or " "
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    blank = " " if longest else ""
    return f"{fence}{blank}{text}{blank}{fence}"
