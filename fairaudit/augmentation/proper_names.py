"""Which capitals belong to a proper name: surnames, places, works.

The rule about surnames: a first name of the list is read as a surname, and stays as it is, where
another name, an initial or a title such as "Mr." or "Senator" stands directly before it; once it
stood so in a record, it is a surname everywhere in that record ("Henry James ... James wrote").
Between two other names it is a middle name and is swapped ("Mary Elizabeth Smith"). A first name
before a word for a place or institution ("George Street") stays, too.
"""

from __future__ import annotations

from typing import Final

from fairaudit.augmentation.tokens import Tokens
from fairaudit.augmentation.wordlists import word_list

_SURNAME_TITLES: Final = word_list("surname_titles")
_GIVEN_NAME_TITLES: Final = word_list("given_name_titles")
_PLACES_AFTER: Final = word_list("places_after")
_PLACE_SURNAMES: Final = word_list("place_surnames")
_BEFORE_PLACES: Final = frozenset({"in", "at", "near", "the"})
_OPENERS: Final = word_list("openers") | word_list("function_words")
_NEVER_BEFORE_GIVEN: Final = word_list("never_before_given")
#: A name of more words than this is not looked at to its end.
_LONGEST_NAME: Final = 4


def name_before(tokens: Tokens, i: int) -> bool:
    """Whether a capitalised word that is no mere opening of a sentence stands right before."""
    if not (tokens.touches(i) and tokens.capital(i - 1)) or "\n" in tokens.gap(i):
        return False
    previous = tokens.word(i - 1)
    if previous in _OPENERS or (previous.endswith("ly") and len(previous) > 5):
        return not tokens.opens_sentence(i - 1) and tokens.title(i - 1)
    return True


def capital_after(tokens: Tokens, i: int) -> bool:
    """Whether a capitalised word stands right after."""
    return tokens.touches(i + 1) and tokens.capital(i + 1) and "\n" not in tokens.gap(i + 1)


def owns_a_name(tokens: Tokens, i: int) -> bool:
    """Whether "'s" and a capitalised word follow, as in "Women's World Cup"."""
    return (
        tokens.word(i + 1) == "s"
        and tokens.gap(i + 1) in {"'", "’"}
        and tokens.touches(i + 2)
        and tokens.capital(i + 2)
    ) or (tokens.gap(i + 1) in {"' ", "’ "} and tokens.capital(i + 1))


def name_owns(tokens: Tokens, i: int) -> bool:
    """Whether a capitalised word and "'s" stand before, as in "St Andrew's Church"."""
    owned = tokens.before(i) == "s" and tokens.gap(i - 1).strip() in {"'", "’"}
    return owned and tokens.capital(i - 2)


def names_place(tokens: Tokens, i: int) -> bool:
    """Whether a run of capitalised words from ``i`` on ends in a street, a school, an award."""
    for j in range(i + 1, min(i + _LONGEST_NAME, len(tokens))):
        if not (tokens.touches(j) and tokens.capital(j)):
            return False
        if tokens.word(j) in _PLACES_AFTER:
            surname = j == i + 1 and tokens.word(j) in _PLACE_SURNAMES
            return not surname or tokens.before(i) in _BEFORE_PLACES
    return False


def in_proper_name(tokens: Tokens, first: int, last: int, given_names: frozenset[str]) -> bool:
    """Whether a common noun is part of a name: "Beach Boys", "Iron Man", "Women's Cup"."""
    if not tokens.title(first):
        return False
    if name_before(tokens, first) or name_owns(tokens, first) or owns_a_name(tokens, last):
        return True
    return capital_after(tokens, last) and tokens.word(last + 1) not in given_names


def is_title_of_person(tokens: Tokens, i: int) -> bool:
    """Whether the word at ``i`` is a title before a name: "Queen Anne", "Aunt Polly"."""
    if not tokens.capital(i) or names_place(tokens, i) or owns_a_name(tokens, i):
        return False
    return capital_after(tokens, i) and not name_before(tokens, i)


def is_surname(tokens: Tokens, i: int) -> bool:
    """Whether the first name at ``i`` is used as a surname or part of a place."""
    if not tokens.touches(i):
        return False
    previous = tokens.word(i - 1)
    if previous in _SURNAME_TITLES and (tokens.capital(i - 1) or not capital_after(tokens, i)):
        return previous in _NEVER_BEFORE_GIVEN or not capital_after(tokens, i)
    if previous in _GIVEN_NAME_TITLES or not name_before(tokens, i):
        return False
    return not capital_after(tokens, i)


def surnames(tokens: Tokens, places: list[int]) -> frozenset[str]:
    """First names that are a surname somewhere in the record."""
    return frozenset(tokens.word(i) for i in places if is_surname(tokens, i))
