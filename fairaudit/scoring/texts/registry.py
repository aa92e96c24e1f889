"""Every text scorer by name: one explicit list. What is not at hand says why."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairaudit.errors import DataError, UsageError
from fairaudit.scoring.texts.answers import LetteredAnswers
from fairaudit.scoring.texts.base import NotAvailable, TextScorer
from fairaudit.scoring.texts.group_words import GroupWords
from fairaudit.scoring.texts.hurtlex import HurtLex
from fairaudit.scoring.texts.polarity import UnigramPolarity, VectorPolarity
from fairaudit.scoring.texts.refusals import Refusals
from fairaudit.scoring.texts.vader import Vader

Source = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Material:
    """What scorers are made from, as far as it is at hand.

    Parameters
    ----------
    hurtlex : bytes or None
        Content of HurtLex's English file.
    toxicity, regard : str, path or None
        Text classifiers: ``<Hub id or folder>[@revision][#label]``.
    device : str
        Where classifiers run.
    vectors : path or None
        File of word vectors as text, for BOLD's projections on the direction of gender.
    """

    hurtlex: bytes | None = None
    toxicity: Source | None = None
    regard: Source | None = None
    device: str = "auto"
    vectors: str | os.PathLike[str] | None = None


Made = TextScorer | NotAvailable


def _vader(material: Material) -> Made:
    return Vader()


def _hurtlex(material: Material) -> Made:
    if material.hurtlex is None:
        return NotAvailable(
            "hurtlex", "the lexicon HurtLex is not at hand; name its folder: --data"
        )
    return HurtLex(material.hurtlex)


def _toxicity(material: Material) -> Made:
    if material.toxicity is None:
        return NotAvailable(
            "toxicity", "no classifier of toxicity; name one: --toxicity-classifier"
        )
    from fairaudit.scoring.texts.classifier import toxicity_classifier

    return toxicity_classifier(material.toxicity, device=material.device)


def _regard(material: Material) -> Made:
    if material.regard is None:
        return NotAvailable("regard", "no classifier of regard; name one: --regard-classifier")
    from fairaudit.scoring.texts.classifier import regard_classifier

    return regard_classifier(material.regard, device=material.device)


def _words(material: Material) -> Made:
    return GroupWords()


def _polarity(material: Material) -> Made:
    return UnigramPolarity()


def _choices(material: Material) -> Made:
    return LetteredAnswers()


def _people(material: Material) -> Made:
    return LetteredAnswers("people-parsed", ("a", "b"))


def _refusals(material: Material) -> Made:
    return Refusals()


def _projections(material: Material) -> Made:
    if material.vectors is None:
        reason = "no word vectors: gender polarity is by unigrams only"
        return NotAvailable("projections", reason)
    path = Path(material.vectors)
    try:
        return VectorPolarity(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: word vectors cannot be read ({error.strerror})") from error


_MAKERS: Final[dict[str, Callable[[Material], Made]]] = {
    "toxicity": _toxicity,
    "regard": _regard,
    "vader": _vader,
    "hurtlex": _hurtlex,
    "words": _words,
    "polarity": _polarity,
    "projections": _projections,
    "choices": _choices,
    "people": _people,
    "refusals": _refusals,
}

#: Names of all scorers.
NAMES: Final = tuple(_MAKERS)


def text_scorers(
    names: Sequence[str],
    *,
    hurtlex: bytes | None = None,
    toxicity: Source | None = None,
    regard: Source | None = None,
    device: str = "auto",
    vectors: str | os.PathLike[str] | None = None,
) -> list[TextScorer | NotAvailable]:
    """Make the scorers of these names, in this order, from what is at hand.

    Parameters
    ----------
    names : sequence of str
        Of `NAMES`.
    hurtlex, toxicity, regard, device, vectors
        See `Material`.

    Returns
    -------
    list of TextScorer or NotAvailable
        `NotAvailable` where a lexicon or classifier was not given.

    Raises
    ------
    UsageError
        If there is no scorer of that name.
    ModelError
        If a classifier that was named cannot be loaded.
    DataError
        If a lexicon or file of vectors is damaged.
    """
    unknown = [name for name in names if name not in _MAKERS]
    if unknown:
        raise UsageError(f"no text scorer is called '{unknown[0]}'; there are {', '.join(NAMES)}")
    material = Material(hurtlex, toxicity, regard, device, vectors)
    return [_MAKERS[name](material) for name in names]
