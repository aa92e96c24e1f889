"""Every claim about a training recipe once, and what may be found about a claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.words import Word, Worded


class Finding(Worded):
    """What a claim comes to on its declared endpoint."""

    SUPPORTED = (
        "supported",
        Word(
            "supported",
            "✓",
            Tone.APART,
            "The interval over seeds lies beyond 0 in the claimed direction, also after "
            "correction for the number of axes.",
            "This does not say that other models, texts or settings would show it.",
        ),
    )
    NOT_SUPPORTED = (
        "not_supported",
        Word(
            "not supported",
            "✗",
            Tone.WITHIN,
            "The interval over seeds excludes every effect of the margin or more in the claimed "
            "direction.",
            "This does not say that there is no smaller effect, nor that the models are free of "
            "bias.",
        ),
    )
    UNDECIDED = (
        "undecided",
        Word(
            "undecided",
            "?",
            Tone.OPEN,
            "These seeds do not decide it.",
            "This does not say that there is no effect.",
        ),
    )
    #: The claim presupposes another one that was not shown.
    NOT_APPLICABLE = (
        "not_applicable",
        Word(
            "not applicable",
            "–",
            Tone.OPEN,
            "The claim presupposes an effect that was not shown.",
            "The claim is neither supported nor refuted.",
        ),
    )


#: How "not supported" is told where the opposite of the claim was shown.
OPPOSITE: Final = Word(
    "the opposite is shown",
    "⇄",
    Tone.OPPOSITE,
    "The interval over seeds lies beyond 0 against the claimed direction.",
    "This does not say that other models, texts or settings would show it.",
)

#: How a claim is told whose effect is there, yet smaller than what was declared to matter.
NEGLIGIBLE: Final = Word(
    "supported, but negligible",
    "≈",
    Tone.WITHIN,
    "The interval over seeds lies beyond 0 in the claimed direction, and below the margin.",
    "This does not say that other models, texts or settings would show it.",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim in words.

    Parameters
    ----------
    name, label : str
        As it stands in results, and as it is called.
    says : str
        The claim in a clause.
    effect : str
        What an effect in the claimed direction is called.
    forth, back : str
        An effect in the claimed direction, and its opposite, of ``{arm}`` and ``{reference}``.
    needs : str
        Why it was not judged, where it was not; empty where another gap says so.
    presupposes : str or None
        Name of a claim without which there is nothing to judge.
    without : str
        What to say where that one was not shown.
    quantity : str
        What its numbers are, of ``{metric}``, ``{arm}`` and ``{reference}``.
    """

    name: str
    label: str
    says: str
    effect: str
    forth: str
    back: str
    needs: str = ""
    presupposes: str | None = None
    without: str = ""
    quantity: str = "{metric} of {arm} minus {reference}"


DP_AMPLIFIES_BIAS: Final = Statement(
    "dp_amplifies_bias",
    "DP amplifies bias",
    "the private arm leans further towards the stereotype than the plain one",
    "an amplification",
    "{arm} leans further towards the stereotype than {reference}",
    "{arm} leans less towards the stereotype than {reference}",
    needs="needs a private arm and the plain one, with the declared metric",
)

#: What both claims below say of a difference: which of its two parts is the larger one.
_PARTS: Final = "{metric} of {arm} minus {reference}, explained part less unexplained part"

EXPLAINED_BY_MOVING_LESS: Final = Statement(
    "explained_by_moving_less",
    "Explained by moving less",
    "the private arm differs from the plain one about as much as it moved less from the base",
    "an excess of the explained part",
    "most of the difference between {arm} and {reference} is explained by {arm} having moved less "
    "from the base",
    "most of the difference between {arm} and {reference} is not explained by {arm} having moved "
    "less from the base",
    without="these seeds show no difference from the plain arm, so there is none to explain",
    quantity=_PARTS,
)

EXPLAINED_BY_LESS_TRAINING: Final = Statement(
    "explained_by_less_training",
    "Explained by less training",
    "a plain checkpoint of the same held-out perplexity differs from the plain arm about as much",
    "an excess of the explained part",
    "most of the difference between {arm} and {reference} is one that a plain checkpoint of the "
    "same held-out perplexity shows too",
    "most of the difference between {arm} and {reference} is one that a plain checkpoint of the "
    "same held-out perplexity does not show",
    without="these seeds show no difference from the plain arm, so there is none to explain",
    quantity=_PARTS,
)

GRADIENTS_CONVERGE_UNEQUALLY: Final = Statement(
    "gradients_converge_unequally",
    "Gradients converge unequally",
    "under privacy the gradients of some groups shrink more slowly than those of others",
    "a disparity",
    "groups converge more unequally in {arm} than in {reference}",
    "groups converge more equally in {arm} than in {reference}",
    needs="no gradients were looked at during training",
)

CDA_REMOVES_AMPLIFICATION: Final = Statement(
    "cda_removes_amplification",
    "CDA removes the amplification",
    "with counterfactual twins the private arm leans less towards the stereotype than without",
    "a removal",
    "{reference} leans less towards the stereotype than {arm}",
    "{reference} leans further towards the stereotype than {arm}",
    needs="needs a private arm with and one without counterfactual twins",
    presupposes=DP_AMPLIFIES_BIAS.name,
    without="no amplification was shown on this axis, so there is none to remove",
)

#: Largest gap of a matched checkpoint, as a share of what the plain run gained on the base.
CLOSE_MATCH: Final = 0.25

#: All of them, by name, in the order in which they are told.
STATEMENTS: Final[dict[str, Statement]] = {
    one.name: one for one in list(globals().values()) if isinstance(one, Statement)
}
