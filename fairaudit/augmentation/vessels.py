"""Ships and countries, which English may call "she".

Two rules:

1. *Names of ships stay.* That is the run of capitalised words after a ship's prefix ("USS Nancy",
   "HMS King George V"), and a title or first name, with the rest of its name, after a capital-free
   "the": "the Queen Mary" and "the King George" anywhere, other titles and bare first names
   ("the Lady Nelson", "the Nancy") only in a record that speaks of a ship.
2. *Feminine pronouns stay in a record whose only bearer is a ship or a country.* The record names a
   ship ("the ship", "HMS Hood") or has a country as a subject ("France lost her colonies") before
   its first feminine pronoun, and holds nobody else who could be meant: no other word of the gender
   lexicon, no singular word for a person and no capitalised word that may be a name. A ship where
   somebody is ("on the ship she danced") bears no pronoun, nor does one that a clause describes
   ("the boat she bought").

Both read only words that a swap of gender leaves alone. A record with any masculine word or with a
person is swapped as a whole, ships included.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fairaudit.augmentation.pronouns import is_determiner
from fairaudit.augmentation.tokens import Tokens
from fairaudit.augmentation.wordlists import word_list

_PREFIXES: Final = word_list("ship_prefixes")
_SHIPS: Final = word_list("ships")
_SAILING: Final = word_list("sailing") | _SHIPS
_COUNTRIES: Final = word_list("countries")
_COUNTRY_NOUNS: Final = word_list("country_nouns")
_PERSONS: Final = frozenset(
    word
    for word in word_list("people") | word_list("roles") | word_list("single_persons")
    if not word.endswith("s") and word not in {"rights", "race", "identity", "descent"}
) - word_list("groups_of_people")
_PLACING: Final = word_list("placing_prepositions")
_COUNTRY_ENDS: Final = frozenset({"where", "is", "was", "has"})
_OPENERS: Final = word_list("openers") | word_list("function_words") | {"built", "sunk"}
_MONTHS_AND_DAYS: Final = word_list("months_and_days")
#: A word that opens a sentence and ends so is no name: "Built" and "Launched" need a list.
_ENDINGS: Final = ("ed", "ing", "ly", "ment", "tion", "ers", "ors")
#: No ruler is called "the King James": with an article it is a ship, a school or a pub.
_RULERS: Final = frozenset({"king", "queen"})
_TITLES: Final = word_list("ship_titles") | _RULERS
_FEMININE: Final = frozenset({"she", "her", "hers", "herself"})


def ship_names(tokens: Tokens, places: Iterable[int], given_names: frozenset[str]) -> set[int]:
    """Words that are part of a ship's name, of those that may be swapped.

    Parameters
    ----------
    tokens : Tokens
        The record.
    places : iterable of int
        Words of the lexicon.
    given_names : frozenset of str
        All first names of the lexicon, in small letters.
    """
    candidates = [i for i in places if tokens.capital(i)]
    if not candidates:
        return set()
    at_sea = not _SAILING.isdisjoint(tokens.words) or any(map(_is_prefix, tokens.words))
    return {i for i in candidates if _in_ship_name(tokens, i, given_names, at_sea=at_sea)}


def _in_ship_name(tokens: Tokens, i: int, given_names: frozenset[str], *, at_sea: bool) -> bool:
    first = _name_start(tokens, i)
    if first < i and _is_prefix(tokens.words[first]):
        return True
    head, article = tokens.word(first), tokens.word(first - 1)
    if not first or article != "the" or not tokens.gap(first).isspace():
        return False
    if head in _TITLES:
        named = _goes_on(tokens, first + 1) and tokens.word(first + 1) in given_names
        return named and (head in _RULERS or at_sea) and not _ordinal(tokens, first)
    return at_sea and head in given_names and not _described(tokens, i)


def _name_start(tokens: Tokens, i: int) -> int:
    """First word of the name that word ``i`` is in: a ship's prefix, or what follows "the"."""
    first = i
    while _goes_on(tokens, first) and not _is_prefix(tokens.words[first]):
        if tokens.word(first - 1) == "the":
            break
        first -= 1
    return first


def _ordinal(tokens: Tokens, first: int) -> bool:
    """Whether a number follows the first name, as after no ship but after many a prince."""
    return tokens.word(first) not in _RULERS and tokens.word(first + 2) in {"i", "ii", "iii", "iv"}


def _described(tokens: Tokens, i: int) -> bool:
    """Whether a clause says which of several is meant: "the Mary I knew"."""
    return tokens.after(i) in {"i", "you", "we", "they", "who", "whom", "that", "of"}


def _goes_on(tokens: Tokens, i: int) -> bool:
    """Whether word ``i`` goes on with a name that the word before it began."""
    return (
        0 < i < len(tokens)
        and tokens.capital(i)
        and tokens.capital(i - 1)
        and tokens.gap(i).strip() in {"", '"', "“", "'", "''"}
        and "\n" not in tokens.gap(i)
    )


def _is_prefix(word: str) -> bool:
    return word.isupper() and word.lower() in _PREFIXES


def is_borne_by_ship(tokens: Tokens, words: Iterable[int], ships: set[int]) -> bool:
    """Whether all words of the gender lexicon in a record are pronouns of a ship or a country.

    Parameters
    ----------
    tokens : Tokens
        The record.
    words : iterable of int
        Its words of the gender lexicon that would be swapped, in order.
    ships : set of int
        Words that are part of a ship's name.
    """
    found = list(words)
    if not found or not all(tokens.lower[i] in _FEMININE for i in found):
        return False
    bearer = _bearer(tokens, found[0], ships)
    if bearer is None or _describes(tokens, found, bearer):
        return False
    return not any(_may_be_person(tokens, i, ships) for i in range(len(tokens)))


def _bearer(tokens: Tokens, end: int, ships: set[int]) -> int | None:
    """Last ship or country before a word that is no mere place where somebody is."""
    at_sea = not _SAILING.isdisjoint(tokens.words)
    for i in reversed(range(end)):
        named = at_sea and tokens.title(i) and tokens.before(i) == "the"
        ship = named or i in ships or tokens.lower[i] in _SHIPS or _is_prefix(tokens.words[i])
        if (ship and not _is_place(tokens, i)) or _is_subject(tokens, i):
            return i
    return None


def _is_place(tokens: Tokens, i: int) -> bool:
    """Whether a preposition stands before the noun phrase that ends in word ``i``."""
    for j in range(i, max(i - 5, -1), -1):
        if tokens.before(j) in _PLACING:
            return True
        if not tokens.touches(j):
            return False
    return False


def _is_subject(tokens: Tokens, i: int) -> bool:
    """Whether a country opens a clause that goes on with a verb of its own."""
    noun = tokens.lower[i] in _COUNTRY_NOUNS and tokens.before(i) == "the"
    if not noun and not (tokens.capital(i) and tokens.lower[i] in _COUNTRIES):
        return False
    first = i - 1 if tokens.before(i) == "the" else i
    opens = tokens.opens_sentence(first) or tokens.before(first) in {"and", "but", "that", "when"}
    return opens and tokens.touches(i + 1) and tokens.word(i + 1) not in _COUNTRY_ENDS


def _describes(tokens: Tokens, found: list[int], bearer: int) -> bool:
    """Whether the first pronoun begins a clause about the ship, or is carried by it."""
    first = found[0]
    if first == bearer + 1 and tokens.touches(first):
        return True
    if tokens.lower[first] in {"she", "herself"}:
        return False
    apart = any(
        not tokens.touches(j) or tokens.word(j) == "and" for j in range(bearer + 1, first + 1)
    )
    possessive = tokens.lower[first] == "her" and is_determiner(tokens, first)
    return not apart and not possessive


def _may_be_person(tokens: Tokens, i: int, ships: set[int]) -> bool:
    word = tokens.lower[i]
    if word in _PERSONS:
        return tokens.before(i) != "her"
    if not tokens.title(i) or _known(tokens, i, ships):
        return False
    return not (tokens.opens_sentence(i) and (word in _OPENERS or word.endswith(_ENDINGS)))


def _known(tokens: Tokens, i: int, ships: set[int]) -> bool:
    """Whether a capitalised word is known to be no person: a ship, a country, a place, a date."""
    word = tokens.lower[i]
    if i in ships or word in _COUNTRIES | _COUNTRY_NOUNS | _MONTHS_AND_DAYS | _FEMININE | _SAILING:
        return True
    first = _name_start(tokens, i)
    return tokens.before(first) in _PLACING | {"the"} or _is_prefix(tokens.words[first])
