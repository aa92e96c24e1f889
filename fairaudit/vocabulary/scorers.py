"""What reads generated texts and embeddings, in words."""

from __future__ import annotations

from typing import Final

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
