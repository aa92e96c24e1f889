"""The contexts in which a word of the lexicon is read in a class, by the name used there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fairaudit.augmentation import pronouns
from fairaudit.augmentation import proper_names as names
from fairaudit.augmentation.tokens import Tokens
from fairaudit.augmentation.wordlists import word_list

_PEOPLE: Final = word_list("people")
_MODIFIERS: Final = word_list("people_modifiers")
_ARTICLES: Final = word_list("articles")
_LINKING: Final = word_list("linking_verbs")
_OTHER_WHITES: Final = word_list("before_other_whites")


@dataclass(frozen=True, slots=True)
class Context:
    """A place in a record.

    Parameters
    ----------
    tokens : Tokens
        The record.
    first, last : int
        First and last word of the phrase in question.
    given_names : frozenset of str
        All first names of the lexicon, in small letters.
    surnames : frozenset of str
        Those that are a surname in this record.
    """

    tokens: Tokens
    first: int
    last: int
    given_names: frozenset[str]
    surnames: frozenset[str]


def _always(_: Context) -> bool:
    return True


def _determiner(at: Context) -> bool:
    return pronouns.is_determiner(at.tokens, at.first)


def _common(at: Context) -> bool:
    """Whether it is no part of a proper name."""
    return not names.in_proper_name(at.tokens, at.first, at.last, at.given_names)


def _small(at: Context) -> bool:
    """Whether it is written small: a capital makes it a name or a team ("God", "the Bulls")."""
    return at.tokens.lower[at.first] == at.tokens.words[at.first]


def _title(at: Context) -> bool:
    """Whether it stands before a name, with a capital: "Miss Brown", not "they miss Brown"."""
    return names.is_title_of_person(at.tokens, at.last)


def _kin(at: Context) -> bool:
    """Whether it is a common noun, or a title before a name: "an uncle", "Uncle Joe"."""
    return _common(at) or _title(at)


def _rank_of(at: Context) -> bool:
    """Whether a rank is no first name: "the earl", "Earl of Kent", not "Earl Warren"."""
    tokens, i = at.tokens, at.first
    if not tokens.title(i) or tokens.after(at.last) == "of" or tokens.before(i) == "the":
        return True
    return tokens.lower[i].startswith("countess") and _title(at)


def _given_name(at: Context) -> bool:
    """Whether a capital makes it a first name that is no surname and no place in this record."""
    tokens, i = at.tokens, at.first
    return (
        tokens.capital(i)
        and tokens.lower[i] not in at.surnames
        and not names.is_surname(tokens, i)
        and not names.names_place(tokens, i)
        and not names.owns_a_name(tokens, i)
    )


def _full_name(at: Context) -> bool:
    """Whether a first name that is also a word stands before another name: "Grace Kelly"."""
    return names.capital_after(at.tokens, at.first) and _given_name(at)


def _single_name(at: Context) -> bool:
    """Whether the name stands alone: "Moses", not "Moses Malone"."""
    tokens, i = at.tokens, at.first
    return (
        tokens.capital(i)
        and not names.name_before(tokens, i)
        and not names.capital_after(tokens, i)
    )


def _people_follow(at: Context) -> bool:
    """Whether a word for people follows, one modifier or another group apart at most."""
    tokens, i = at.tokens, at.last
    if names.names_place(tokens, i):
        return False
    after = tokens.after(i)
    if after in _PEOPLE:
        return True
    if after not in _MODIFIERS or not tokens.touches(i + 2):
        return False
    following = tokens.word(i + 2)
    return following in _PEOPLE or (
        after in {"and", "or"} and tokens.touches(i + 3) and tokens.word(i + 3) in _PEOPLE
    )


def _believing_people(at: Context) -> bool:
    """Whether a word for people follows or it stands after a form of "be"."""
    if _people_follow(at):
        return True
    linked = at.tokens.before(at.first) in _LINKING
    return linked and not pronouns.starts_noun(at.tokens, at.last + 1)


def _one_person(at: Context) -> bool:
    """Whether it follows an article, with no noun behind: "an Asian", "a Christian who"."""
    if at.last > at.first or at.tokens.word(at.first) == "jew":
        return True
    article = at.tokens.before(at.first) in _ARTICLES
    return article and not pronouns.starts_noun(at.tokens, at.last + 1)


def _plural_people(at: Context) -> bool:
    """Whether it is the plural noun for people, not egg whites."""
    return _common(at) and at.tokens.before(at.first) not in _OTHER_WHITES


def _adjective(at: Context) -> bool:
    """Whether it is no first name ("Christian Bale") and no part of a place's name."""
    tokens, i = at.tokens, at.first
    if names.names_place(tokens, at.last):
        return False
    if tokens.lower[i] != "christian" or tokens.before(i) in _ARTICLES:
        return True
    if names.capital_after(tokens, i):
        return False
    return not names.is_first_name(tokens, i, at.given_names)


#: Rules by the name that the lexicons use.
RULES: Final[Mapping[str, Callable[[Context], bool]]] = {
    "always": _always,
    "determiner": _determiner,
    "common": _common,
    "small": _small,
    "title": _title,
    "kin": _kin,
    "rank_of": _rank_of,
    "given_name": _given_name,
    "full_name": _full_name,
    "single_name": _single_name,
    "adjective": _adjective,
    "people_follow": _people_follow,
    "believing_people": _believing_people,
    "one_person": _one_person,
    "plural_people": _plural_people,
}
