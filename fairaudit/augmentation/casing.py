"""Carry the pattern of small and capital letters from one word to another."""

from __future__ import annotations

from typing import Final

#: Words written small in a phrase whose other words have capitals.
_SMALL_WORDS: Final = frozenset({"of"})


def recase(surface: str, source: str, target: str, *, opens_sentence: bool = False) -> str:
    """Write ``target`` in the case pattern in which ``surface`` writes ``source``.

    Parameters
    ----------
    surface : str
        The word as it stands in the text.
    source, target : str
        The lexicon's spelling of that word and of its counterpart.
    opens_sentence : bool
        Whether the place alone asks for a capital letter.

    Returns
    -------
    str
        UPPER, Title and small letters are kept. Two words that the lexicon spells alike (both
        small, or both with one capital) are matched letter by letter, the last letter's case going
        on to the end, so that mixed patterns survive as well; phrases are matched word by word.
        A word that is always written with a capital ("Asian") takes the lexicon's spelling.
    """
    if surface == source and not (opens_sentence and surface[0].isupper()):
        return target
    if " " in source and target.islower():
        return _phrasewise(surface, target)
    if _pattern(source) == _pattern(target) != "mixed":
        return _letterwise(surface, target)
    if surface.isupper() and len(surface) > 1:
        return target.upper()
    if surface[0].isupper() and (opens_sentence or source[0].islower()):
        return target[0].upper() + target[1:]
    return target


def _pattern(word: str) -> str:
    if word.islower():
        return "small"
    return "title" if word[0].isupper() and word[1:].islower() else "mixed"


def _phrasewise(surface: str, target: str) -> str:
    """Carry UPPER, Title Of Phrases and a first capital over to another phrase."""
    if surface.isupper():
        return target.upper()
    old, new = surface.split(), target.split()
    if len(old) == len(new):
        return " ".join(map(_letterwise, old, new))
    if all(word[0].isupper() for word in old if word not in _SMALL_WORDS):
        return " ".join(word if word in _SMALL_WORDS else word.capitalize() for word in new)
    return target.capitalize() if surface[0].isupper() else target


def _letterwise(surface: str, target: str) -> str:
    if surface.islower():
        return target.lower()
    if surface.isupper() and len(surface) > 1:
        return target.upper()
    padded = surface + surface[-1] * (len(target) - len(surface))
    pairs = zip(padded, target, strict=False)
    return "".join(new.upper() if old.isupper() else new.lower() for old, new in pairs)
