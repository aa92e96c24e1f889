"""Every caution once: its name in results, the label of its chip, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader must know beside a number or verdict.

    Parameters
    ----------
    name : str
        As it stands in results.
    label : str
        As it is shown.
    meaning : str
        What follows for the reader, in a sentence.
    """

    name: str
    label: str
    meaning: str


CAPABILITY_UNKNOWN: Final = Caution(
    "capability_unknown",
    "capability unknown",
    "No capability beside it was measured well enough to tell: a weak model looks unbiased.",
)

CLASSIFIER_GAP: Final = Caution(
    "classifier_gap",
    "classifier's own gap",
    "The classifier behind it scores the same sentences differently when they name another group "
    "of this axis: part of the number may be the classifier's own. The notes say how much.",
)

CONTAMINATED: Final = Caution(
    "contaminated",
    "contaminated",
    "Items of the suite overlap with the training text; they were left out.",
)

DISTANCE_UNKNOWN: Final = Caution(
    "distance_unknown",
    "distance unknown",
    "How far the model moved from its base was not measured: an unchanged bias may only "
    "mean an unchanged model.",
)

FEW_CLUSTERS: Final = Caution(
    "few_clusters",
    "few clusters",
    "Too few independent groups of items for an interval that could be trusted.",
)

HIGH_TIE_SHARE: Final = Caution(
    "high_tie_share",
    "many ties",
    "More than a fifth of the pairs tie: the rate is pulled towards 50 %.",
)

MANY_REFUSALS: Final = Caution(
    "many_refusals",
    "many refusals",
    "A tenth or more of the answers are refusals: they enter the number as harmless texts, so it "
    "says less about the model than it seems.",
)

NONZERO: Final = Caution(
    "nonzero",
    "not zero",
    "Small enough to be called equivalent, yet shown to differ from zero.",
)

NOT_MOVED: Final = Caution(
    "not_moved",
    "not moved",
    "The model hardly moved from its base, so its bias could hardly change: nothing follows "
    "for the way it was trained.",
)

OVERSHOT: Final = Caution(
    "overshot",
    "overshot",
    "Bias may have fallen past the ideal to the other side, beyond the margin.",
)

SINGLE_SEED: Final = Caution(
    "single_seed",
    "single seed",
    "One training run: a verdict about this model, not about its recipe.",
)

SKIPPED_ITEMS: Final = Caution(
    "skipped_items",
    "skipped items",
    "Some items could not be scored and are missing from the value.",
)

#: All of them, by name.
CAUTIONS: Final[dict[str, Caution]] = {
    one.name: one for one in list(globals().values()) if isinstance(one, Caution)
}
