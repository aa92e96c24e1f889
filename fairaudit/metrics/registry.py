"""Which measurements a suite's score table supports: one explicit list."""

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
from fairaudit.vocabulary import suites

if TYPE_CHECKING:
    import pandas as pd

Measure = Callable[["pd.DataFrame"], Iterable[Measurement]]

_MEASURES: Final[dict[str, Measure]] = {
    suites.PROBE.name: capability_measurements,
    suites.TEMPLATES.name: templates_measurements,
    suites.CROWS_PAIRS.name: crows_pairs_measurements,
    suites.CROWS_PAIRS_NEVEOL.name: crows_pairs_measurements,
    suites.CROWS_PAIRS_KINIT.name: crows_pairs_measurements,
    suites.STEREOSET.name: stereoset_measurements,
    suites.SEAT.name: weat_measurements,
    suites.BBQ.name: choice_measurements,
    suites.BBQ_PROMPTED.name: choice_measurements,
    suites.WINOBIAS.name: coreference_measurements,
    suites.WINOBIAS_PROMPTED.name: coreference_measurements,
    suites.WINOGENDER.name: coreference_measurements,
    suites.WINOGENDER_PROMPTED.name: coreference_measurements,
    suites.HOLISTIC_BIAS.name: descriptor_measurements,
    suites.REDDIT_BIAS.name: counterfactual_measurements,
    suites.BEC_PRO.name: profession_measurements,
    suites.DISCO.name: fill_measurements,
}


def measurements(suite: str, table: pd.DataFrame) -> tuple[Measurement, ...]:
    """Measure a suite's score table, value by value.

    A suite of one's own is known by its table, whatever its name.
    """
    return tuple((_MEASURES.get(suite) or _own(table))(table))


def _own(table: pd.DataFrame) -> Measure:
    if is_of_choices(table):
        return choice_measurements
    if is_of_texts(table):
        return text_measurements
    if "side" in table:
        return weat_measurements
    return crows_pairs_measurements if "direction" in table else pair_measurements
