"""A finding in words, and what has such words: its value is what files hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fairaudit.vocabulary.tones import Tone


@dataclass(frozen=True, slots=True)
class Word:
    """A finding in words.

    Parameters
    ----------
    label, mark : str
        As it is called, and the sign that stands for it.
    tone : Tone
        Its colour.
    meaning, limit : str
        What it means and what it does not mean, in a sentence each.
    """

    label: str
    mark: str
    tone: Tone
    meaning: str
    limit: str


class Worded(StrEnum):
    """A name as it stands in files, with its words."""

    word: Word

    def __new__(cls, name: str, word: Word) -> Worded:
        """Make a name with its words."""
        made = str.__new__(cls, name)
        made._value_, made.word = name, word
        return made
