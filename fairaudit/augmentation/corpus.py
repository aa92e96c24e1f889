"""Augment a corpus in one call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.augmentation.coverage import CoverageCounter, CoverageReport, Scorer, fluency
from fairaudit.augmentation.swapper import Mode, Shifts, Swapper, check_mode
from fairaudit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Augmentation:
    """A corpus after counterfactual augmentation.

    Parameters
    ----------
    variants : tuple of tuple of str
        By input record, the texts it became; never empty.
    twins : tuple of tuple of str
        By input record, its twins; empty where there was nothing to swap.
    report : CoverageReport
        What was swapped.
    """

    variants: tuple[tuple[str, ...], ...]
    twins: tuple[tuple[str, ...], ...]
    report: CoverageReport

    @property
    def texts(self) -> tuple[str, ...]:
        """The augmented corpus, in the order of the records."""
        return tuple(text for variants in self.variants for text in variants)

    def to_frame(self) -> pd.DataFrame:
        """Table of the augmented corpus.

        Returns
        -------
        DataFrame
            ``record`` (position of the input record), ``variant`` (0: the record as it was, 1 and
            up: its twins), ``text``.
        """
        import pandas as pd

        rows = [
            (record, _place(text, twins), text)
            for record, (variants, twins) in enumerate(zip(self.variants, self.twins, strict=True))
            for text in variants
        ]
        return pd.DataFrame(rows, columns=["record", "variant", "text"])


def augment(
    texts: Iterable[str],
    axes: Sequence[str] = ("gender",),
    *,
    mode: Mode = "two-sided",
    shifts: Shifts = "choice",
    seed: int = 0,
    scorer: Scorer | None = None,
) -> Augmentation:
    """Add to every record its counterfactual twins, or put them in its place.

    Parameters
    ----------
    texts : iterable of str
        The records.
    axes : sequence of str
        What to swap: "gender", "race", "religion".
    mode : {"two-sided", "one-sided", "substitution"}
        Records and twins; twins instead of records that have some; or, for every record, one of
        both with probability 1/2.
    shifts : {"choice", "all"}
        Axes with more than two groups: to one other group drawn for the record, or to all others
        (at most three twins a record).
    seed : int
        Seed of the records' own generators.
    scorer : callable or None
        Perplexities of texts, for the fluency ratio of the report.

    Returns
    -------
    Augmentation
        The new corpus, the twins by record and a coverage report.

    Raises
    ------
    UsageError
        For unknown axes, mode or shifts.
    DataError
        If a record is not text; the message names its position. If most records look like another
        language than English.

    Examples
    --------
    >>> from fairaudit.augmentation import augment
    >>> augment(["She thanked her father."]).texts
    ('She thanked her father.', 'He thanked his mother.')
    """
    swapper = Swapper(tuple(axes) if not isinstance(axes, str) else (axes,), shifts, seed)
    check_mode(mode)
    counter = CoverageCounter(swapper.axes)
    records: list[str] = []
    twins: list[tuple[str, ...]] = []
    for position, text in enumerate(_records(texts)):
        if not isinstance(text, str):
            raise DataError(f"record {position} is {type(text).__name__}, not text")
        analysis = swapper.analyse(text)
        found = swapper.twins_of(analysis)
        counter.add(analysis, found)
        records.append(text)
        twins.append(tuple(twin.text for twin in found))
    counter.refuse_foreign()
    variants = [
        tuple(swapper.arrange(text, list(own), mode))
        for text, own in zip(records, twins, strict=True)
    ]
    return Augmentation(tuple(variants), tuple(twins), _report(counter, scorer, records, twins))


def _records(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):
        raise DataError("texts is one string; pass a list of records")
    return texts


def _place(text: str, twins: tuple[str, ...]) -> int:
    return twins.index(text) + 1 if text in twins else 0


def _report(
    counter: CoverageCounter,
    scorer: Scorer | None,
    records: Sequence[str],
    twins: Sequence[tuple[str, ...]],
) -> CoverageReport:
    if scorer is None:
        return counter.report()
    pairs = [(text, twin) for text, own in zip(records, twins, strict=True) for twin in own]
    ratio, reason = fluency(scorer, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
    return counter.report(fluency_ratio=ratio, fluency_reason=reason)
