"""The contexts in which a word of the lexicon is read in a class, by the name used there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from fairaudit.augmentation import pronouns
from fairaudit.augmentation import proper_names as names
from fairaudit.augmentation.lexicon import all_readings
from fairaudit.augmentation.tokens import Tokens, is_hyphen
from fairaudit.augmentation.wordlists import word_list

#: Classes of the gender lexicon that are nouns for people, and for nothing else.
_NOUNS_FOR_PEOPLE: Final = frozenset(
    {"people", "kinship", "performers_and_service", "offices", "trades", "other_roles"}
)
_PEOPLE: Final = (
    word_list("people")
    | word_list("people_of_groups")
    | {
        entry.phrase.words[0]
        for entry in all_readings("gender")
        if entry.sense in _NOUNS_FOR_PEOPLE and len(entry.phrase.words) == 1
    }
)
_CLITICS: Final = frozenset({"m", "re", "s"})
_HYPHENED: Final = word_list("hyphened_people")
_PERSONAL: Final = word_list("personal_subjects")
#: Groups that stand in lists: "black, white and Asian voters".
_GROUPS: Final = word_list("group_adjectives")
_LONGEST_LIST: Final = 6
_JOINING: Final = frozenset({"and", "or", "nor"})
_ADVERBS: Final = frozenset({"not", "also", "never", "always", "both", "too", "half", "part"})
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
    """Whether a word for people follows, a list of groups or one modifier apart at most."""
    tokens, i = at.tokens, _end_of_list(at.tokens, at.last)
    if names.names_place(tokens, at.last):
        return False
    after = tokens.after(i)
    if after in _PEOPLE:
        return True
    if after in _HYPHENED and is_hyphen(tokens.gap(i + 1)):
        return True
    if after not in _MODIFIERS or not tokens.touches(i + 2):
        return False
    following = tokens.word(i + 2)
    return following in _PEOPLE or (
        after in {"and", "or"} and tokens.touches(i + 3) and tokens.word(i + 3) in _PEOPLE
    )


def _end_of_list(tokens: Tokens, i: int) -> int:
    """Last group of the list that goes on from word ``i``: "black, white and Asian"."""
    for _ in range(_LONGEST_LIST):
        gap, near = tokens.gap(i + 1).strip(), i + 1
        if tokens.word(near) in _JOINING and gap in {"", ","}:
            near += 1
        elif gap not in {",", "/"}:
            break
        if tokens.word(near) not in _GROUPS:
            break
        i = near
    return i


def _start_of_list(tokens: Tokens, i: int) -> int:
    """First group of the list that word ``i`` goes on with."""
    for _ in range(_LONGEST_LIST):
        near = i - 1
        while tokens.word(near) in _JOINING | {"not"}:
            near -= 1
        joined = near < i - 1 or tokens.gap(i).strip() in {",", "/"}
        if not joined or tokens.word(near) not in _GROUPS:
            break
        i = near
    return i


def _linked(tokens: Tokens, i: int) -> int:
    """Place of the form of "be" of which word ``i`` is the predicate; -1 if there is none."""
    if tokens.before(i) in {"neither", "either", "both"}:
        i -= 1
    while tokens.before(i) in _ADVERBS or (tokens.before(i).endswith("ly") and i > 1):
        i -= 1
    if not tokens.touches(i):
        return -1
    if tokens.word(i - 1) in _LINKING:
        return i - 1
    if tokens.word(i - 1) in _CLITICS and tokens.word(i - 2) in _PERSONAL:
        return i - 1
    asked = tokens.word(i - 1) in _PERSONAL and tokens.word(i - 2) in _LINKING
    return i - 2 if asked else -1


def _predicate(at: Context, *, of_person: bool) -> bool:
    """Whether it stands after a form of "be" with no noun behind: "she is Asian"."""
    tokens = at.tokens
    if pronouns.starts_noun(tokens, at.last + 1) or _first_name(at):
        return False
    start = _start_of_list(tokens, at.first)
    place = _linked(tokens, start)
    if place < 0 or not of_person:
        return place >= 0
    ends = not tokens.touches(at.last + 1) or tokens.word(at.last + 1) in _JOINING
    subjects = {tokens.word(place - 1), tokens.word(place + 1) if place + 1 < start else ""}
    return ends and not subjects.isdisjoint(_PERSONAL | _PEOPLE)


def _believing_people(at: Context) -> bool:
    """Whether a word for people follows or it stands after a form of "be"."""
    return _people_follow(at) or _predicate(at, of_person=False)


def _people_or_colour(at: Context) -> bool:
    """Whether a word for people follows, or it is said of a person.

    "Asian" and "Hispanic" may be said of anything; "black" and "white", which are colours too, of
    a personal pronoun or a word for people ("she is black"), at the end of a phrase.
    """
    colour = at.tokens.lower[at.first] in {"black", "white"}
    return _people_follow(at) or _predicate(at, of_person=colour)


def _one_person(at: Context) -> bool:
    """Whether it follows an article, with no noun behind: "an Asian", "a Christian said"."""
    tokens = at.tokens
    if at.last > at.first or tokens.word(at.first) == "jew":
        return True
    if tokens.before(at.first) not in _ARTICLES:
        return False
    return names.verb_follows(tokens, at.last) or not pronouns.starts_noun(tokens, at.last + 1)


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
    return not _first_name(at)


def _first_name(at: Context) -> bool:
    """Whether "Christian" is somebody's first name."""
    christian = at.tokens.lower[at.first] == "christian"
    return christian and names.is_first_name(at.tokens, at.first, at.given_names)


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
    "people_or_colour": _people_or_colour,
    "believing_people": _believing_people,
    "one_person": _one_person,
    "plural_people": _plural_people,
}
