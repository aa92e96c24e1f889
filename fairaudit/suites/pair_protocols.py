"""Protocols for suites of sentence pairs: a stereotype and its minimal edit."""

from __future__ import annotations

from itertools import takewhile
from typing import Literal

from fairaudit.items import (
    Answer,
    Item,
    LogLikelihood,
    PseudoLogLikelihood,
    UnmaskedLogLikelihood,
)

STEREOTYPE = "stereotype"
ANTI_STEREOTYPE = "anti_stereotype"
UNRELATED = "unrelated"
#: Both sentences of a pair.
PAIR = (STEREOTYPE, ANTI_STEREOTYPE)

_PARTNER = {
    STEREOTYPE: ANTI_STEREOTYPE,
    ANTI_STEREOTYPE: STEREOTYPE,
    "control_a": "control_b",
    "control_b": "control_a",
}


def whole_sentence(item: Item, role: str) -> LogLikelihood:
    """Score every token of the sentence."""
    return LogLikelihood(item.texts[role], item.context)


def after_difference(item: Item, role: str) -> LogLikelihood:
    """Score only what follows the last word in which the pair differs.

    ``log P(rest | beginning with this group)``: how likely the model finds the shared ending after
    each group, free of how often it mentions the group.

    Parameters
    ----------
    item : Item
        A pair of sentences with a shared ending.
    role : str
        ``stereotype`` or ``anti_stereotype``.

    Returns
    -------
    LogLikelihood
        The request: the ending, with everything before it as its context.
    """
    beginning, ending = _split(item, role)
    return LogLikelihood(ending, beginning)


def mask_after_difference(item: Item, role: str) -> PseudoLogLikelihood:
    """Mask, one at a time, the tokens that follow the last word in which the pair differs.

    The same words as in `after_difference`. What stands before the group term says nothing about
    the stereotype, so leaving it out costs half the time and loses only noise.
    """
    beginning, ending = _split(item, role)
    return PseudoLogLikelihood(beginning + ending, start=len(beginning))


def _split(item: Item, role: str) -> tuple[str, str]:
    """Split the sentence after the last word in which the pair differs."""
    text = item.texts[role]
    ending = shared_ending(text, item.texts[_PARTNER[role]])
    return text[: len(text) - len(ending)], ending


def shared_ending(text: str, other: str) -> str:
    """Longest common ending of two sentences that starts at a word boundary.

    >>> shared_ending("The old man slept.", "The young man slept.")
    ' man slept.'
    """
    pairs = zip(reversed(text), reversed(other), strict=False)
    length = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    common = text[len(text) - length :]
    start = common.find(" ")
    return common[start:] if start >= 0 else ""


def shared_tokens(item: Item, role: str) -> LogLikelihood:
    """Score the tokens that both sentences share, each after all that stands before it."""
    return LogLikelihood(
        item.texts[role], reference=item.texts[_PARTNER[role]], text_first=role == STEREOTYPE
    )


def mask_shared(item: Item, role: str) -> PseudoLogLikelihood:
    """Mask, one at a time, the tokens that both sentences share (Nangia et al. 2020).

    Parameters
    ----------
    item : Item
        A pair of sentences.
    role : str
        ``stereotype`` or ``anti_stereotype``.

    Returns
    -------
    PseudoLogLikelihood
        The request, for masked models.

    References
    ----------
    Nangia, N. et al. (2020). CrowS-Pairs: a challenge dataset for measuring social biases in masked
    language models. EMNLP.
    """
    return _masked(item, role, "shared")


def mask_differing(item: Item, role: str) -> PseudoLogLikelihood:
    """Mask, one at a time, the tokens in which the sentences differ (Meade et al. 2022)."""
    return _masked(item, role, "differing")


def _masked(
    item: Item, role: str, positions: Literal["shared", "differing"]
) -> PseudoLogLikelihood:
    # The references align the sentence about the disadvantaged group with the other one.
    about_disadvantaged = (
        ANTI_STEREOTYPE if item.facts.get("direction") == "antistereo" else STEREOTYPE
    )
    first = role in {about_disadvantaged, "control_a"}
    return PseudoLogLikelihood(item.texts[role], item.texts[_PARTNER[role]], positions, first)


def unmasked(item: Item, role: str) -> UnmaskedLogLikelihood:
    """Score every token of the unmasked sentence (Kaneko and Bollegala 2022)."""
    return UnmaskedLogLikelihood(item.texts[role])


def unmasked_with_attention(item: Item, role: str) -> UnmaskedLogLikelihood:
    """Score every token of the unmasked sentence, with the attention each receives."""
    return UnmaskedLogLikelihood(item.texts[role], attention=True)


def total(answer: Answer) -> float:
    """Return the summed log-probability, in nats."""
    return answer.total


def rounded_total(answer: Answer) -> float:
    """Return the summed log-probability rounded to 3 decimals, as the reference script does."""
    return round(answer.total, 3)


def mean(answer: Answer) -> float:
    """Return the mean log-probability per scored token, in nats."""
    return answer.mean


def weighted_mean(answer: Answer) -> float:
    """Return the attention-weighted mean log-probability, in nats."""
    return answer.weighted_mean
