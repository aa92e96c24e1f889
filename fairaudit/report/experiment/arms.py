"""Arms in words, and in the order in which they are read: from no privacy to the most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fairaudit.report.clean import clean
from fairaudit.report.grouping import grouped
from fairaudit.results.experiment import ExperimentResult

BASE: Final = "base"
PLAIN: Final = "plain"

#: Kind of arm: its name, and what it is.
_KINDS: Final = {
    BASE: ("Base", "the model before fine-tuning"),
    PLAIN: ("Plain", "fine-tuned without privacy"),
    "plain_matched": (
        "Plain, matched",
        "the checkpoint of the plain run whose held-out perplexity is nearest that of DP, ε = {}",
    ),
    "cda": ("CDA", "without privacy, on text with counterfactual twins"),
    "clip_only": ("Clip only", "gradients clipped, no noise: no guarantee"),
    "noise_only": ("Noise only", "the noise of ε = {} without clipping: no guarantee"),
    "dp": ("DP", "private: ε = {} per record"),
    "dp_cda": (
        "DP + CDA",
        "private: ε = {} per record, which counts with its twins as one record",
    ),
    "dp_cda_separate": (
        "DP + CDA, separate",
        "private: twins drawn as records of their own, ε = {} still per original record",
    ),
    "dp_cda_row": (
        "DP + CDA, per row",
        "twins drawn as records of their own, ε = {} per row as published: more per record",
    ),
}
#: Kinds with a privacy guarantee.
PRIVATE: Final = ("dp", "dp_cda", "dp_cda_separate", "dp_cda_row")
#: Private kinds with counterfactual twins.
WITH_TWINS: Final = PRIVATE[1:]


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm of an experiment: its id, its kind, ε in its name, and both in words."""

    id: str
    kind: str
    epsilon: float | None
    name: str
    meaning: str

    @property
    def private(self) -> bool:
        """Whether it carries a privacy guarantee."""
        return self.kind in PRIVATE

    @property
    def rank(self) -> tuple[bool, float, int, str]:
        """Order of reading: no guarantee first, then from the weakest to the strongest."""
        strength = -self.epsilon if self.private and self.epsilon is not None else 0.0
        kinds = list(_KINDS)
        place = kinds.index(self.kind) if self.kind in kinds else len(kinds)
        return self.private, strength, place, self.id

    @property
    def heading(self) -> str:
        """Heading under which it stands in a figure."""
        if self.private and self.epsilon is not None:
            return f"ε = {self.epsilon:g}"
        return "No privacy guarantee"


def arm_of(arm: str) -> Arm:
    """Return an arm in words; a name we do not know is shown as it is.

    >>> arm_of("dp_cda_3").name
    'DP + CDA, ε = 3'
    """
    found = re.fullmatch(r"(?P<kind>[a-z_]+?)(_(?P<epsilon>\d+(\.\d+)?))?", arm)
    kind = found["kind"] if found else ""
    epsilon = float(found["epsilon"]) if found and found["epsilon"] else None
    if kind not in _KINDS or ("{}" in _KINDS[kind][1]) != (epsilon is not None):
        return Arm(arm, "", None, clean(arm), "")
    name, meaning = _KINDS[kind]
    if epsilon is None:
        return Arm(arm, kind, None, name, meaning)
    return Arm(arm, kind, epsilon, f"{name}, ε = {epsilon:g}", meaning.format(f"{epsilon:g}"))


def arms_of(result: ExperimentResult) -> tuple[Arm, ...]:
    """Return every arm of an experiment, finished or not, in order of reading."""
    return in_order([*(run.arm for run in result.runs), *(level.arm for level in result.levels)])


def in_order(names: Iterable[str]) -> tuple[Arm, ...]:
    """Return arms by name, each once, in order of reading."""
    return tuple(sorted(map(arm_of, dict.fromkeys(names)), key=lambda arm: arm.rank))


def by_heading(arms: Iterable[Arm]) -> dict[str, list[Arm]]:
    """Group arms under their headings."""
    return grouped(arms, lambda arm: arm.heading)
