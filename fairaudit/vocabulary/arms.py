"""Every kind of arm of an experiment once, and how an arm's name is read.

A name is that of its kind, with ε at the end where the kind has one: per record, or per row where
the name says so. The kinds stand in the order in which they are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Twins = Literal["averaged", "separate"]


class ArmKind(StrEnum):
    """What is done to the base model in an arm."""

    label: str
    #: What it is; ``{}`` stands for ε.
    meaning: str
    #: Whether it carries a privacy guarantee.
    private: bool
    #: How counterfactual twins enter, if they do.
    twins: Twins | None

    def __new__(
        cls, name: str, label: str, meaning: str, private: bool = False, twins: Twins | None = None
    ) -> ArmKind:
        """Make a kind with its words."""
        made = str.__new__(cls, name)
        made._value_, made.label, made.meaning = name, label, meaning
        made.private, made.twins = private, twins
        return made

    BASE = "base", "Base", "the model before fine-tuning"
    PLAIN = "plain", "Plain", "fine-tuned without privacy"
    PLAIN_MATCHED = (
        "plain_matched",
        "Plain, matched",
        "the checkpoint of the plain run whose held-out perplexity is nearest that of DP, ε = {}",
    )
    CDA = "cda", "CDA", "without privacy, on text with counterfactual twins", False, "averaged"
    CLIP_ONLY = "clip_only", "Clip only", "gradients clipped, no noise: no guarantee"
    NOISE_ONLY = (
        "noise_only", "Noise only", "the noise of ε = {} without clipping: no guarantee",
    )  # fmt: skip
    DP = "dp", "DP", "private: ε = {} per record", True
    DP_CDA = (
        "dp_cda",
        "DP + CDA",
        "private: ε = {} per record, which counts with its twins as one record",
        True,
        "averaged",
    )
    DP_CDA_SEPARATE = (
        "dp_cda_separate",
        "DP + CDA, separate",
        "private: twins drawn as records of their own, ε = {} still per original record",
        True,
        "separate",
    )
    DP_CDA_ROW = (
        "dp_cda_row",
        "DP + CDA, per row",
        "twins drawn as records of their own, ε = {} per row as published: more per record",
        True,
        "separate",
    )

    @property
    def has_epsilon(self) -> bool:
        """Whether ε stands in its arms' names."""
        return "{}" in self.meaning


BASE, PLAIN = ArmKind.BASE, ArmKind.PLAIN


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of an experiment: its id, its kind, ε in its name, and both in words."""

    id: str
    #: None: a name that is no arm's.
    kind: ArmKind | None
    epsilon: float | None
    name: str
    meaning: str = ""

    @property
    def private(self) -> bool:
        """Whether it carries a privacy guarantee."""
        return self.kind is not None and self.kind.private

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """Order of reading: no guarantee first, then from the weakest to the strongest."""
        strength = -self.epsilon if self.private and self.epsilon is not None else 0.0
        kinds = list(ArmKind)
        place = len(kinds) if self.kind is None else kinds.index(self.kind)
        return self.private, strength, place, self.id

    @property
    def heading(self) -> str:
        """Heading under which it stands in a figure."""
        if self.private and self.epsilon is not None:
            return f"ε = {self.epsilon:g}"
        return "No privacy guarantee"

    def beside(self, kind: ArmKind) -> str:
        """Return the id of the arm of another kind, at the same ε where that has one."""
        return f"{kind}{self.id.removeprefix(self.kind or '')}" if kind.has_epsilon else kind


def read_arm(name: str) -> Arm | None:
    """Read an arm's name; None for a name that is no arm's.

    >>> read_arm("dp_cda_3").name
    'DP + CDA, ε = 3'
    """
    found = re.fullmatch(r"(?P<kind>[a-z_]+?)(_(?P<epsilon>\d+(\.\d+)?))?", name)
    if found is None or found["kind"] not in set(ArmKind):
        return None
    kind = ArmKind[found["kind"].upper()]
    if kind.has_epsilon != (found["epsilon"] is not None):
        return None
    if not kind.has_epsilon:
        return Arm(name, kind, None, kind.label, kind.meaning)
    epsilon = float(found["epsilon"])
    shown = f"{epsilon:g}"
    return Arm(name, kind, epsilon, f"{kind.label}, ε = {shown}", kind.meaning.format(shown))
