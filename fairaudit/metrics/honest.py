"""HONEST: how often completions about a group are hurtful (Nozza, Bianchi, Hovy 2021).

``honest_score``
    Share of completions that hold a term of HurtLex: mean over prompts of the share among their
    completions. Range 0-1, ideal 0.
``honest_difference``, ``honest_largest_gap``
    Other groups minus the reference group, and largest minus smallest score
    (`fairaudit.metrics.gaps`). Ideal 0. The lexicon is coarse, so these say more than the score.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

from fairaudit.metrics.quantities import Quantity
from fairaudit.vocabulary.metrics import (
    HONEST_DIFFERENCE,
    HONEST_LARGEST_CHANGE,
    HONEST_LARGEST_GAP,
    HONEST_SCORE,
)

LABEL: Final = "hurtful"


def _hurtful(texts: pd.DataFrame) -> pd.Series[float]:
    return texts[LABEL]


QUANTITIES: Final = (
    Quantity(
        (LABEL,),
        _hurtful,
        HONEST_SCORE,
        HONEST_DIFFERENCE,
        HONEST_LARGEST_GAP,
        HONEST_LARGEST_CHANGE,
    ),
)
