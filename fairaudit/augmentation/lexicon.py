"""The lexicons: every axis is a set of classes, every class a permutation of its words.

A *row* holds one word per group, all in the same sense. Shifting a row by k takes the word of group
g to the word of group g + k (modulo the number of groups), so for two groups a shift by one is a
swap, and for any number a shift by k and then by -k gives the word back. Because a word stands at
most once in a class, this is a permutation of (word, class) pairs.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from fairaudit.augmentation.wordlists import read_lexicon
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_toml

#: Axes in the order in which they claim a word that stands in several of them.
AXES: Final = ("gender", "race", "religion")

_FILES: Final = {
    "gender": ("gender.toml", "names.toml"),
    "race": ("race.toml",),
    "religion": ("religion.toml",),
}
_WORD: Final = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in small letters, and what stands between them."""

    words: tuple[str, ...]
    gaps: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Phrase:
        """Split a phrase of a lexicon."""
        small = text.lower()
        gaps = _WORD.split(small)[1:-1]
        return cls(tuple(_WORD.findall(small)), tuple(gaps))


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a phrase: a word of one group in one class.

    Parameters
    ----------
    axis, sense : str
        The axis, and the class in it.
    row : tuple of str
        The words of all groups in this sense.
    group : int
        Which of them is read.
    rule : str
        The context in which it is read so.
    phrase : Phrase
        Its words.
    """

    axis: str
    sense: str
    row: tuple[str, ...]
    group: int
    rule: str
    phrase: Phrase

    @property
    def spelling(self) -> str:
        """The lexicon's spelling of the phrase."""
        return self.row[self.group]

    def shifted(self, shift: int) -> str:
        """Spelling of the same sense for another group."""
        return self.row[(self.group + shift) % len(self.row)]


@cache
def groups(axis: str) -> tuple[str, ...]:
    """Names of the groups of an axis.

    Parameters
    ----------
    axis : str
        One of `AXES`.

    Returns
    -------
    tuple of str
        In the order of the lexicon's columns.

    Examples
    --------
    >>> groups("gender")
    ('male', 'female')
    """
    return tuple(parse_toml(read_lexicon(_FILES[axis][0]))["groups"])


@cache
def readings(axes: tuple[str, ...]) -> Mapping[str, tuple[Reading, ...]]:
    """All readings by first word: longer phrases first, then the order of axes and classes."""
    found: dict[str, list[Reading]] = defaultdict(list)
    for axis in axes:
        for reading in all_readings(axis):
            found[reading.phrase.words[0]].append(reading)
    return {
        word: tuple(sorted(entries, key=lambda entry: -len(entry.phrase.words)))
        for word, entries in found.items()
    }


@cache
def all_readings(axis: str) -> tuple[Reading, ...]:
    """Return the readings of an axis in the order of its files."""
    return tuple(reading for name in _FILES[axis] for reading in _file_readings(axis, name))


def _file_readings(axis: str, name: str) -> Iterator[Reading]:
    content: dict[str, Any] = parse_toml(read_lexicon(name))
    names = content.pop("groups")
    for sense, table in content.items():
        read_from = [names.index(group) for group in table.get("from", names)]
        for row in _rows(table["rows"], plural=table.get("plural", False)):
            for group in read_from:
                phrase = Phrase.of(row[group])
                yield Reading(axis, sense, row, group, table["rule"], phrase)


def _rows(text: str, *, plural: bool) -> Iterator[tuple[str, ...]]:
    for line in lines_of(text.strip()):
        forms = [tuple(term.strip().split("/")) for term in line.split(",")]
        yield tuple(form[0] for form in forms)
        if plural:
            yield tuple(form[1] if len(form) > 1 else pluralise(form[0]) for form in forms)


def pluralise(noun: str) -> str:
    """Regular English plural; words in -man and -woman take -men and -women."""
    if noun.endswith("man") and noun not in {"human", "german", "roman"}:
        return noun[:-2] + "en"
    if noun.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


@cache
def protected_phrases() -> Mapping[str, tuple[tuple[Phrase, bool], ...]]:
    """Phrases never swapped, by first word, each with whether it must begin with a capital."""
    found: dict[str, list[tuple[Phrase, bool]]] = defaultdict(list)
    for line in lines_of(read_lexicon("protected.txt")):
        if line and not line.startswith("#"):
            phrase = Phrase.of(line)
            found[phrase.words[0]].append((phrase, line[0].isupper()))
    return {word: tuple(entries) for word, entries in found.items()}


@cache
def identity_words(axes: tuple[str, ...]) -> frozenset[str]:
    """Single words that name a group of one of the axes, with or without a counterpart."""
    noticed = parse_toml(read_lexicon("noticed.toml"))
    found = {word for axis in axes for word in noticed[axis].split()}
    for axis in axes:
        phrases = (entry.phrase.words for entry in all_readings(axis))
        found |= {words[0] for words in phrases if len(words) == 1}
    return frozenset(found)
