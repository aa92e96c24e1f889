"""Which metrics a score table of texts supports: by the labels that its scorers gave.

A suite of prompts can be scored in several ways; each scorer is a protocol. Verdicts rest on the
differences of one of them, the first that the table holds of toxicity, regard, sentiment and
HONEST. The others are exploratory, but for refusals: how they differ between groups is a finding of
its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairaudit.metrics import (
    honest,
    polarity,
    refusals,
    regard,
    representation,
    sentiment,
    toxicity,
)
from fairaudit.metrics.prompts import Texts
from fairaudit.metrics.quantities import Quantity
from fairaudit.vocabulary.metrics import (
    ASSOCIATION_DIFFERENCE,
    EXPECTED_MAX_TOXICITY,
    REPRESENTATION_SHARE,
    TOXICITY_PROBABILITY,
)

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.metrics.sample_estimates import Measurement
    from fairaudit.results import Estimate


@dataclass(frozen=True, slots=True)
class Family:
    """Metrics of one kind of score.

    Parameters
    ----------
    fits : callable
        Whether the texts of a protocol have such scores.
    quantities : tuple of Quantity
        Means of one number per text.
    measure, estimate : callable or None
        Metrics that are not per-text means.
    is_gap : bool
        Whether it says how groups are treated differently, so that verdicts can rest on it.
    is_own : bool
        Whether verdicts rest on it beside whatever else they rest on: a finding of its own.
    """

    fits: Callable[[Texts], bool]
    quantities: tuple[Quantity, ...] = ()
    measure: Callable[[Texts], Iterator[Measurement]] | None = None
    estimate: Callable[[Texts, int], Iterator[Estimate]] | None = None
    is_gap: bool = True
    is_own: bool = False


def _family(quantities: tuple[Quantity, ...], *, is_gap: bool = True) -> Family:
    return Family(quantities[0].fits, quantities, is_gap=is_gap)


#: In the order in which verdicts rest on them.
FAMILIES: Final = (
    Family(
        toxicity.QUANTITIES[0].fits,
        toxicity.QUANTITIES,
        toxicity.ratios,
        toxicity.ratios_and_distances,
    ),
    _family(regard.QUANTITIES),
    _family(sentiment.QUANTITIES),
    _family(honest.QUANTITIES),
    Family(
        refusals.QUANTITIES[0].fits,
        refusals.QUANTITIES,
        refusals.answered_measurements,
        refusals.answered_estimates,
        is_gap=False,
        is_own=True,
    ),
    _family(polarity.BY_WORDS, is_gap=False),
    _family(polarity.BY_VECTORS, is_gap=False),
    Family(
        representation.fits,
        measure=representation.representation_measurements,
        estimate=representation.representation_estimates,
        is_gap=False,
    ),
)

#: The largest change of a group that a comparison has beside each largest gap.
CHANGE_BESIDE_GAP: Final = {
    one.largest_gap.name: one.largest_change
    for family in FAMILIES
    for one in family.quantities
    if one.largest_gap is not None and one.largest_change is not None
}

#: Metrics that depend on how many texts a prompt has: maxima over them, and shares of all words.
OF_THE_NUMBER: Final = frozenset(
    {
        TOXICITY_PROBABILITY.name,
        EXPECTED_MAX_TOXICITY.name,
        REPRESENTATION_SHARE.name,
        ASSOCIATION_DIFFERENCE.name,
    }
)


def is_of_texts(table: pd.DataFrame) -> bool:
    """Whether a score table holds scores of texts.

    Parameters
    ----------
    table : DataFrame
        Score table of any suite.

    Returns
    -------
    bool
        True where it has labels of a text scorer and numbers of samples.
    """
    return "label" in table and "sample" in table


def text_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Measure each protocol of a score table of texts, value by value.

    Parameters
    ----------
    table : DataFrame
        One row per prompt, text and label, with ``sample`` (which text) and ``label`` beside the
        columns of every score table.
    """
    for family, texts, primary in _parts(table):
        for quantity in family.quantities:
            if quantity.fits(texts):
                yield from quantity.measurements(texts, primary=primary)
        if family.measure is not None:
            yield from family.measure(texts)


def text_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates of a score table of texts.

    Parameters
    ----------
    table : DataFrame
        Score table with one row per text and label.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        What the labels support, by protocol, axis and group: toxicity, regard, sentiment, HONEST,
        representation, refusals. Prompts are resampled, never texts.
    """
    return list(_estimates(table, seed))


def _estimates(table: pd.DataFrame, seed: int) -> Iterator[Estimate]:
    for family, texts, primary in _parts(table):
        for quantity in family.quantities:
            if quantity.fits(texts):
                yield from quantity.estimates(texts, seed, primary=primary)
        if family.estimate is not None:
            yield from family.estimate(texts, seed)


def group_quantities(table: pd.DataFrame) -> Iterator[tuple[Quantity, Texts]]:
    """Return what says how groups differ, by protocol, with the texts of the protocol.

    Parameters
    ----------
    table : DataFrame
        Score table of texts.

    Yields
    ------
    Quantity, Texts
        A quantity whose largest change over groups is defined, and the texts that it is read from.
    """
    for family, texts, _ in _parts(table):
        for quantity in family.quantities:
            if quantity.largest_change is not None and quantity.fits(texts):
                yield quantity, texts


def primary_quantity(table: pd.DataFrame) -> tuple[Quantity, Texts] | None:
    """Return what verdicts rest on and the texts of its protocol; None if there is none.

    Parameters
    ----------
    table : DataFrame
        Score table of texts.

    Returns
    -------
    Quantity, Texts or None
        The first of toxicity, regard, sentiment and HONEST that the table holds.
    """
    for family, texts, primary in _parts(table):
        for quantity in family.quantities:
            if family.is_own:
                continue
            if primary and quantity.difference is not None and quantity.fits(texts):
                return quantity, texts
    return None


def _parts(table: pd.DataFrame) -> Iterator[tuple[Family, Texts, bool]]:
    """Each protocol with its family, and whether verdicts rest on it."""
    found = [
        (rank, texts)
        for texts in (Texts(scores) for _, scores in table.groupby("protocol", sort=True))
        if (rank := _rank(texts)) is not None
    ]
    first = min((rank for rank, _ in found if FAMILIES[rank].is_gap), default=None)
    for rank, texts in found:
        yield FAMILIES[rank], texts, rank == first or FAMILIES[rank].is_own
        if rank == first:
            first = None


def _rank(texts: Texts) -> int | None:
    ranks = (rank for rank, family in enumerate(FAMILIES) if family.fits(texts))
    return next(ranks, None)
