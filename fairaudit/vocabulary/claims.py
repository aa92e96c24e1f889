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
            Tone.TOWARDS,
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
            "These seeds cannot tell.",
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
    tones : pair of Tone
        Colours of the two.
    needs : str
        Why it was not judged, where it was not.
    presupposes : str or None
        Name of a claim without which there is nothing to judge.
    without : str
        What to say where that one was not shown.
    """

    name: str
    label: str
    says: str
    effect: str
    forth: str
    back: str
    tones: tuple[Tone, Tone]
    needs: str = ""
    presupposes: str | None = None
    without: str = ""


DP_AMPLIFIES_BIAS: Final = Statement(
    "dp_amplifies_bias",
    "DP amplifies bias",
    "the private arm leans further towards the stereotype than the plain one",
    "an amplification",
    "{arm} leans further towards the stereotype than {reference}",
    "{arm} leans less towards the stereotype than {reference}",
    (Tone.TOWARDS, Tone.AWAY),
    needs="needs a private arm and the plain one, with the declared metric",
)

GRADIENTS_CONVERGE_UNEQUALLY: Final = Statement(
    "gradients_converge_unequally",
    "Gradients converge unequally",
    "under privacy the gradients of some groups shrink more slowly than those of others",
    "a disparity",
    "groups converge more unequally in {arm} than in {reference}",
    "groups converge more equally in {arm} than in {reference}",
    (Tone.TOWARDS, Tone.AWAY),
    needs="no gradients were looked at during training",
)

CDA_REMOVES_AMPLIFICATION: Final = Statement(
    "cda_removes_amplification",
    "CDA removes the amplification",
    "with counterfactual twins the private arm leans less towards the stereotype than without",
    "a removal",
    "{reference} leans less towards the stereotype than {arm}",
    "{reference} leans further towards the stereotype than {arm}",
    (Tone.AWAY, Tone.TOWARDS),
    needs="needs a private arm with and one without counterfactual twins",
    presupposes=DP_AMPLIFIES_BIAS.name,
    without="no amplification was shown on this axis, so there is none to remove",
)

#: All of them, by name, in the order in which they are told.
STATEMENTS: Final[dict[str, Statement]] = {
    one.name: one for one in list(globals().values()) if isinstance(one, Statement)
}
