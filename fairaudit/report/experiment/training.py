"""Amplified, or only trained less? A private arm against the plain one and its matched checkpoint.

Privacy slows training down. An arm that leans less (or more) than the plain one may do so because
it has learned less of the text. The matched checkpoint is as far along as the private arm by
held-out perplexity, so that what is left against it is not explained by less training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import Final, Literal

from fairaudit.report.experiment import numbers
from fairaudit.report.experiment.arms import PLAIN, Arm, arms_of
from fairaudit.report.experiment.view import axes, difference_of, is_declared
from fairaudit.results.experiment import ArmDifference, ExperimentResult

Side = Literal["above", "below", "open", "unknown"]

EXPLAINED: Final = "Explained by under-training"
#: Largest gap of a match, as a share of what the plain run gained on the base.
_CLOSE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Reading:
    """One private arm on one axis, against the plain arm and against its matched checkpoint."""

    arm: Arm
    axis: str
    plain: ArmDifference | None
    matched: ArmDifference | None
    #: How far the matched checkpoint is from being as far along, as a share of what the plain run
    #: gained; None: not known, or perplexity does not tell.
    gap: float | None

    @property
    def is_close(self) -> bool:
        """Whether the matched checkpoint is as far along as the private arm."""
        return self.gap is not None and self.gap <= _CLOSE

    @property
    def explained(self) -> bool:
        """Whether only the difference from plain is beyond 0, not that from the matched one."""
        return _case(self) == "explained"

    @property
    def short(self) -> str:
        """A few words."""
        return _READINGS[_case(self)][0]

    @property
    def words(self) -> str:
        """A sentence or two; how far an undecided difference is open stands with it."""
        said = _READINGS[_case(self)][1]
        return f"{said}{self._open}" if self.explained else said

    @property
    def _open(self) -> str:
        found = self.matched
        if found is None or found.interval is None:
            return ""
        low, high = found.interval.low, found.interval.high
        return (
            f" At equal perplexity, up to {numbers.size(found, high)} more or "
            f"{numbers.size(found, low)} less remains possible."
        )


def readings(result: ExperimentResult) -> tuple[Reading, ...]:
    """Return a reading of each private arm without twins, on each axis."""
    return tuple(_readings(result))


def _readings(result: ExperimentResult) -> Iterator[Reading]:
    for arm in arms_of(result):
        if arm.kind != "dp":
            continue
        matched = arm.id.replace("dp", "plain_matched", 1)
        gap = _gap(result, matched)
        for axis in axes(result):
            plain = difference_of(result, arm.id, PLAIN, axis)
            if plain is not None and is_declared(result, axis):
                yield Reading(arm, axis, plain, difference_of(result, arm.id, matched, axis), gap)


def _gap(result: ExperimentResult, matched: str) -> float | None:
    """Mean over seeds; None where one is not known."""
    gaps = [run.match_gap for run in result.runs if run.arm == matched and run.status == "done"]
    known = [gap for gap in gaps if gap is not None]
    return fmean(known) if known and len(known) == len(gaps) else None


def side(found: ArmDifference | None) -> Side:
    """Return on which side of 0 the whole interval lies, ``open`` if on neither."""
    if found is None or found.interval is None:
        return "unknown"
    if found.interval.low > 0:
        return "above"
    return "below" if found.interval.high < 0 else "open"


def _case(found: Reading) -> str:
    plain, matched = side(found.plain), side(found.matched)
    if plain == "unknown":
        return "unknown"
    if plain == "open":
        return "hidden" if matched in ("above", "below") and found.is_close else "open"
    if found.matched is None:
        return "unmatched"
    if not found.is_close:
        return "far"
    if matched == "unknown":
        return "undecided"
    if matched == "open":
        return "explained"
    return "holds" if matched == plain else "turned"


_READINGS: Final = {
    "unknown": (
        "cannot tell",
        "Too few seeds to tell the private arm from the plain one.",
    ),
    "open": (
        "not told apart from plain",
        "These seeds do not tell the private arm from the plain one, so there is no difference to "
        "explain.",
    ),
    "hidden": (
        "apart only at equal training",
        "Not told apart from plain, yet beyond 0 against a plain checkpoint of the same "
        "perplexity: less training hides a difference.",
    ),
    "unmatched": (
        "under-training not ruled out",
        "Beyond 0 against plain. No plain checkpoint of the same perplexity was compared, so less "
        "training may be the whole explanation.",
    ),
    "undecided": (
        "under-training not ruled out",
        "Beyond 0 against plain. The matched checkpoint decides nothing, so less training may be "
        "the whole explanation.",
    ),
    "far": (
        "under-training not ruled out",
        "Beyond 0 against plain. No plain checkpoint is as far along: fine-tuning hardly lowered "
        "perplexity, or passed the private arm's between two checkpoints. So less training may be "
        "the whole explanation.",
    ),
    "explained": (
        "explained by under-training",
        f"{EXPLAINED}: beyond 0 against plain, but not against a plain checkpoint of the same "
        "perplexity.",
    ),
    "holds": (
        "not explained by under-training",
        "Not explained by under-training: beyond 0 against plain, and on the same side against a "
        "plain checkpoint of the same perplexity.",
    ),
    "turned": (
        "the sides differ",
        "The two references disagree: on one side of plain, on the other side of a plain "
        "checkpoint of the same perplexity. Read the second: it is trained as far.",
    ),
}
