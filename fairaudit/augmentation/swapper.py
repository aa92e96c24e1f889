"""The swapper: a record's counterfactual twins, from the record and public lists alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from fairaudit.augmentation.analysis import Analysis, analyse
from fairaudit.augmentation.lexicon import AXES, groups
from fairaudit.errors import UsageError

if TYPE_CHECKING:
    from fairaudit.augmentation.mapping import BatchAugmenter

Mode = Literal["two-sided", "one-sided", "substitution"]
Shifts = Literal["choice", "all"]

#: What becomes of a record: itself and its twins; its twins; one of both with p = 1/2.
MODES: Final[tuple[str, ...]] = get_args(Mode)
#: A record and at most three twins.
MAX_VARIANTS: Final = 4


@dataclass(frozen=True, slots=True)
class Twin:
    """A counterfactual variant and the shift of each axis that made it."""

    text: str
    shifts: Mapping[str, int]


@dataclass(frozen=True)
class Swapper:
    """Makes the counterfactual twins of records.

    A twin is a pure function of its own record, the lexicons and these settings: never of the
    record's position, of other records, or of a generator that is shared between records. With
    differential privacy a record and its twins can therefore be one privacy unit.

    Parameters
    ----------
    axes : tuple of str
        Which of ``AXES`` to swap; a word of several axes belongs to the first one named.
    shifts : {"choice", "all"}
        Axes with more than two groups: go to one other group, drawn for the record, or to all.
    seed : int
        Seed of the records' own generators: ``SeedSequence([seed, hash of the record])``.

    Raises
    ------
    UsageError
        For an unknown axis, no axis, an axis named twice, unknown shifts or a negative seed.
    """

    axes: tuple[str, ...] = ("gender",)
    shifts: Shifts = "choice"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        object.__setattr__(self, "axes", _checked_axes(self.axes))
        if self.shifts not in get_args(Shifts):
            raise UsageError(f"shifts '{self.shifts}' is unknown; use choice or all")
        if self.seed < 0:
            raise UsageError(f"seed {self.seed} is negative; use 0 or more")

    def analyse(self, text: str) -> Analysis:
        """Find the words to swap and their classes."""
        return analyse(text, self.axes)

    def twins(self, text: str) -> list[str]:
        """Counterfactual variants of a record.

        Parameters
        ----------
        text : str
            One record.

        Returns
        -------
        list of str
            At most three texts, all different from the record and each other; empty if there is
            nothing to swap.
        """
        return [twin.text for twin in self.twins_of(self.analyse(text))]

    def twins_of(self, analysis: Analysis) -> list[Twin]:
        """Twins of a record that was analysed before, with the shifts that made them."""
        found = {analysis.text: Twin(analysis.text, {})}
        for shifts in self._combinations(analysis):
            twin = Twin(analysis.render(shifts), shifts)
            found.setdefault(twin.text, twin)
        return list(found.values())[1:]

    def substitute(self, text: str) -> str:
        """Return the record or, with probability 1/2, one of its twins drawn evenly."""
        return self._substitute(text, self.twins(text))

    def variants(self, text: str, mode: Mode = "two-sided") -> list[str]:
        """Return what a record becomes in a mode; never empty.

        Parameters
        ----------
        text : str
            One record.
        mode : {"two-sided", "one-sided", "substitution"}
            The record and its twins; its twins alone, or the record if it has none; or one text.

        Raises
        ------
        UsageError
            For an unknown mode.
        """
        return self.arrange(text, self.twins(text), mode)

    def arrange(self, text: str, twins: list[str], mode: Mode) -> list[str]:
        """Put a record and its twins together as a mode asks."""
        check_mode(mode)
        if mode == "two-sided":
            return [text, *twins]
        if mode == "one-sided":
            return twins or [text]
        return [self._substitute(text, twins)]

    def as_map(self, *, column: str = "text", mode: Mode = "two-sided") -> BatchAugmenter:
        """Return a function for ``datasets.Dataset.map(..., batched=True)``; it can be pickled."""
        from fairaudit.augmentation.mapping import BatchAugmenter

        return BatchAugmenter(self, column, check_mode(mode))

    def _substitute(self, text: str, twins: list[str]) -> str:
        if not twins:
            return text
        generator = record_generator(text, self.seed, "substitution")
        return text if generator.random() < 0.5 else twins[generator.integers(len(twins))]

    def _combinations(self, analysis: Analysis) -> list[dict[str, int]]:
        """Shifts of the twins: all combinations of the axes, or three of them."""
        found = set(analysis.axes)
        axes = [axis for axis in self.axes if axis in found]
        options = [self._options(axis, analysis.text) for axis in axes]
        combinations = [dict(zip(axes, each, strict=True)) for each in product(*options)][1:]
        if len(combinations) < MAX_VARIANTS:
            return combinations
        if self.shifts == "choice":
            # Three axes: the half of the eight variants in which every axis is swapped in two.
            return [each for each in combinations if sum(map(bool, each.values())) == 2]
        generator = record_generator(analysis.text, self.seed, "variants")
        kept = generator.choice(len(combinations), MAX_VARIANTS - 1, replace=False)
        return [combinations[k] for k in sorted(kept)]

    def _options(self, axis: str, text: str) -> list[int]:
        """Shifts of one axis, the first of them none."""
        n = len(groups(axis))
        if self.shifts == "all" or n == 2:
            return list(range(n))
        return [0, int(record_generator(text, self.seed, axis).integers(1, n))]


def record_generator(text: str, seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one record and purpose: seeded by the seed and the record's hash."""
    content = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(content, digest_size=16).digest()
    return np.random.default_rng(np.random.SeedSequence([seed, int.from_bytes(digest)]))


def check_mode(mode: Mode) -> Mode:
    """Return the mode, or raise UsageError if there is none of that name."""
    if mode not in MODES:
        raise UsageError(f"mode '{mode}' is unknown; use {', '.join(MODES)}")
    return mode


def _checked_axes(axes: tuple[str, ...] | list[str] | str) -> tuple[str, ...]:
    named = (axes,) if isinstance(axes, str) else tuple(axes)
    if not named:
        raise UsageError(f"name at least one axis of {', '.join(AXES)}")
    for axis in named:
        if axis not in AXES:
            raise UsageError(f"axis '{axis}' has no lexicon; use {', '.join(AXES)}")
    if len(set(named)) < len(named):
        raise UsageError(f"an axis is named twice in {', '.join(named)}")
    return named
