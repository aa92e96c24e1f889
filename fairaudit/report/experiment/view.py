"""What a report of an experiment shows, in order, cut from one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.grouping import grouped
from fairaudit.results.experiment import (
    ArmDifference,
    ArmRun,
    Claim,
    ExperimentResult,
    Level,
)
from fairaudit.vocabulary.arms import Arm
from fairaudit.vocabulary.claims import STATEMENTS

_AXES_FIRST: Final = ("gender", "race", "religion")
#: Parts of the items that are scored apart: terms that the lexicon of CDA holds, or does not.
PARTS: Final = ("covered", "uncovered")


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm with its runs of all seeds."""

    arm: Arm
    runs: tuple[ArmRun, ...]

    @property
    def done(self) -> tuple[ArmRun, ...]:
        """Runs that finished."""
        return tuple(run for run in self.runs if run.status == "done")

    @property
    def perplexities(self) -> tuple[float | None, ...]:
        """Held-out perplexity of every run that finished."""
        return tuple(run.perplexity for run in self.done)

    @property
    def distances(self) -> tuple[float | None, ...]:
        """How far every run that finished moved from the base."""
        return tuple(run.distance for run in self.done)

    @property
    def failed(self) -> tuple[ArmRun, ...]:
        """Runs that did not."""
        return tuple(run for run in self.runs if run.status == "failed")


def claims_by_name(result: ExperimentResult) -> dict[str, list[Claim]]:
    """Group claims by what they claim, the known ones first, each by axis."""
    found = grouped(result.claims, lambda one: one.claim)
    order = [*(name for name in STATEMENTS if name in found), *found]
    return {
        name: sorted(found[name], key=lambda one: axis_rank(one.axis))
        for name in dict.fromkeys(order)
    }


def axes(result: ExperimentResult) -> tuple[str, ...]:
    """Return every axis with a level, a difference or a claim: the main ones first."""
    found = {
        *(claim.axis for claim in result.claims),
        *(level.axis for level in result.levels),
        *(difference.axis for difference in result.differences),
    }
    return tuple(sorted(found, key=axis_rank))


def axis_rank(axis: str) -> tuple[int, str]:
    """Order of axes."""
    place = _AXES_FIRST.index(axis) if axis in _AXES_FIRST else len(_AXES_FIRST)
    return place, axis


def arm_rows(result: ExperimentResult) -> tuple[ArmRow, ...]:
    """Return every arm with its runs, in order of reading."""
    runs = grouped(result.runs, lambda run: run.arm)
    return tuple(ArmRow(arm, tuple(runs.get(arm.id, ()))) for arm in arms_of(result))


def seeds(result: ExperimentResult) -> tuple[int, ...]:
    """Return every seed."""
    return tuple(sorted({run.seed for run in result.runs}))


def endpoint(result: ExperimentResult, axis: str) -> tuple[str, str] | None:
    """Return protocol and metric that claims rest on: of an axis, or None without any level.

    An axis without the declared metric shows the first one that it has; no claim rests on it.
    """
    declared = metric_declared(result)
    if axis in result.endpoints and declared is not None:
        return result.endpoints[axis], declared
    every = [one for one in result.levels if one.axis == axis and one.group is None]
    shown = [one for one in every if one.name == declared] or every
    first = min(shown, key=lambda one: one.protocol, default=None)
    return None if first is None else (first.protocol, first.name)


def is_declared(result: ExperimentResult, axis: str) -> bool:
    """Whether claims may rest on an axis: the plan names it, and its endpoint was measured."""
    return axis in result.endpoints or any(one.axis == axis for one in result.claims)


def metric_declared(result: ExperimentResult) -> str | None:
    """Return the metric of the bias claims, as the plan declares it."""
    terms = result.plan.get("claims")
    declared = terms.get("metric") if isinstance(terms, dict) else None
    if isinstance(declared, str):
        return declared
    return next((one.metric for one in result.claims if one.claim in STATEMENTS), None)


def levels_of(result: ExperimentResult, axis: str, group: str | None = None) -> tuple[Level, ...]:
    """Return the level of every arm at the endpoint of an axis, in order of reading."""
    place = endpoint(result, axis)
    if place is None:
        return ()
    found = {
        one.arm: one
        for one in result.levels
        if (one.protocol, one.name) == place and one.axis == axis and one.group == group
    }
    return tuple(found[arm.id] for arm in arms_of(result) if arm.id in found)


def difference_of(
    result: ExperimentResult, arm: str, reference: str, axis: str, group: str | None = None
) -> ArmDifference | None:
    """Return the difference of two arms at the endpoint of an axis, if it was taken."""
    place = endpoint(result, axis)
    wanted = (arm, reference, axis, group, place)
    return next(
        (
            one
            for one in result.differences
            if (one.arm, one.reference, one.axis, one.group, (one.protocol, one.name)) == wanted
        ),
        None,
    )
