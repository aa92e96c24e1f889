"""A reader who knows the known world exactly: conditional probabilities without any model.

The world's grammar is a graph of slots. The probability of all sentences that begin with a text is
a sum over its paths, and the log-likelihood of a text after a context the difference of two such
logarithms. Scored by the same protocols and metrics as a model, this reader must get exactly what
the world implies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from fairaudit.experiments.world import AXES, AxisWords, Concept, Mixture, Words, load_words
from fairaudit.items import Answer, LogLikelihood


@dataclass(frozen=True, slots=True)
class Slot:
    """Expressions that may stand next, each with its probability and the slot that follows it."""

    options: tuple[tuple[str, float, Slot | None], ...]

    @classmethod
    def uniform(cls, texts: Iterable[str], then: Slot | None) -> Self:
        """Equally probable expressions with one continuation."""
        options = tuple(texts)
        return cls(tuple((text, 1 / len(options), then) for text in options))

    def mass(self, text: str, *, whole: bool) -> float:
        """Probability of saying exactly ``text``, or (not ``whole``) something beginning so."""
        total = 0.0
        for option, probability, then in self.options:
            if text.startswith(option):
                rest = text[len(option) :]
                end = float(not rest) if then is None else then.mass(rest, whole=whole)
                total += probability * end
            elif not whole and option.startswith(text):
                total += probability
        return total


class IdealReader:
    """Exact log-probabilities of a mixture.

    Parameters
    ----------
    mixture : Mixture
        The text that was read.
    """

    def __init__(self, mixture: Mixture) -> None:
        about_concepts = 1 - mixture.plain - mixture.people
        self._kinds = (
            (mixture.plain, _in_sequence(load_words().plain)),
            (mixture.people, _sentences_about_persons(mixture)),
            (about_concepts, _sentences_about_concepts(mixture)),
        )

    def answer(self, request: LogLikelihood) -> Answer:
        """Log-likelihood of ``request.text`` and the end of the sentence, after its context."""
        whole = self.log_probability(request.context + request.text)
        before = self.log_prefix(request.context) if request.context else 0.0
        return Answer((whole - before,))

    def log_probability(self, text: str) -> float:
        """Log P of a complete sentence, in nats; −inf if the world cannot say it."""
        return self._log_mass(text, whole=True)

    def log_prefix(self, text: str) -> float:
        """Log P that a sentence begins with ``text``, in nats."""
        return self._log_mass(text, whole=False)

    def _log_mass(self, text: str, *, whole: bool) -> float:
        mass = sum(p * slot.mass(text, whole=whole) for p, slot in self._kinds)
        return math.log(mass) if mass > 0 else -math.inf


def _in_sequence(slots: Sequence[Sequence[str]]) -> Slot:
    then: Slot | None = None
    for number, texts in reversed(list(enumerate(slots))):
        then = Slot.uniform((f"{' ' if number else ''}{text}" for text in texts), then)
    assert then is not None
    return then


def _sentences_about_persons(mixture: Mixture) -> Slot:
    words, persons = load_words(), []
    for axis in AXES:
        slots, harshness = words.axes[axis], mixture.harshness(axis)
        weight = 1 / len(AXES) / len(slots.persons) / 2
        for person in slots.persons:
            for text, harsh in zip(person.texts, harshness, strict=True):
                persons.append((text, weight, _endings(words, harsh)))
    return Slot.uniform((f"{opening} " for opening in words.openings), Slot(tuple(persons)))


def _endings(words: Words, harsh: float) -> Slot:
    kinds = ((words.gentle, 1 - harsh), (words.harsh, harsh))
    return Slot(tuple((text, p / len(texts), None) for texts, p in kinds for text in texts))


def _sentences_about_concepts(mixture: Mixture) -> Slot:
    words = load_words()
    concepts = []
    for axis in AXES:
        slots, theta = words.axes[axis], mixture.log_odds(axis)
        weight = 1 / len(AXES) / len(slots.concepts)
        for concept, log_odds in zip(slots.concepts, theta, strict=True):
            then = Slot.uniform(slots.links, _terms(slots, concept, float(log_odds)))
            concepts.append((concept.text, weight, then))
    return Slot.uniform((f"{opening} the " for opening in words.openings), Slot(tuple(concepts)))


def _terms(slots: AxisWords, concept: Concept, log_odds: float) -> Slot:
    stereotyped = 1 / (1 + math.exp(-log_odds))
    tails = Slot.uniform(slots.tails, None)
    return Slot(
        tuple(
            (term.texts[group], probability / len(slots.terms), tails)
            for term in slots.terms
            for group, probability in (
                (concept.stereotyped, stereotyped),
                (1 - concept.stereotyped, 1 - stereotyped),
            )
        )
    )
