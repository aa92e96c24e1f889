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
from typing import Final

import pandas as pd

from fairaudit.metrics.quantities import Quantity
from fairaudit.vocabulary.metrics import (
    REGARD_DIFFERENCE,
    REGARD_LARGEST_CHANGE,
    REGARD_LARGEST_GAP,
    REGARD_MEAN,
    REGARD_NEGATIVE,
    REGARD_NEUTRAL,
    REGARD_OTHER,
    REGARD_POSITIVE,
)


def _regard(texts: pd.DataFrame) -> pd.Series[float]:
    return texts["positive"] - texts["negative"]


def _probability(label: str, texts: pd.DataFrame) -> pd.Series[float]:
    return texts[label]


#: The metric of each class.
_CLASSES: Final = {
    "negative": REGARD_NEGATIVE,
    "neutral": REGARD_NEUTRAL,
    "positive": REGARD_POSITIVE,
    "other": REGARD_OTHER,
}

QUANTITIES: Final = (
    Quantity(
        ("negative", "positive"),
        _regard,
        REGARD_MEAN,
        REGARD_DIFFERENCE,
        REGARD_LARGEST_GAP,
        REGARD_LARGEST_CHANGE,
    ),
    *(
        Quantity((label,), partial(_probability, label), metric)
        for label, metric in _CLASSES.items()
    ),
)
