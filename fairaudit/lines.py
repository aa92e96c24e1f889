r"""Where a line ends: at ``\n``, ``\r\n`` or a lone ``\r``, and nowhere else.

`str.splitlines` also ends lines at U+2028, U+0085, form feed and others, which stand inside texts:
one record would become several. So every reader of lines splits here.
"""

from __future__ import annotations

import re
from typing import Final

_END: Final = re.compile(r"\r\n|\n|\r")
_WITH_END: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


def lines_of(text: str) -> list[str]:
    r"""Lines of a text without their ends; an end after the last line begins no further one.

    >>> lines_of("a\u2028b\r\nc\rd\n")
    ['a\u2028b', 'c', 'd']
    """
    lines = _END.split(text)
    return lines if lines[-1] else lines[:-1]


def lines_with_ends(text: str) -> list[str]:
    r"""Lines of a text, each with its end.

    >>> lines_with_ends("a\r\nb")
    ['a\r\n', 'b']
    """
    return _WITH_END.findall(text)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; its type where it says nothing."""
    return next(iter(lines_of(str(error))), type(error).__name__)
