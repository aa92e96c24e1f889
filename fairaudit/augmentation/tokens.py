"""A text as words with their places, and what the spaces and capitals around a word say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from fairaudit.augmentation.wordlists import word_list

_ABBREVIATIONS: Final = word_list("abbreviations")
_WORD: Final = re.compile(r"[^\W_]+")
_ENDS_SENTENCE: Final = frozenset(".!?:\n\r|=")
_OPENS_QUOTE: Final = frozenset('"“\u2018«(*[')


def is_hyphen(gap: str) -> bool:
    """Whether a gap joins two words; between spaces the mark is a dash."""
    return gap == "-" or gap.strip() == "@-@"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of one text: runs of letters and digits.

    Parameters
    ----------
    text : str
        The text, unchanged.
    spans : list of (int, int)
        Start and end of each word.
    words, lower : list of str
        Each word as written, and in small letters.
    """

    text: str
    spans: list[tuple[int, int]]
    words: list[str]
    lower: list[str]

    @classmethod
    def of(cls, text: str) -> Tokens:
        """Split a text into words."""
        spans = [match.span() for match in _WORD.finditer(text)]
        words = _WORD.findall(text)
        return cls(text, spans, words, [word.lower() for word in words])

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.spans)

    def gap(self, i: int) -> str:
        """Return what stands before word ``i``, back to the one before; ``i`` may be the length."""
        start = self.spans[i - 1][1] if i else 0
        return self.text[start : self.spans[i][0] if i < len(self.spans) else len(self.text)]

    def word(self, i: int) -> str:
        """Word ``i`` in small letters, empty outside the text."""
        return self.lower[i] if 0 <= i < len(self.lower) else ""

    def after(self, i: int) -> str:
        """Return the next word if only spaces or a hyphen lie between, else empty."""
        return self.word(i + 1) if self.touches(i + 1) else ""

    def before(self, i: int) -> str:
        """Return the previous word if only spaces or a hyphen lie between, else empty."""
        return self.word(i - 1) if self.touches(i) else ""

    def touches(self, i: int) -> bool:
        """Whether word ``i`` follows the one before it within a phrase."""
        if not 0 < i < len(self.spans):
            return False
        gap = self.gap(i)
        if gap.isspace():
            return gap.count("\n") < 2
        return is_hyphen(gap) or (gap.strip() == "." and self._abbreviated(i - 1))

    def capital(self, i: int) -> bool:
        """Whether word ``i`` begins with a capital letter; "I" does not count."""
        return 0 <= i < len(self.words) and self.words[i][0].isupper() and self.words[i] != "I"

    def title(self, i: int) -> bool:
        """Whether word ``i`` has a capital letter first and not all over."""
        return self.capital(i) and not self.words[i].isupper()

    def opens_sentence(self, i: int) -> bool:
        """Whether word ``i`` would be written with a capital for its place alone."""
        if i == 0:
            return True
        gap = self.gap(i)
        if not _ENDS_SENTENCE.isdisjoint(gap):
            return not (gap.strip() == "." and self._abbreviated(i - 1))
        return not _OPENS_QUOTE.isdisjoint(gap)

    def _abbreviated(self, i: int) -> bool:
        return len(self.words[i]) == 1 or self.lower[i] in _ABBREVIATIONS
