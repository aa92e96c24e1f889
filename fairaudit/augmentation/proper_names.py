"""Which capitals belong to a proper name: surnames, places, works.

The rule about surnames: a first name of the list is read as a surname, and stays as it is, where
another name, an initial or a title such as "Mr." or "Senator" stands directly before it; once it
stood so in a record, it is a surname everywhere in that record ("Henry James ... James wrote").
Between two other names it is a middle name and is swapped ("Mary Elizabeth Smith"). A first name
before a word for a place or institution ("George Street") stays, too.

"Christian" is a first name, not a believer, where no article, determiner, linking verb or hyphen
stands before it and no noun behind: before a verb ("Christian said"), after a verb or preposition
("met Christian at noon"), with "'s", or beside another first name ("Mary and Christian").
"""

from __future__ import annotations

from typing import Final

from fairaudit.augmentation.tokens import Tokens, is_hyphen
from fairaudit.augmentation.wordlists import word_list

_SURNAME_TITLES: Final = word_list("surname_titles")
_GIVEN_NAME_TITLES: Final = word_list("given_name_titles")
_PLACES_AFTER: Final = word_list("places_after")
_PLACE_SURNAMES: Final = word_list("place_surnames")
_BEFORE_PLACES: Final = frozenset({"in", "at", "near", "the"})
_OPENERS: Final = word_list("openers") | word_list("function_words")
_NEVER_BEFORE_GIVEN: Final = word_list("never_before_given")
_BEFORE_FIRST_NAMES: Final = word_list("before_first_names")
_VERBS: Final = word_list("finite_verbs") | word_list("auxiliaries") | word_list("irregular_pasts")
_SAYING: Final = word_list("saying_verbs")
_AFTER_VERB: Final = frozenset(
    {"the", "a", "an", "his", "her", "him", "my", "your", "our", "their", "this", "that", "it"}
)
#: Endings of words for a nation or church, which stand before "Christian" without being a name.
_NOT_FIRST: Final = ("al", "an", "ant", "ch", "ek", "ern", "ese", "ic", "ish", "ox", "ean", "ive")
_PARTICIPLES: Final = word_list("participles_before_nouns")
_FUNCTION: Final = word_list("function_words")
_BELIEVERS: Final = frozenset(
    """
    buddhist catholic christian hindu islamic jew jewish muslim orthodox pagan protestant secular
    sikh
    """.split()  # noqa: SIM905
)
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


def is_first_name(tokens: Tokens, i: int, given_names: frozenset[str]) -> bool:
    """Whether "Christian" at word ``i`` is somebody's first name.

    Parameters
    ----------
    tokens : Tokens
        The record.
    i : int
        Place of the word.
    given_names : frozenset of str
        All first names of the lexicon, in small letters.
    """
    if not tokens.title(i) or is_hyphen(tokens.gap(i)) or is_hyphen(tokens.gap(i + 1)):
        return False
    if tokens.after(i) in _SAYING and _opens_clause(tokens, i):
        return True
    if _beside(tokens, i, _BELIEVERS):
        return False
    if _after_a_name(tokens, i):
        return verb_follows(tokens, i) or _owns(tokens, i)
    if _beside(tokens, i, given_names) or tokens.before(i) in given_names:
        return not _goes_on_to_noun(tokens, i)
    opens, before = tokens.opens_sentence(i), tokens.before(i)
    if not (opens or before in _BEFORE_FIRST_NAMES):
        return False
    if _owns(tokens, i) or verb_follows(tokens, i):
        return True
    return not opens and not _goes_on_to_noun(tokens, i)


def _beside(tokens: Tokens, i: int, words: frozenset[str]) -> bool:
    """Whether a comma, "and" or "or" joins word ``i`` to one of these words."""
    for step in (-1, 1):
        near = i + step
        if tokens.word(near) in {"and", "or", "nor", "but"}:
            near += step
        elif "," not in tokens.gap(max(i, near)):
            continue
        if tokens.word(near) in words and tokens.capital(near):
            return True
    return False


def _owns(tokens: Tokens, i: int) -> bool:
    return tokens.word(i + 1) == "s" and tokens.gap(i + 1) in {"'", "’"}


def _opens_clause(tokens: Tokens, i: int) -> bool:
    """Whether a sentence, a quotation's end or a comma stands before word ``i``."""
    before = tokens.before(i)
    return tokens.opens_sentence(i) or not before or before in _BEFORE_FIRST_NAMES


def _after_a_name(tokens: Tokens, i: int) -> bool:
    """Whether an unknown name stands before word ``i``: "Fletcher Christian"."""
    if not name_before(tokens, i) or not tokens.title(i - 1):
        return False
    return tokens.word(i - 1) not in _BELIEVERS and not tokens.word(i - 1).endswith(_NOT_FIRST)


def verb_follows(tokens: Tokens, i: int) -> bool:
    """Whether the word after word ``i`` is a verb that says what somebody does or did."""
    after = tokens.after(i)
    if after in _VERBS:
        return True
    if after.endswith("s") and tokens.after(i + 1) in _AFTER_VERB:
        return True
    regular = after.endswith("ed") and len(after) > 4 and after not in _PARTICIPLES
    return regular and tokens.lower[i + 1] == tokens.words[i + 1]


def _goes_on_to_noun(tokens: Tokens, i: int) -> bool:
    return tokens.touches(i + 1) and tokens.word(i + 1) not in _FUNCTION | _VERBS
