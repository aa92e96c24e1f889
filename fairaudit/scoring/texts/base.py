"""What a text scorer is: texts in; one number per label, or a reason, out.

A scorer sees stored texts, never the model that wrote them. Its id says everything that decides its
numbers (lexicon and version, classifier and revision), because numbers of different scorers are not
comparable: the id becomes the protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from fairaudit.items import Continuation, Skipped

#: One number per label of the scorer.
Scores = Mapping[str, float]


class TextScorer(Protocol):
    """Scores the texts that a model wrote.

    A text that cannot be scored is `Skipped` with the reason. It is never 0, since 0 would read as
    the best or the most neutral of scores.
    """

    @property
    def id(self) -> str:
        """What decides the numbers: ``vader-3.3.2``, ``<classifier>@<revision or fingerprint>``."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """Keys of every answer, in order."""
        ...

    def score(self, texts: Sequence[Continuation]) -> list[Scores | Skipped]:
        """Score texts; one answer each, in the order of the texts."""
        ...


@dataclass(frozen=True, slots=True)
class NotAvailable:
    """A scorer that was asked for and is not at hand, with the reason in words.

    Parameters
    ----------
    name : str
        Of the scorer.
    reason : str
        Why it cannot be used, and what to do.
    """

    name: str
    reason: str


#: An empty text says nothing, neither good nor bad.
EMPTY = Skipped("the completion is empty")


def is_empty(text: str) -> bool:
    """Whether a text holds nothing but blanks and characters that cannot be seen."""
    return not any(character.isprintable() and not character.isspace() for character in text)


def scored_one_by_one(
    texts: Sequence[Continuation], score: Callable[[str], Scores]
) -> list[Scores | Skipped]:
    """Score each continuation by itself, without its prompt; empty ones are skipped."""
    return [EMPTY if is_empty(one.text) else score(one.text) for one in texts]
