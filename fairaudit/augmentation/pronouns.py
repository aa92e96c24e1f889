"""Tell "her" the determiner (his) from "her" the object (him), and "his" from "his" (hers).

A light part-of-speech rule. What follows decides: a noun phrase makes the pronoun a determiner, the
end of a phrase or a function word makes it stand alone. Where the next word can be both, the word
before decides: "called her back" against "hurt her back", "made her laugh", "found her dead",
"gave her flowers". The rules read only words that a swap leaves alone, or treat both members of a
pair alike, so that the twin is read as the original was.
"""

from __future__ import annotations

from typing import Final

from fairaudit.augmentation.tokens import Tokens, is_hyphen
from fairaudit.augmentation.wordlists import word_list

_FUNCTION: Final = word_list("function_words") | word_list("finite_verbs")
_OPEN: Final = word_list("open_words")
_LY_NOUNS: Final = word_list("ly_nouns")
_MOVING: Final = word_list("moving_verbs")
_PLACES: Final = word_list("places")
_CAUSATIVE: Final = word_list("causative")
_PERCEPTION: Final = word_list("perception")
_NOUN_OR_INFINITIVE: Final = word_list("noun_or_infinitive")
#: Verbs that are hardly ever nouns: "her" before one is an object whatever stands before it.
_INFINITIVES: Final = word_list("infinitives") - _NOUN_OR_INFINITIVE
_MADE_NOUNS: Final = word_list("made_nouns")
_PARTICIPLE_VERBS: Final = word_list("participle_verbs")
_ING_NOUNS: Final = word_list("ing_nouns")
_PREDICATE_VERBS: Final = word_list("predicate_verbs")
_PREDICATES: Final = word_list("predicates")
_TWO_OBJECTS: Final = word_list("two_object_verbs")
_BARE_OBJECTS: Final = word_list("bare_objects")
_NUMBERS: Final = word_list("numbers")
_NAME_VERBS: Final = word_list("name_verbs")
_APPOINTING: Final = word_list("appointing_verbs")
_AFTER_ONE: Final = word_list("after_one")
_ED_NOUNS: Final = word_list("ed_nouns")
_ACTIONS: Final = word_list("actions")
_SEEN_THINGS: Final = word_list("seen_things")
_ADJECTIVES: Final = word_list("adjectives")
_ROLES: Final = word_list("roles")

_TEACHING: Final = word_list("teaching_verbs")
_TAKING: Final = word_list("taking_verbs")
_LIKING: Final = word_list("liking_verbs")
_WATCHING: Final = word_list("watching_verbs")
_BEFORE_SIDES: Final = word_list("before_sides")
_WISHING: Final = word_list("wishing_verbs")
_OWN: Final = frozenset({"her", "his", "him"})
_DETERMINERS: Final = frozenset({"her", "his", "their", "my", "your", "our", "its"})
_OPENING: Final = frozenset("\"“\u2018'`([{<*_$£€#«")
_CLOSING: Final = frozenset(".,;:!?…)]}>—–”’")


def is_determiner(tokens: Tokens, i: int) -> bool:
    """Whether the pronoun "her" or "his" at word ``i`` belongs to a noun that follows.

    Parameters
    ----------
    tokens : Tokens
        The text.
    i : int
        Place of "her" or "his".

    Returns
    -------
    bool
        True: her/his as in "her book". False: "saw her" (him), "is his" (hers).
    """
    if not _reaches_word(tokens, i + 1):
        return _joined_by_slash(tokens, i)
    follower = tokens.word(i + 1)
    if not tokens.touches(i + 1):
        return tokens.before(i) not in _NAME_VERBS
    if follower == "good" and tokens.before(i) in _WISHING:
        return False
    if follower == "own" or _hyphenated(tokens, i + 1):
        return True
    if follower in {"and", "or"} and tokens.after(i + 1) in _DETERMINERS:
        return _coordinated(tokens, i)
    if tokens.lower[i] == "his":
        return not (follower in _FUNCTION or _is_adverb(follower)) or _still_nominal(tokens, i + 1)
    return not _stands_alone(tokens, i)


def starts_noun(tokens: Tokens, i: int) -> bool:
    """Whether word ``i`` goes on with a noun phrase rather than ending it."""
    return _reaches_word(tokens, i) and tokens.word(i) not in _FUNCTION | {"being"}


def _reaches_word(tokens: Tokens, i: int) -> bool:
    """Whether word ``i`` exists and no punctuation cuts it off from the word before."""
    if i >= len(tokens):
        return False
    gap = tokens.gap(i)
    marks = gap.strip()
    if not marks or is_hyphen(gap):
        return gap.count("\n") < 2
    if not gap[0].isspace() or not _CLOSING.isdisjoint(marks) or marks[0] not in _OPENING:
        return False
    # A mark with space on both sides opens a quotation if an even number stand before it.
    if gap[-1].isspace():
        return tokens.text.count(marks[0], 0, tokens.spans[i - 1][1]) % 2 == 0
    return True


def _hyphenated(tokens: Tokens, i: int) -> bool:
    """Whether word ``i`` begins a compound, whatever its parts: "her so-called friends"."""
    return i + 1 < len(tokens) and is_hyphen(tokens.gap(i + 1))


def _joined_by_slash(tokens: Tokens, i: int) -> bool:
    if i + 1 >= len(tokens) or tokens.gap(i + 1).strip() != "/":
        return False
    return tokens.word(i + 1) in _DETERMINERS and is_determiner(tokens, i + 1)


def _coordinated(tokens: Tokens, i: int) -> bool:
    """Decide "his or her book" (determiner) against "for her and her husband" (object)."""
    other = tokens.word(i + 2)
    if other == tokens.lower[i]:
        return False
    if other in _OWN:
        return is_determiner(tokens, i + 2)
    return tokens.word(i + 1) == "or"


def _stands_alone(tokens: Tokens, i: int) -> bool:
    """Whether "her" before another word is an object all the same."""
    verb, follower = tokens.before(i), tokens.word(i + 1)
    if _is_moved(tokens, i, verb, follower):
        return True
    if follower == "being":
        return verb in {"with", "without"}
    if follower == "best":
        return verb in _LIKING
    if follower in {"left", "right"} and verb in _BEFORE_SIDES:
        return False
    if follower in {"all", "one", "every"} and tokens.after(i + 1) in _AFTER_ONE:
        return True
    if verb in _TWO_OBJECTS | _TAKING and (follower in _NUMBERS or _is_count(follower)):
        return True
    if follower == "past" and not tokens.touches(i + 2):
        return False
    if follower in _OPEN or _is_adverb(follower):
        return not _still_nominal(tokens, i + 1)
    if follower in _FUNCTION or follower in _INFINITIVES:
        return True
    return _has_complement(tokens, i, verb, follower)


def _still_nominal(tokens: Tokens, i: int) -> bool:
    """Whether the adverb or ambiguous word at ``i`` leads on to a noun: "her newly found dog"."""
    word = tokens.word(i)
    if word in _FUNCTION and word not in _OPEN:
        return False
    if word in _ADJECTIVES and tokens.gap(i + 1) == ", ":
        return tokens.word(i + 1) not in _FUNCTION
    if not starts_noun(tokens, i + 1) and not (
        tokens.touches(i + 1) and tokens.word(i + 1) in _OPEN | {"and"}
    ):
        return False
    follower = tokens.word(i + 1)
    if follower in _OPEN or _is_adverb(follower):
        return _still_nominal(tokens, i + 1)
    return True


def _is_count(word: str) -> bool:
    """Whether a number counts something; four digits are a year: "her 1995 debut"."""
    return word.isdigit() and len(word) != len("1995")


def _is_adverb(word: str) -> bool:
    return word.endswith("ly") and len(word) > 4 and word not in _LY_NOUNS


def _is_participle(word: str) -> bool:
    regular = word.endswith("ed") and not word.endswith(("bed", "eed"))
    return regular and len(word) > 4 and word not in _ED_NOUNS


def _is_moved(tokens: Tokens, i: int, verb: str, follower: str) -> bool:
    """Decide "drove her home", "called her back"."""
    return verb in _MOVING and follower in _PLACES and not starts_noun(tokens, i + 2)


def _has_complement(tokens: Tokens, i: int, verb: str, follower: str) -> bool:
    """Whether the verb before "her" takes a second complement, and the next word is one."""
    phrase_ends = not starts_noun(tokens, i + 2)
    if verb in _CAUSATIVE and follower in _NOUN_OR_INFINITIVE:
        return not verb.startswith("ma") or follower not in _MADE_NOUNS
    if verb in _PERCEPTION and phrase_ends and follower in _ACTIONS:
        return follower not in _SEEN_THINGS or verb in _WATCHING
    if verb in _PARTICIPLE_VERBS and follower.endswith("ing") and follower not in _ING_NOUNS:
        return True
    if phrase_ends and _is_participle(follower):
        return True
    if phrase_ends and verb in _PREDICATE_VERBS and follower in _PREDICATES:
        return True
    if verb in _APPOINTING and phrase_ends and follower in _ROLES:
        return True
    if verb in _NAME_VERBS and tokens.title(i + 1):
        return True
    if verb in _TEACHING and tokens.title(i + 1) and phrase_ends:
        return True
    return verb in _TWO_OBJECTS and follower in _BARE_OBJECTS and phrase_ends
