"""Find the words of a record that name a group, and write the record for other groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fairaudit.augmentation.articles import article_for
from fairaudit.augmentation.both_forms import names_both
from fairaudit.augmentation.casing import recase
from fairaudit.augmentation.english import is_english
from fairaudit.augmentation.lexicon import (
    Phrase,
    Reading,
    all_readings,
    identity_words,
    protected_phrases,
    readings,
)
from fairaudit.augmentation.proper_names import surnames
from fairaudit.augmentation.rules import RULES, Context
from fairaudit.augmentation.tokens import Tokens
from fairaudit.augmentation.vessels import is_borne_by_ship, ship_names

_NAME_RULES: Final = frozenset({"given_name", "full_name"})


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase of the lexicon found in a record.

    Parameters
    ----------
    start, end : int
        Its place in the text.
    reading : Reading
        The class and group it was read as.
    opens_sentence : bool
        Whether its place alone asks for a capital letter.
    article : (int, int) or None
        Place of the "a" or "an" right before it, where that agrees with it.
    """

    start: int
    end: int
    reading: Reading
    opens_sentence: bool
    article: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """A record and what was found in it, in order of place.

    Parameters
    ----------
    text : str
        The record.
    hits : tuple of Hit
        What a shift changes.
    left : tuple of str
        Words for a group, in small letters, that no shift changes: they have no counterpart, are
        protected, or no rule read them.
    is_foreign : bool
        Whether it looks like another language than English; then nothing is swapped.
    """

    text: str
    hits: tuple[Hit, ...]
    left: tuple[str, ...] = ()
    is_foreign: bool = False

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes on which the record has a word to swap, in order of first appearance."""
        return tuple(dict.fromkeys(hit.reading.axis for hit in self.hits))

    def render(self, shifts: Mapping[str, int]) -> str:
        """Write the record with the words of every axis shifted to another group.

        Parameters
        ----------
        shifts : mapping of str to int
            Axis to number of groups to go on; 0 or absent leaves the axis as it is.

        Returns
        -------
        str
            Everything but the words found, "a" or "an" before them, and the possessive mark after
            a word that loses or gains its final s, is kept to the letter.
        """
        parts: list[str] = []
        done = 0
        for hit in self.hits:
            if shift := shifts.get(hit.reading.axis, 0):
                start, words, end = _replacement(self.text, hit, shift)
                parts += (self.text[done:start], words)
                done = end
        return "".join([*parts, self.text[done:]])


def _replacement(text: str, hit: Hit, shift: int) -> tuple[int, str, int]:
    """Start, new words and end of the part of the text that a hit replaces."""
    surface = text[hit.start : hit.end]
    source, target = hit.reading.spelling, hit.reading.shifted(shift)
    word = recase(surface, source, target, opens_sentence=hit.opens_sentence)
    end = hit.end
    if surface[-1] in "sS" and word[-1] not in "sS" and _bare_possessive(text, end):
        word, end = f"{word}{text[end]}{'S' if surface.isupper() else 's'}", end + 1
    elif _loses_possessive_s(text, end, source, target):
        word, end = word + text[end], end + 2
    if hit.article is None:
        return hit.start, word, end
    first, last = hit.article
    article = article_for(text[first:last], source=surface, target=word)
    return first, f"{article}{text[last : hit.start]}{word}", end


def _bare_possessive(text: str, end: int) -> bool:
    """Whether "'" alone makes a possessive there: "James' book"."""
    mark, space, letter = text[end : end + 1], text[end + 1 : end + 2], text[end + 2 : end + 3]
    shouted = letter.isupper() and text[:end].isupper()
    return mark in {"'", "’"} and space == " " and (letter.islower() or shouted)


def _loses_possessive_s(text: str, end: int, source: str, target: str) -> bool:
    """Whether a plural in -men with "'s" goes to one in -s: "gentlemen's", "ladies'"."""
    mark, letter = text[end : end + 1], text[end + 1 : end + 2]
    owns = mark in {"'", "’"} and letter in {"s", "S"} and not text[end + 2 : end + 3].isalnum()
    return owns and source.endswith("men") and target.endswith("s")


def _small_name(tokens: Tokens, i: int) -> bool:
    """Whether a first name is written small and so is a word: "hope", "mark"."""
    return tokens.lower[i] in given_names() and not tokens.capital(i)


@cache
def given_names() -> frozenset[str]:
    """All first names of the lexicon, in small letters."""
    return frozenset(
        entry.spelling.lower() for entry in all_readings("gender") if entry.rule in _NAME_RULES
    )


@cache
def _first_words(axes: tuple[str, ...]) -> frozenset[str]:
    return frozenset(readings(axes)) | frozenset(protected_phrases()) | identity_words(axes)


def analyse(text: str, axes: tuple[str, ...]) -> Analysis:
    """Find every phrase of the axes' lexicons that the rules let be swapped.

    Parameters
    ----------
    text : str
        One record.
    axes : tuple of str
        Names of axes; a word of several axes belongs to the first.

    Returns
    -------
    Analysis
        The hits, without overlap. The longest phrase wins, then the order of the lexicon.
    """
    if not is_english(text):
        return Analysis(text, (), is_foreign=True)
    tokens = Tokens.of(text)
    first_words = _first_words(axes)
    places = [i for i, word in enumerate(tokens.lower) if word in first_words]
    ships = ship_names(tokens, places, given_names())
    hits = _without_ships(tokens, list(_hits(tokens, places, readings(axes), ships)), ships)
    return Analysis(text, hits, _left(tokens, places, hits, axes))


def _left(
    tokens: Tokens, places: list[int], hits: tuple[Hit, ...], axes: tuple[str, ...]
) -> tuple[str, ...]:
    words, found = identity_words(axes), iter(hits)
    hit = next(found, None)
    left = []
    for i in places:
        start = tokens.spans[i][0]
        while hit is not None and hit.end <= start:
            hit = next(found, None)
        covered = hit is not None and hit.start <= start
        if not covered and tokens.lower[i] in words and not _small_name(tokens, i):
            left.append(tokens.lower[i])
    return tuple(left)


def _without_ships(tokens: Tokens, hits: list[Hit], ships: set[int]) -> tuple[Hit, ...]:
    """Leave out the pronouns of a ship or a country."""
    starts = {hit.start for hit in hits if hit.reading.axis == "gender"}
    words = [i for i, (start, _) in enumerate(tokens.spans) if start in starts] if starts else []
    if not is_borne_by_ship(tokens, words, ships):
        return tuple(hits)
    return tuple(hit for hit in hits if hit.reading.axis != "gender")


def _hits(
    tokens: Tokens,
    places: list[int],
    lexicon: Mapping[str, tuple[Reading, ...]],
    ships: set[int],
) -> Iterator[Hit]:
    names = given_names()
    family = surnames(tokens, [i for i in places if tokens.lower[i] in names])
    free_from = 0
    for i in places:
        if i < free_from or i in ships or names_both(tokens, i):
            continue
        if length := _protected_length(tokens, i):
            free_from = i + length
            continue
        for reading in lexicon.get(tokens.lower[i], ()):
            last = i + len(reading.phrase.words) - 1
            if not _matches(tokens, i, reading.phrase):
                continue
            if RULES[reading.rule](Context(tokens, i, last, names, family)):
                yield _hit(tokens, i, last, reading)
                free_from = last + 1
                break


def _hit(tokens: Tokens, i: int, last: int, reading: Reading) -> Hit:
    start, end = tokens.spans[i][0], tokens.spans[last][1]
    article = None
    if i and tokens.lower[i - 1] in {"a", "an"} and tokens.gap(i).isspace():
        article = tokens.spans[i - 1]
    return Hit(start, end, reading, tokens.opens_sentence(i), article)


def _protected_length(tokens: Tokens, i: int) -> int:
    """Words of the longest protected phrase at word ``i``; 0 if there is none."""
    return max(
        (
            len(phrase.words)
            for phrase, capital in protected_phrases().get(tokens.lower[i], ())
            if (tokens.capital(i) or not capital) and _matches(tokens, i, phrase)
        ),
        default=0,
    )


def _matches(tokens: Tokens, i: int, phrase: Phrase) -> bool:
    words = phrase.words
    if len(words) == 1:
        return True
    return tokens.lower[i : i + len(words)] == list(words) and all(
        _same_gap(tokens.gap(i + 1 + k), gap) for k, gap in enumerate(phrase.gaps)
    )


def _same_gap(found: str, wanted: str) -> bool:
    if wanted.isspace() or found.isspace():
        return wanted.isspace() and found.isspace()
    return found.replace("’", "'").replace("@", "").strip() == wanted.strip()
