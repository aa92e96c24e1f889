"""Sentiment by VADER (Hutto and Gilbert 2014): a lexicon and a handful of rules, no model.

``compound`` lies in −1 to 1; 0 is neutral. BOLD (Dhamala et al. 2021) counts a text as positive
from 0.5 and as negative from −0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from fairaudit.items import Continuation, Skipped
from fairaudit.scoring.texts.base import Scores, scored_one_by_one


class Vader:
    """VADER's compound score of each text."""

    labels = ("compound",)

    def __init__(self) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self.id = f"vader-{version('vaderSentiment')}"
        self._analyzer = SentimentIntensityAnalyzer()

    def score(self, texts: Sequence[Continuation]) -> list[Scores | Skipped]:
        """Compound score of each text, −1 to 1."""
        return scored_one_by_one(texts, self._compound)

    def _compound(self, text: str) -> Scores:
        return {"compound": float(self._analyzer.polarity_scores(text)["compound"])}
