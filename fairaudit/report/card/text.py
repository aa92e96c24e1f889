"""The text of a card: front matter, body, and our block between two comments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import ResultError
from fairaudit.lines import lines_of

BEGIN: Final = "<!-- fairaudit:begin -->"
END: Final = "<!-- fairaudit:end -->"
#: Front matter without a line between its fences, which the Hub's own pattern would look past.
_EMPTY: Final = re.compile(r"\s*---(?P<end>\r?\n)---[ \t]*(?=\r?\n|$)")


@dataclass(frozen=True, slots=True)
class CardText:
    """A card cut at the fences of its front matter; joined again, it is the same text."""

    before: str
    front: str
    after: str

    def with_front(self, front: str, newline: str) -> str:
        """Return the card with another front matter; one without gets fences."""
        if front == self.front:
            return f"{self.before}{front}{self.after}"
        if self.before:
            gap = "" if self.after.startswith(("\n", "\r\n")) else newline
            return f"{self.before}{front}{gap}{self.after}"
        blank = "" if self.after.startswith(("\n", "\r\n")) else newline
        return f"---{newline}{front}{newline}---{newline}{blank}{self.after}"


def split(text: str) -> CardText:
    """Cut a card at the fences of its front matter, as the Hub does."""
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    empty = _EMPTY.match(text)
    if empty is not None:
        fence = empty.end("end")
        return CardText(text[:fence], "", text[fence:])
    found = REGEX_YAML_BLOCK.search(text)
    if found is None:
        return CardText("", "", text)
    return CardText(found[1], found[2], text[found.end(2) :])


def line_end(text: str) -> str:
    """Return the line end that a text uses most."""
    windows = text.count("\r\n")
    return "\r\n" if windows > text.count("\n") - windows else "\n"


def with_block(text: str, block: str, newline: str) -> str:
    """Put a block between our comments: in place of the earlier one, else at the end.

    Raises
    ------
    ResultError
        If the comments are not one pair in order.
    """
    begins, ends = _lines_of(BEGIN, text), _lines_of(END, text)
    whole = newline.join((BEGIN, *lines_of(block.strip()), END))
    if not begins and not ends:
        return f"{text}{_gap(text, newline)}{whole}{newline}"
    if len(begins) != 1 or len(ends) != 1 or begins[0].start() > ends[0].start():
        raise ResultError(
            f"it has {len(begins)} lines '{BEGIN}' and {len(ends)} lines '{END}'; leave one of "
            "each, in this order, or remove both"
        )
    return text[: begins[0].start()] + whole + text[ends[0].end() :]


def _lines_of(mark: str, text: str) -> list[re.Match[str]]:
    """Find the comment where it stands alone on its line: one that is quoted is no marker."""
    return list(re.finditer(rf"^{re.escape(mark)}[ \t]*(?=\r?$)", text, re.MULTILINE))


def _gap(text: str, newline: str) -> str:
    """Return what parts a text from a block behind it by one blank line."""
    if not text or text.endswith(newline * 2):
        return ""
    return newline if text.endswith(newline) else newline * 2
