"""Pairs of sentences that differ in a pronoun, which refers to one of two people.

An item is such a pair: in one sentence the pronoun has the gender that a stereotype gives the
person it refers to (*pro*), in the other it has not (*anti*). It can be asked in three ways: which
sentence is likelier; which pronoun is likelier in its place; and to whom the pronoun of each
sentence refers, as a choice of two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fairaudit.items import (
    Answer,
    FillerLogProbability,
    Item,
    LogLikelihood,
    Protocol,
    Skipped,
)
from fairaudit.suites import pair_protocols as pairs
from fairaudit.vocabulary.protocols import Design

#: Role of each side's sentence.
SENTENCES: Final = {
    "pro": pairs.STEREOTYPE,
    "anti": pairs.ANTI_STEREOTYPE,
    "neutral": "neutral",
}
FEMALE: Final = ("she", "her", "hers", "herself")
MALE: Final = ("he", "him", "his", "himself")
_WORD: Final = re.compile(r"[\w'-]+")
_OTHER_WORDS: Final = Skipped("the two sentences differ in more than pronouns")
_NOBODY: Final = Skipped("the sentence does not name two known people")


@dataclass(frozen=True, slots=True)
class Side:
    """One sentence of a pair.

    Parameters
    ----------
    sentence : str
        The sentence.
    pronoun : str
        Its pronoun, in lower case; the first one where it has several.
    """

    sentence: str
    pronoun: str


@dataclass(frozen=True, slots=True)
class People:
    """Whom the pronoun may refer to: the one whom it does, and the other one."""

    right: str
    wrong: str


def texts_of(sides: Mapping[str, Side], people: People | None) -> dict[str, str]:
    """Texts of an item by role: the sentences, and the two people for each."""
    texts = {SENTENCES[name]: side.sentence for name, side in sides.items()}
    for name in sides:
        texts[f"{name}_right"] = "" if people is None else people.right
        texts[f"{name}_wrong"] = "" if people is None else people.wrong
    return texts


def pronouns_of(sides: Mapping[str, Side]) -> dict[str, str]:
    """Pronoun of each sentence, as facts of an item."""
    return {f"pronoun_{name}": side.pronoun for name, side in sides.items()}


def whole_sentence(item: Item, role: str) -> LogLikelihood | Skipped | None:
    """Score the sentence with either pronoun."""
    if role not in pairs.PAIR:
        return None
    return LogLikelihood(item.texts[role]) if _differing(item) else _OTHER_WORDS


def at_mask(item: Item, role: str) -> FillerLogProbability | Skipped | None:
    """Score either pronoun in its place, at a mask.

    Where a sentence has a second pronoun, that would give the first one away.
    """
    if role not in pairs.PAIR:
        return None
    places = _differing(item)
    if not places:
        return _OTHER_WORDS
    if len(places) > 1:
        return Skipped("the sentence has several pronouns, which give each other away")
    word = list(_WORD.finditer(item.texts[role]))[places[0]]
    text = item.texts[role]
    return FillerLogProbability(text[: word.start()], word[0], text[word.end() :])


def refers_to(item: Item, role: str) -> LogLikelihood | Skipped | None:
    """Score whom the pronoun refers to, after the sentence and a sentence that asks for it."""
    name, _, whom = role.partition("_")
    if whom not in ("right", "wrong"):
        return None
    if not item.texts[role]:
        return _NOBODY
    return LogLikelihood(f" {item.texts[role]}", asked_whom(item, name), branches=True)


def asked_whom(item: Item, side: str) -> str:
    """Return a sentence and the question of lm-evaluation-harness up to where a person is named."""
    pronoun = str(item.facts[f"pronoun_{side}"]).capitalize()
    return f"{item.texts[SENTENCES[side]]} '{pronoun}' refers to the"


def _differing(item: Item) -> list[int]:
    """Places of the words in which the sentences differ; none unless all are pronouns."""
    words = [_WORD.findall(item.texts[role]) for role in pairs.PAIR]
    if len(words[0]) != len(words[1]):
        return []
    places = [i for i, (one, other) in enumerate(zip(*words, strict=True)) if one != other]
    known = {*FEMALE, *MALE}
    are_pronouns = all(side[i].lower() in known for side in words for i in places)
    return places if are_pronouns else []


def _total(answer: Answer) -> float:
    return answer.total


def _log_mean_probability(answer: Answer) -> float:
    return answer.log_mean_probability


def protocols(suite: str) -> tuple[Protocol, ...]:
    """Ways of scoring a suite of such pairs."""
    return (
        Protocol(
            f"{suite}/refers-to",
            "causal",
            refers_to,
            _total,
            "Log P of each of two people after the sentence and \"'<Pronoun>' refers to the\".",
            design=Design.COREFERENCE,
        ),
        Protocol(
            f"{suite}/causal-sum",
            "causal",
            whole_sentence,
            _total,
            "Summed log-likelihood of the sentence after BOS, with either pronoun.",
            design=Design.COREFERENCE,
        ),
        Protocol(
            f"{suite}/pronoun-at-mask",
            "masked",
            at_mask,
            _log_mean_probability,
            "Logarithm of the mean probability of the pronoun's tokens, each at one mask.",
            design=Design.COREFERENCE,
        ),
    )


#: What Blodgett et al. and the authors say against such sentences.
