"""Which measurements a suite's score table supports: one explicit list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from fairaudit.metrics.building import Measurement
from fairaudit.metrics.capability import capability_measurements
from fairaudit.metrics.choices import choice_measurements
from fairaudit.metrics.coreference import coreference_measurements
from fairaudit.metrics.crows_pairs import crows_pairs_measurements
from fairaudit.metrics.pairs import pair_measurements
from fairaudit.metrics.stereoset import stereoset_measurements
from fairaudit.metrics.templates import templates_measurements
from fairaudit.metrics.texts import is_of_texts, text_measurements
from fairaudit.metrics.weat import weat_measurements

if TYPE_CHECKING:
    import pandas as pd

Measure = Callable[["pd.DataFrame"], Iterable[Measurement]]

_MEASURES: Final[dict[str, Measure]] = {
    "probe": capability_measurements,
    "templates": templates_measurements,
    "crows_pairs": crows_pairs_measurements,
    "crows_pairs_neveol": crows_pairs_measurements,
    "crows_pairs_kinit": crows_pairs_measurements,
    "stereoset": stereoset_measurements,
    "bbq": choice_measurements,
    "bbq_prompted": choice_measurements,
    "winobias": coreference_measurements,
    "winogender": coreference_measurements,
    "seat": weat_measurements,
}


def measurements(suite: str, table: pd.DataFrame) -> tuple[Measurement, ...]:
    """Measure a suite's score table, value by value.

    A suite of one's own is known by its table, whatever its name.
    """
    return tuple((_MEASURES.get(suite) or _own(table))(table))


def _own(table: pd.DataFrame) -> Measure:
    if is_of_texts(table):
        return text_measurements
    if "side" in table:
        return weat_measurements
    return crows_pairs_measurements if "direction" in table else pair_measurements
