"""Choose between "a" and "an"."""

from __future__ import annotations

from typing import Final

_VOWELS: Final = frozenset("aeiouáàâäãåéèêëíîïóôöúùûü")
#: Vowel letters spoken as consonants, and the reverse.
_CONSONANT_SOUND: Final = ("eu", "ew", "uni", "use", "one")
_VOWEL_SOUND: Final = ("heir", "honest", "honor", "honour", "hour")


def takes_an(word: str) -> bool:
    """Whether "an" stands before the word."""
    small = word.lower()
    if small.startswith(_VOWEL_SOUND):
        return True
    return small[0] in _VOWELS and not small.startswith(_CONSONANT_SOUND)


def article_for(article: str, *, source: str, target: str) -> str:
    """Return the article that stood before ``source`` as it should stand before ``target``.

    An article that did not agree with ``source`` is left alone, so that the way back is the same.
    """
    wanted, needed = takes_an(source), takes_an(target)
    if wanted == needed or wanted != (article.lower() == "an"):
        return article
    if needed:
        return article + ("N" if source.isupper() and article.isupper() else "n")
    return article[0]
