"""Every verdict about a paired difference once, in the order in which they are counted."""

from __future__ import annotations

from typing import Final

from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.words import Word, Worded

#: Bounds at smaller error levels lie beyond what the approximations behind them can say.
SMALLEST_ALPHA: Final = 1e-6


class Verdict(Worded):
    """What a comparison of candidate and baseline comes to."""

    AMPLIFIED = (
        "amplified",
        Word(
            "amplified",
            "▲",
            Tone.TOWARDS,
            "The candidate leans further towards the stereotype than the baseline.",
            "This does not say how much it matters in use, nor that the training always does this.",
        ),
    )
    REDUCED = (
        "reduced",
        Word(
            "reduced",
            "▼",
            Tone.AWAY,
            "The candidate leans less towards the stereotype than the baseline.",
            "This does not say that little is left: read the candidate's own value.",
        ),
    )
    EQUIVALENT = (
        "equivalent",
        Word(
            "equivalent",
            "≈",
            Tone.WITHIN,
            "The difference is shown to lie within the margin, on either side.",
            "This does not say that nothing changed below the margin, nor that either model is "
            "free of bias.",
        ),
    )
    INCONCLUSIVE = (
        "inconclusive",
        Word(
            "inconclusive",
            "?",
            Tone.OPEN,
            "These items cannot tell.",
            "This does not say that nothing changed.",
        ),
    )
    NOT_INTERPRETABLE = (
        "not_interpretable",
        Word(
            "not interpretable",
            "⊘",
            Tone.OPEN,
            "One of the models is not shown to be more capable than chance, and a dull model "
            "looks fair.",
            "This says nothing about bias, for or against.",
        ),
    )
    IDENTICAL = (
        "identical",
        Word(
            "identical",
            "=",
            Tone.OPEN,
            "Both sides are the same model, so there is nothing to compare.",
            "This does not say how biased that model is.",
        ),
    )


#: Verdicts that a bias is shown to have changed, whichever way.
CHANGED: Final = (Verdict.AMPLIFIED, Verdict.REDUCED)

EXPLORATORY: Final = Word(
    "no verdict",
    "·",
    Tone.OPEN,
    "An exploratory comparison: a lead to follow.",
    "This is not a finding: many were looked at, and none decides anything.",
)

MISSING: Final = Word(
    "no value",
    "–",
    Tone.OPEN,
    "There is no difference to judge.",
    "Missing is not zero: this says nothing about bias, for or against.",
)
