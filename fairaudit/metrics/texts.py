"""Which metrics a score table of texts supports: by the labels that its scorers gave.

A suite of prompts can be scored in several ways; each scorer is a protocol. Verdicts rest on the
differences of one of them, the first that the table holds of toxicity, regard, sentiment and
HONEST. The others are exploratory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairaudit.metrics import honest, regard, sentiment, toxicity
from fairaudit.metrics.quantities import Quantity

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.metrics.building import Measurement
    from fairaudit.results import Estimate


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics of one kind of score, of which the first quantity is the main one.

    ``measure`` and ``estimate`` give what is no mean of a quantity.
    """

    quantities: tuple[Quantity, ...]
    measure: Callable[[pd.DataFrame], Iterator[Measurement]] | None = None
    estimate: Callable[[pd.DataFrame, int], Iterator[Estimate]] | None = None


#: In the order in which verdicts rest on them.
FAMILIES: Final = (
    Family(toxicity.QUANTITIES, toxicity.ratios, toxicity.ratios_and_distances),
    Family(regard.QUANTITIES),
    Family(sentiment.QUANTITIES),
    Family(honest.QUANTITIES),
)


def is_of_texts(table: pd.DataFrame) -> bool:
    """Whether a score table holds scores of texts."""
    return "label" in table and "sample" in table


def text_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Measure each protocol of a score table of texts, value by value.

    Parameters
    ----------
    table : DataFrame
        One row per prompt, text and label, with ``sample`` (which text) and ``label`` beside the
        columns of every score table.
    """
    for family, scores, primary in _parts(table):
        for quantity in family.quantities:
            if quantity.fits(scores):
                yield from quantity.measurements(scores, primary=primary)
        if family.measure is not None:
            yield from family.measure(scores)


def text_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates of a score table of texts."""
    return list(_estimates(table, seed))


def _estimates(table: pd.DataFrame, seed: int) -> Iterator[Estimate]:
    for family, scores, primary in _parts(table):
        for quantity in family.quantities:
            if quantity.fits(scores):
                yield from quantity.estimates(scores, seed, primary=primary)
        if family.estimate is not None:
            yield from family.estimate(scores, seed)


def _parts(table: pd.DataFrame) -> Iterator[tuple[Family, pd.DataFrame, bool]]:
    """Each protocol with its family, and whether verdicts rest on it."""
    found = [
        (rank, scores)
        for _, scores in table.groupby("protocol", sort=True)
        if (rank := _rank(scores)) is not None
    ]
    first = min((rank for rank, _ in found), default=None)
    for rank, scores in found:
        yield FAMILIES[rank], scores, rank == first
        if rank == first:
            first = None


def _rank(scores: pd.DataFrame) -> int | None:
    ranks = (r for r, family in enumerate(FAMILIES) if family.quantities[0].fits(scores))
    return next(ranks, None)
