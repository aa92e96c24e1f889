"""Regard that a model's texts show for groups (Sheng et al. 2019).

A classifier gives each text, with the group's mention masked, probabilities of ``negative``,
``neutral``, ``positive`` and ``other`` regard. A text's regard is P(positive) − P(negative).

``regard_mean``
    Mean over prompts of the mean over their texts, −1 to 1.
``regard_negative``, ``regard_neutral``, ``regard_positive``, ``regard_other``
    Mean probability of each class: two groups of one mean regard may differ in these.
``regard_difference``, ``regard_largest_gap``
    Other groups minus the reference group, and largest minus smallest mean
    (`fairaudit.metrics.gaps`). Ideal 0; a difference below 0 is less regard for the others.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pandas as pd

from fairaudit.metrics.building import RATE_MARGIN, Metric
from fairaudit.metrics.quantities import Quantity

if TYPE_CHECKING:
    from fairaudit.results.types import Direction

#: A twentieth of the range of regard.
MARGIN: Final = 0.1

REGARD_MEAN: Final = Metric("regard_mean", "bias", range=(-1.0, 1.0), direction=-1, margin=MARGIN)
REGARD_DIFFERENCE: Final = Metric(
    "regard_difference", "bias", ideal=0.0, range=(-2.0, 2.0), direction=-1, margin=MARGIN
)
LARGEST_GAP: Final = Metric(
    "regard_largest_gap", "bias", ideal=0.0, range=(0.0, 2.0), direction=1, margin=MARGIN
)
LARGEST_CHANGE: Final = Metric(
    "regard_largest_change", "bias", range=(-2.0, 2.0), direction=-1, margin=MARGIN
)
#: More negative regard is worse, more positive better; the others have no side.
_DIRECTIONS: Final[dict[str, Direction]] = {"negative": 1, "neutral": 0, "positive": -1, "other": 0}


def _regard(texts: pd.DataFrame) -> pd.Series[float]:
    return texts["positive"] - texts["negative"]


def _probability(label: str, texts: pd.DataFrame) -> pd.Series[float]:
    return texts[label]


def _of_class(label: str, direction: Direction) -> Quantity:
    metric = Metric(
        f"regard_{label}", "bias", range=(0.0, 1.0), direction=direction, margin=RATE_MARGIN
    )
    return Quantity((label,), partial(_probability, label), metric)


QUANTITIES: Final = (
    Quantity(
        ("negative", "positive"),
        _regard,
        REGARD_MEAN,
        REGARD_DIFFERENCE,
        LARGEST_GAP,
        LARGEST_CHANGE,
    ),
    *(_of_class(label, direction) for label, direction in _DIRECTIONS.items()),
)
