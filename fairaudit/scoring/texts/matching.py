"""Terms of one or more words, found in running text at word boundaries."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

#: A word, or one mark. A hyphen separates words as a blank does; other marks are tokens, so that a
#: term of two words is not found across a comma.
_TOKEN = re.compile(r"\w+|[^\w\s-]")

Tokens = tuple[str, ...]


def tokens(text: str) -> Tokens:
    """Lower-case words and marks of a text.

    >>> tokens("The half-breed's dog.")
    ('the', 'half', 'breed', "'", 's', 'dog', '.')
    """
    plain = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    return tuple(_TOKEN.findall(plain.lower()))


class Terms:
    """A set of terms that can be looked up in a text.

    Parameters
    ----------
    terms : iterable of str
        Terms of any number of words; case does not matter.
    """

    def __init__(self, terms: Iterable[str]) -> None:
        self._by_first: dict[str, set[Tokens]] = {}
        for term in terms:
            words = tokens(term)
            if words:
                self._by_first.setdefault(words[0], set()).add(words)

    def __len__(self) -> int:
        """Count the distinct terms."""
        return sum(len(terms) for terms in self._by_first.values())

    def found_in(self, text: Tokens) -> Iterator[Tokens]:
        """Each occurrence of a term in a text, in order; overlapping ones too."""
        for start, word in enumerate(text):
            for term in self._by_first.get(word, ()):
                if text[start : start + len(term)] == term:
                    yield term

    def occur_in(self, text: Tokens) -> bool:
        """Whether any term occurs in a text."""
        return next(self.found_in(text), None) is not None

    def count_in(self, text: Tokens) -> int:
        """How many times the terms occur in a text."""
        return sum(1 for _ in self.found_in(text))
