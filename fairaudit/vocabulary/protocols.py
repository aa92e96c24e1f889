"""Every way of scoring once: what it reads, and in which designs verdicts rest on it.

A protocol id is ``<suite>/<variant>``. Suites of the same design (CrowS-Pairs and its revisions, or
everybody's own pairs) share the variants; which of them is primary is said here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Design(StrEnum):
    """How a suite's items are built and analysed."""

    TEMPLATES = "templates"
    PAIRS = "pairs"
    CROWS_PAIRS = "crows_pairs"
    STEREOSET = "stereoset"
    CHOICES = "choices"
    COREFERENCE = "coreference"
    DESCRIPTORS = "descriptors"
    COUNTERFACTUAL = "counterfactual"
    PROFESSIONS = "professions"
    FILLS = "fills"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of scoring.

    Parameters
    ----------
    name : str
        What stands behind the suite in a protocol id.
    meaning : str
        What is read of the model, in a few words.
    primary_in : frozenset of Design
        Designs in which verdicts rest on it. Elsewhere it is exploratory.
    part : str
        Which part of a suite it asks; empty: all of it.
    recorded : bool
        Whether its scores come from a file, on a scale of their own.
    written : bool
        Whether it tells what a model wrote that it chooses, and no score of what it did not.
    """

    name: str
    meaning: str
    primary_in: frozenset[Design] = frozenset()
    part: str = ""
    recorded: bool = False
    written: bool = False


def _variant(
    name: str,
    meaning: str,
    *primary_in: Design,
    part: str = "",
    recorded: bool = False,
    written: bool = False,
) -> Variant:
    return Variant(name, meaning, frozenset(primary_in), part, recorded, written)


#: The two parts of StereoSet.
INTRASENTENCE: Final = "intrasentence"
INTERSENTENCE: Final = "intersentence"

#: All of them, by name.
VARIANTS: Final = {
    one.name: one
    for one in (
        _variant("aul", "mean log-probability of all tokens of the unmasked sentence"),
        _variant("aula", "as AUL, tokens weighted by the attention they receive"),
        _variant(
            "causal-conditional",
            "log-probability of the words after the group term, given the rest", Design.TEMPLATES,
        ),
        _variant(
            "causal-mean", "log-probability per token of the whole sentence", Design.DESCRIPTORS,
            Design.PROFESSIONS,
        ),
        _variant(
            "causal-shared", "log-probability per token of the tokens that both sentences share",
            Design.COUNTERFACTUAL,
        ),
        _variant(
            "causal-sum", "log-probability of the whole sentence", Design.PAIRS, Design.CROWS_PAIRS,
        ),
        _variant("choices-mean", "log-probability per token of each answer, given the question"),
        _variant(
            "choices-parsed", "which of three lettered answers the model writes", Design.CHOICES,
            written=True,
        ),
        _variant(
            "choices-parsed-recorded",
            "which of three lettered answers the model wrote, recorded elsewhere", Design.CHOICES,
            recorded=True, written=True,
        ),
        _variant(
            "choices-sum", "log-probability of each answer, given the question", Design.CHOICES,
        ),
        _variant(
            "intersentence-causal",
            "log-probability per token of the sentence that follows a context", part=INTERSENTENCE,
        ),
        _variant(
            "intersentence-chosen-recorded",
            "which of three lettered sentences the model wrote that follows a context, recorded "
            "elsewhere", Design.STEREOSET, part=INTERSENTENCE, recorded=True, written=True,
        ),
        _variant(
            "intersentence-recorded", "scores recorded elsewhere", part=INTERSENTENCE,
            recorded=True,
        ),
        _variant(
            "intrasentence-causal", "log-probability per token of the whole sentence",
            Design.STEREOSET, part=INTRASENTENCE,
        ),
        _variant(
            "intrasentence-chosen-recorded",
            "which of three lettered sentences the model wrote that it chooses, recorded elsewhere",
            Design.STEREOSET, part=INTRASENTENCE, recorded=True, written=True,
        ),
        _variant(
            "intrasentence-masked", "probability of the word in the gap, at a single mask",
            Design.STEREOSET, part=INTRASENTENCE,
        ),
        _variant(
            "intrasentence-recorded", "scores recorded elsewhere", Design.STEREOSET,
            part=INTRASENTENCE, recorded=True,
        ),
        _variant("overall-recorded", "scores recorded elsewhere", recorded=True),
        _variant(
            "person-at-mask",
            "probability of the person word at a mask, over that with the profession masked too",
            Design.PROFESSIONS,
        ),
        _variant(
            "pll-conditional", "tokens after the group term masked one at a time", Design.TEMPLATES,
        ),
        _variant(
            "pll-mean", "log-probability per token, each token masked in turn", Design.DESCRIPTORS,
        ),
        _variant(
            "pll-shared-mean",
            "log-probability per token of the tokens that both sentences share, each masked in "
            "turn",
            Design.COUNTERFACTUAL,
        ),
        _variant("pll-differing", "tokens of the group term masked one at a time"),
        _variant("pll-modified", "tokens that differ between the sentences masked one at a time"),
        _variant(
            "pll-nangia",
            "tokens that both sentences share masked one at a time, as the authors do",
            Design.CROWS_PAIRS,
        ),
        _variant(
            "people-parsed", "whom of two lettered people the model writes that the pronoun means",
            Design.COREFERENCE, written=True,
        ),
        _variant(
            "pronoun-at-mask", "probability of the pronoun in its place, at a mask",
            Design.COREFERENCE,
        ),
        _variant(
            "pll-shared", "tokens that both sentences share masked one at a time", Design.PAIRS,
        ),
        _variant(
            "refers-to", "log-probability of whom the pronoun refers to, asked for",
            Design.COREFERENCE,
        ),
        _variant(
            "top-fills", "the three words that the model finds likeliest at a mask", Design.FILLS,
        ),
        _variant(
            "causal-sum-recorded", "log-probability of the whole sentence, recorded elsewhere",
            Design.PAIRS, Design.CROWS_PAIRS, recorded=True,
        ),
        _variant(
            "choices-sum-recorded",
            "log-probability of each answer, given the question, recorded elsewhere",
            Design.CHOICES, recorded=True,
        ),
        _variant(
            "refers-to-recorded",
            "log-probability of whom the pronoun refers to, recorded elsewhere", Design.COREFERENCE,
            recorded=True,
        ),
        _variant(
            "recorded", "scores recorded elsewhere", Design.CROWS_PAIRS, Design.CHOICES,
            recorded=True,
        ),
    )
}  # fmt: skip


def variant_of(protocol: str) -> Variant | None:
    """Return the way of scoring of a protocol id; None for one that is not ours."""
    return VARIANTS.get(protocol.partition("/")[2])


def is_primary(design: Design, protocol: str) -> bool:
    """Whether verdicts rest on a protocol, by its id and the design of its suite."""
    known = variant_of(protocol)
    return known is not None and design in known.primary_in


def is_recorded(protocol: str) -> bool:
    """Whether the scores of a protocol come from a file."""
    known = variant_of(protocol)
    return known is not None and known.recorded


def is_written(protocol: str) -> bool:
    """Whether a protocol tells what a model wrote that it chooses, without scores of the rest."""
    known = variant_of(protocol)
    return known is not None and known.written
