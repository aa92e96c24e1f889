"""Text from outside is hostile: labels, ids and reasons lose what could drive a reader's screen."""

from __future__ import annotations

import unicodedata
from typing import Final

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
#: Control, format (bidirectional overrides), surrogate and private-use characters.
_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
#: Joiners that scripts and emoji need.
_JOINERS: Final = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{SOFT HYPHEN}"


def clean(text: str) -> str:
    """Return ``text`` on one line, without control characters or bidirectional overrides.

    Escape sequences of terminals, overrides that make a name read backwards, and characters that
    HTML forbids become U+FFFD; line breaks and tabs become blanks.
    """
    if text.isascii() and text.isprintable():
        return str(text)
    return "".join(_safe(character) for character in text)


def _safe(character: str) -> str:
    if character in "\n\r\t\u2028\u2029":
        return " "
    if character in _JOINERS or unicodedata.category(character) not in _UNSAFE:
        return character
    return _REPLACEMENT


def shorten(text: str, width: int) -> str:
    """Cut the cleaned text to ``width`` characters, its middle replaced by an ellipsis."""
    text = clean(text)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[len(text) - (width - 1 - head) :]}"
