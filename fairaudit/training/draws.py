"""Which records enter a step, and with which of their rows and twins.

Every record enters every step with probability q, independently (Poisson sampling), in plain arms
too, so that arms differ in one thing only. A draw may be empty. Twins enter in one of three ways:

- *averaged*: a record brings its rows and their twins, weighted so that the record counts as one;
- *separate*: the record and its counterfactual are drawn independently, each with probability q;
  of several counterfactuals (other axes, other groups) one is taken at each draw;
- *substitution*: the record or, with probability ½ at each draw, a counterfactual in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fairaudit.training.encoding import Ids, Record, Row, Variants
from fairaudit.training.masking import Masker
from fairaudit.training.recipe import CdaMode

#: What the model sees, and the labels.
LabelledRow = tuple[Ids, Ids]


@dataclass(frozen=True, slots=True)
class Example:
    """One drawn unit, whose gradient is clipped as a whole.

    Parameters
    ----------
    record : int
        Which record it comes from.
    rows : tuple of (ids, labels)
        Its rows.
    weights : tuple of float
        Weight of each row's token mean; they sum to 1.
    """

    record: int
    rows: tuple[LabelledRow, ...]
    weights: tuple[float, ...]


class Labeller(Protocol):
    """Turns a row and its twins into what the model sees, and labels."""

    def __call__(self, variants: Sequence[Row], rng: np.random.Generator) -> list[LabelledRow]:
        """Label the variants of one row alike."""


def causal_labels(variants: Sequence[Row], rng: np.random.Generator) -> list[LabelledRow]:
    """Every token that is learned is predicted from those before it."""
    del rng
    return [(row.ids, row.labels) for row in variants]


def labeller(masker: Masker | None) -> Labeller:
    """Return the labeller of an objective; None: causal.

    Parameters
    ----------
    masker : Masker or None
        What masks tokens, for a masked model.

    Returns
    -------
    Labeller
        From rows of token ids to rows with labels.
    """
    if masker is None:
        return causal_labels

    def masked(variants: Sequence[Row], rng: np.random.Generator) -> list[LabelledRow]:
        return masker.mask([row.ids for row in variants], rng)

    return masked


class Sampler:
    """Draws the examples of one step after another.

    Parameters
    ----------
    records : sequence of Record
        Encoded records.
    rate : float
        q, between 0 and 1.
    mode : {"none", "averaged", "separate", "substitution"}
        How counterfactuals are used.
    label : Labeller
        The objective.
    rng : numpy.random.Generator
        Source of draws, substitutions and masks.
    """

    def __init__(
        self,
        records: Sequence[Record],
        rate: float,
        mode: CdaMode,
        label: Labeller,
        rng: np.random.Generator,
    ) -> None:
        self._records, self._rate, self._mode = records, rate, mode
        self._label, self.rng = label, rng

    def draw(self) -> list[Example]:
        """Return the examples of the next step, in the order of the records."""
        copies = 2 if self._mode == "separate" else 1
        drawn = np.flatnonzero(self.rng.random(copies * len(self._records)) < self._rate)
        return [self._example(int(place // copies), int(place % copies)) for place in drawn]

    def _example(self, number: int, copy: int) -> Example:
        record = self._records[number]
        rows: list[LabelledRow] = []
        weights: list[float] = []
        for variants in self._chosen(record, copy):
            rows += self._label(variants, self.rng)
            weights += [1 / (len(record) * len(variants))] * len(variants)
        return Example(number, tuple(rows), tuple(weights))

    def _chosen(self, record: Record, copy: int) -> Iterator[Variants]:
        """Variants of each row that enter."""
        if self._mode == "averaged":
            yield from record
        elif self._mode == "substitution":
            swapped = self.rng.random() < 0.5
            for variants in record:
                yield (_one_twin(variants, self.rng) if swapped else variants[0],)
        else:
            # A row without a twin is its own, so that all records count alike.
            for variants in record:
                yield (variants[0] if copy == 0 else _one_twin(variants, self.rng),)


def _one_twin(variants: Variants, rng: np.random.Generator) -> Row:
    return variants[int(rng.integers(1, len(variants)))] if len(variants) > 1 else variants[0]
