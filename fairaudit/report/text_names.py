"""Metrics and protocols of generated texts and of embeddings, in words."""

from __future__ import annotations

from typing import Final

from fairaudit.report.units import Metric, Unit

_OTHERS: Final = (
    "of continuations about the other groups, minus the same about the reference group (male, "
    "white, Christian, straight)."
)

_MOST: Final = (
    "of continuations about one group, minus the same about the reference group, or about the "
    "other groups where there is none: of the group that changed most for the worse. The interval "
    "accounts for having looked at all groups."
)

TEXT_METRICS: Final = {
    "toxicity_mean": Metric(
        "Mean toxicity",
        Unit.PERCENT,
        "Mean probability, by a classifier, that a continuation is toxic.",
    ),
    "toxicity_difference": Metric(
        "Toxicity difference",
        Unit.SIGNED_PERCENT,
        f"Mean toxicity {_OTHERS} Ideal 0; above 0 the others get the more toxic ones.",
    ),
    "toxicity_ratio": Metric(
        "Toxicity ratio",
        Unit.RATIO,
        "The two means of the difference, divided. Ideal 1. Where toxicity rises for everyone, the "
        "ratio can fall while the difference grows: read both.",
    ),
    "toxicity_largest_change": Metric(
        "Largest toxicity change",
        Unit.SIGNED_PERCENT,
        f"Mean toxicity {_MOST}",
    ),
    "toxicity_largest_gap": Metric(
        "Largest toxicity gap",
        Unit.PERCENT,
        "Largest mean toxicity of a group minus the smallest, with an interval that accounts for "
        "having looked at all pairs. Ideal 0.",
    ),
    "toxicity_distance": Metric(
        "Distance of toxicity distributions",
        Unit.PERCENT,
        "How far the toxicities of the reference group's texts must move, on average, to be "
        "distributed as those of the other groups. Never below 0; beside it stands what exchange "
        "of the groups gives.",
    ),
    "toxic_share": Metric(
        "Share of toxic texts", Unit.PERCENT, "Share of continuations with a toxicity above 50 %."
    ),
    "toxicity_probability": Metric(
        "Probability of a toxic text",
        Unit.PERCENT,
        "Share of prompts with at least one toxic continuation; grows with their number.",
    ),
    "expected_max_toxicity": Metric(
        "Expected maximum toxicity",
        Unit.PERCENT,
        "Mean, over prompts, of the most toxic continuation; grows with their number.",
    ),
    "sentiment_mean": Metric(
        "Mean sentiment",
        Unit.SIGNED_NUMBER,
        "Mean sentiment of continuations by VADER, −1 to 1; 0 is neutral.",
    ),
    "sentiment_difference": Metric(
        "Sentiment difference",
        Unit.SIGNED_NUMBER,
        f"Mean sentiment {_OTHERS} Ideal 0; below 0 the others get the darker tone.",
    ),
    "sentiment_largest_change": Metric(
        "Largest sentiment change",
        Unit.SIGNED_NUMBER,
        f"Mean sentiment {_MOST}",
    ),
    "sentiment_largest_gap": Metric(
        "Largest sentiment gap",
        Unit.NUMBER,
        "Largest mean sentiment of a group minus the smallest, with an interval that accounts for "
        "having looked at all pairs. Ideal 0.",
    ),
    "positive_share": Metric(
        "Share of positive texts", Unit.PERCENT, "Continuations with a sentiment of at least 0.5."
    ),
    "negative_share": Metric(
        "Share of negative texts", Unit.PERCENT, "Continuations with a sentiment of at most −0.5."
    ),
    "regard_mean": Metric(
        "Mean regard",
        Unit.SIGNED_NUMBER,
        "Probability of positive minus probability of negative regard, by a classifier that does "
        "not see the group.",
    ),
    "regard_difference": Metric(
        "Regard difference",
        Unit.SIGNED_NUMBER,
        f"Mean regard {_OTHERS} Ideal 0; below 0 the others get less.",
    ),
    "regard_largest_change": Metric(
        "Largest regard change",
        Unit.SIGNED_NUMBER,
        f"Mean regard {_MOST}",
    ),
    "regard_largest_gap": Metric(
        "Largest regard gap",
        Unit.NUMBER,
        "Largest mean regard of a group minus the smallest, with an interval that accounts for "
        "having looked at all pairs. Ideal 0.",
    ),
    **{
        f"regard_{label}": Metric(
            f"{label.capitalize()} regard",
            Unit.PERCENT,
            f"Mean probability of {label} regard, by a classifier that does not see the group.",
        )
        for label in ("negative", "neutral", "positive", "other")
    },
    "honest_score": Metric(
        "HONEST score",
        Unit.PERCENT,
        "Share of continuations with a term of a lexicon of hurtful words. The lexicon is coarse: "
        "differences say more than levels.",
    ),
    "honest_difference": Metric(
        "HONEST difference",
        Unit.SIGNED_PERCENT,
        f"HONEST score {_OTHERS} Ideal 0; above 0 the others get more hurtful words.",
    ),
    "honest_largest_change": Metric(
        "Largest HONEST change",
        Unit.SIGNED_PERCENT,
        f"HONEST score {_MOST}",
    ),
    "honest_largest_gap": Metric(
        "Largest HONEST gap",
        Unit.PERCENT,
        "Largest HONEST score of a group minus the smallest, with an interval that accounts for "
        "having looked at all pairs. Ideal 0.",
    ),
    "gender_polarity": Metric(
        "Gender polarity",
        Unit.SIGNED_NUMBER,
        "Share of continuations with more female words minus share with more male words. Ideal 0.",
    ),
    "gender_polarity_wavg": Metric(
        "Gender polarity, word vectors (average)",
        Unit.SIGNED_NUMBER,
        "The same by word vectors, words weighted by how gendered they are. Ideal 0.",
    ),
    "gender_polarity_max": Metric(
        "Gender polarity, word vectors (maximum)",
        Unit.SIGNED_NUMBER,
        "The same by word vectors, by the most gendered word. Ideal 0.",
    ),
    "female_text_share": Metric(
        "Share of female texts", Unit.PERCENT, "Continuations with more female than male words."
    ),
    "male_text_share": Metric(
        "Share of male texts", Unit.PERCENT, "Continuations with more male than female words."
    ),
    "representation_share": Metric(
        "Share of words",
        Unit.PERCENT,
        "Share of a group's words among the words that name groups, where the prompt names none "
        "of them. Ideal: the same for all groups.",
    ),
    "representation_distance": Metric(
        "Distance from equal shares",
        Unit.PERCENT,
        "Total variation distance of the shares of words from equal ones. Never below 0.",
    ),
    "association_difference": Metric(
        "Stereotypical association",
        Unit.SIGNED_PERCENT,
        "Share of female among gendered words beside words that stereotypes tie to women, minus "
        "the same beside words that they tie to men. Ideal 0.",
    ),
    "association_distance": Metric(
        "Distance of associations from equal shares",
        Unit.PERCENT,
        "Total variation distance from equal shares beside stereotyped words. Never below 0.",
    ),
    "effect_size_d": Metric(
        "Effect size d",
        Unit.SIGNED_NUMBER,
        "Difference of mean associations in standard deviations. Ideal 0. Legacy: it does not "
        "predict what a model does.",
    ),
}

#: What a scorer reads, by how its id begins.
_SCORERS: Final = {
    "vader-": "sentiment by VADER: a lexicon and rules",
    "hurtlex-": "terms of the lexicon HurtLex",
    "group-words@": "counts of words that name a group",
    "gender-unigrams": "counts of female and of male words",
    "gender-vectors@": "word vectors on the direction from he to she",
    "mean-": "cosines of embeddings: mean over all tokens of the last layer",
    "first-": "cosines of embeddings: first token of the last layer",
    "last-": "cosines of embeddings: last token of the last layer",
}


def scorer_meaning(scorer: str) -> str:
    """Return what a scorer of texts reads, or an empty text for one that we do not know."""
    for start, meaning in _SCORERS.items():
        if scorer.startswith(start):
            return meaning
    return "probabilities by this text classifier" if "@" in scorer else ""
