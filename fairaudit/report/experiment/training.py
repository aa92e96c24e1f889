"""Amplified, or only trained less? A private arm against the plain one and its matched checkpoint.

Privacy slows training down. An arm that leans less (or more) than the plain one may do so because
it has learned less of the text. The matched checkpoint is as far along as the private arm by
held-out perplexity, so that what is left against it is not explained by less training.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from statistics import fmean
from typing import Final, Literal

from fairaudit.report.experiment import numbers
from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.experiment.view import axes, difference_of, is_declared
from fairaudit.results.experiment import ArmDifference, ExperimentResult
from fairaudit.vocabulary.arms import PLAIN, Arm, ArmKind
from fairaudit.vocabulary.claims import CLOSE_MATCH

Side = Literal["above", "below", "open", "unknown"]


class Case(Enum):
    """What two differences come to: a few words, and a sentence or two."""

    def __init__(self, short: str, words: str) -> None:
        self.short, self.words = short, words

    UNKNOWN = (
        "too few seeds to tell",
        "Too few seeds to tell the private arm from the plain one.",
    )
    OPEN = (
        "not told apart from plain",
        "These seeds do not tell the private arm from the plain one, so there is no difference to "
        "explain.",
    )
    HIDDEN = (
        "apart only at equal training",
        "Not told apart from plain, yet beyond 0 against a plain checkpoint of the same "
        "perplexity: less training hides a difference.",
    )
    UNMATCHED = (
        "under-training not ruled out",
        "Beyond 0 against plain. No plain checkpoint of the same perplexity was compared, so less "
        "training may be the whole explanation.",
    )
    UNDECIDED = (
        "under-training not ruled out",
        "Beyond 0 against plain. The matched checkpoint decides nothing, so less training may be "
        "the whole explanation.",
    )
    FAR = (
        "under-training not ruled out",
        "Beyond 0 against plain. No plain checkpoint is as far along: fine-tuning hardly lowered "
        "perplexity, or passed the private arm's between two checkpoints. So less training may be "
        "the whole explanation.",
    )
    EXPLAINED = (
        "explained by under-training",
        "Explained by under-training: beyond 0 against plain, but not against a plain checkpoint "
        "of the same perplexity.",
    )
    HOLDS = (
        "not explained by under-training",
        "Not explained by under-training: beyond 0 against plain, and on the same side against a "
        "plain checkpoint of the same perplexity.",
    )
    TURNED = (
        "the sides differ",
        "The two references disagree: on one side of plain, on the other side of a plain "
        "checkpoint of the same perplexity. Read the second: it is trained as far.",
    )


#: Cases in which less training may be the whole explanation.
NOT_RULED_OUT: Final = (Case.UNMATCHED, Case.UNDECIDED, Case.FAR)


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
        return self.gap is not None and self.gap <= CLOSE_MATCH

    @property
    def case(self) -> Case:
        """What the two differences come to."""
        plain, matched = side(self.plain), side(self.matched)
        if plain == "unknown":
            return Case.UNKNOWN
        if plain == "open":
            hidden = matched in ("above", "below") and self.is_close
            return Case.HIDDEN if hidden else Case.OPEN
        if self.matched is None:
            return Case.UNMATCHED
        if not self.is_close:
            return Case.FAR
        if matched == "unknown":
            return Case.UNDECIDED
        if matched == "open":
            return Case.EXPLAINED
        return Case.HOLDS if matched == plain else Case.TURNED

    @property
    def words(self) -> str:
        """A sentence or two; how far an undecided difference is open stands with it."""
        said = self.case.words
        return f"{said}{self._open}" if self.case is Case.EXPLAINED else said

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
        if arm.kind is not ArmKind.DP:
            continue
        matched = arm.beside(ArmKind.PLAIN_MATCHED)
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
