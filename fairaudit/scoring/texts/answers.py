"""Which of several answers a text gives; strict, because a guess would be a finding.

A text gives an answer if it is that answer: its letter, its words, or both, which must then agree.
Case, punctuation around it and an article in front do not count, and neither does "Answer:" before
it. A text that says more than one thing gives none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from fairaudit.items import NOT_UNDERSTOOD, Continuation, Skipped
from fairaudit.lines import lines_of
from fairaudit.scoring.texts.base import Scores

_LEAD: Final = re.compile(r"(?:(?:the )?(?:correct )?answer(?: is)? ?:? )(?=\S)")
#: A whole word: "he" begins as "the" ends, and "another" as "an" does.
_ARTICLE: Final = re.compile(r"(?:the|an|a) (?=\S)")
_LETTER: Final = re.compile(r"\(?([a-z])(?:[).:]|\s*-)?(?:\s+(?P<rest>\S.*))?")
_AROUND: Final = " .,;:!?\"'“”‘’«»*_`[]"


def answer_of(text: str, answers: Sequence[str], *, letters: bool = False) -> int | None:
    """Index of the answer that a text gives, or None if it gives none or more than one.

    Parameters
    ----------
    text : str
        What was written; its first line that is not empty counts.
    answers : sequence of str
        The answers to choose from, all different.
    letters : bool
        Whether they were offered as A, B, C, ..., so that a letter names one.

    Returns
    -------
    int or None
        Place among ``answers``.

    Examples
    --------
    >>> answer_of("The grandfather.", ["Grandfather", "Grandson", "Unknown"])
    0
    >>> answer_of("he", ["The", "He", "Unknown"])
    1
    >>> answer_of("b) grandfather", ["Grandfather", "Grandson"], letters=True) is None
    True
    """
    line = next((line for line in lines_of(text) if line.strip()), "")
    said = _LEAD.sub("", _plain(line), count=1) if _LEAD.match(_plain(line)) else _plain(line)
    known = [_plain(answer) for answer in answers]
    found = _by_words(said, known)
    return _by_letter(said, known) if found is None and letters else found


def _by_words(said: str, known: Sequence[str]) -> int | None:
    """Index of the answer with these words: as they stand, or else without articles."""
    for short in (str, _without_article):
        found = [index for index, one in enumerate(known) if said and short(said) == short(one)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _by_letter(said: str, known: Sequence[str]) -> int | None:
    match = _LETTER.fullmatch(said)
    if match is None:
        return None
    index = ord(match[1]) - ord("a")
    if index >= len(known):
        return None
    rest = match["rest"]
    return index if rest is None or _by_words(rest.strip(_AROUND), known) == index else None


def _without_article(text: str) -> str:
    return _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text


def _plain(text: str) -> str:
    """Text in one spelling: case, quotation marks, blanks, and what stands around it."""
    folded = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(folded.casefold().split()).strip(_AROUND)


class LetteredAnswers:
    """1 for the answer that a completion gives, 0 for the others; for questions with letters.

    The item's facts hold the answers as ``answer_a``, ``answer_b``, ...

    Parameters
    ----------
    name : str
        What stands behind the suite in the protocol id.
    labels : tuple of str
        Letters of the answers.
    """

    def __init__(
        self, name: str = "choices-parsed", labels: tuple[str, ...] = ("a", "b", "c")
    ) -> None:
        self.id = name
        self.labels = labels

    def score(self, texts: Sequence[Continuation]) -> list[Scores | Skipped]:
        """Which answer each completion gives; those that give none are skipped."""
        return [self._choice(one) for one in texts]

    def _choice(self, one: Continuation) -> Scores | Skipped:
        answers = [str(one.item.facts[f"answer_{label}"]) for label in self.labels]
        place = answer_of(one.text, answers, letters=True)
        if place is None:
            return NOT_UNDERSTOOD
        return {label: float(index == place) for index, label in enumerate(self.labels)}
