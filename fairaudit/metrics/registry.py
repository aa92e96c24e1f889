"""Which measurements a suite's score table supports: one explicit list, by design."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from fairaudit.metrics.capability import capability_measurements
from fairaudit.metrics.choices import choice_measurements, is_of_choices
from fairaudit.metrics.coreference import coreference_measurements
from fairaudit.metrics.counterfactual import counterfactual_measurements
from fairaudit.metrics.crows_pairs import crows_pairs_measurements
from fairaudit.metrics.descriptors import descriptor_measurements
from fairaudit.metrics.fills import fill_measurements
from fairaudit.metrics.professions import profession_measurements
from fairaudit.metrics.sample_estimates import Measurement
from fairaudit.metrics.sentence_pairs import pair_measurements
from fairaudit.metrics.stereoset import stereoset_measurements
from fairaudit.metrics.templates import templates_measurements
from fairaudit.metrics.texts import is_of_texts, text_measurements
from fairaudit.metrics.weat import weat_measurements
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import CARDS, PROBE

if TYPE_CHECKING:
    import pandas as pd

Measure = Callable[["pd.DataFrame"], Iterable[Measurement]]

_MEASURES: Final[dict[Design, Measure]] = {
    Design.TEMPLATES: templates_measurements,
    Design.PAIRS: pair_measurements,
    Design.CROWS_PAIRS: crows_pairs_measurements,
    Design.STEREOSET: stereoset_measurements,
    Design.CHOICES: choice_measurements,
    Design.COREFERENCE: coreference_measurements,
    Design.DESCRIPTORS: descriptor_measurements,
    Design.COUNTERFACTUAL: counterfactual_measurements,
    Design.PROFESSIONS: profession_measurements,
    Design.FILLS: fill_measurements,
}


def measurements(suite: str, table: pd.DataFrame) -> tuple[Measurement, ...]:
    """Measure a suite's score table, value by value.

    A suite of one's own is known by its table, whatever its name.

    Parameters
    ----------
    suite : str
        Name of the suite.
    table : DataFrame
        Its score table.

    Returns
    -------
    tuple of Measurement
        What is measured and the sample that it is estimated from; `compare` pairs two of them by
        item.
    """
    if suite == PROBE.name:
        return tuple(capability_measurements(table))
    card = CARDS.get(suite)
    measure = _own(table) if card is None or card.design is None else _MEASURES[card.design]
    return tuple(measure(table))


def _own(table: pd.DataFrame) -> Measure:
    if is_of_choices(table):
        return choice_measurements
    if is_of_texts(table):
        return text_measurements
    if "side" in table:
        return weat_measurements
    return crows_pairs_measurements if "direction" in table else pair_measurements
