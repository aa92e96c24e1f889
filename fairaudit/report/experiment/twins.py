"""What counterfactual twins give back: each arm with twins beside the same arm without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fairaudit.report.experiment import view
from fairaudit.report.experiment.arms import arms_of
from fairaudit.results import Interval
from fairaudit.results.experiment import ArmDifference, Claim, ExperimentResult, Level
from fairaudit.vocabulary.arms import PLAIN, Arm, ArmKind
from fairaudit.vocabulary.claims import CDA_REMOVES_AMPLIFICATION


@dataclass(frozen=True, slots=True)
class Pair:
    """An arm with twins and the same without, on one axis or on one part of its items."""

    with_twins: Arm
    without: Arm
    axis: str
    part: str | None
    level_with: Level
    level_without: Level
    #: With twins minus without; None: not taken in this experiment.
    change: ArmDifference | None


def pairs(result: ExperimentResult) -> tuple[Pair, ...]:
    """Return every pair of arms that differ in twins only, on every axis and part."""
    return tuple(_pairs(result))


def _pairs(result: ExperimentResult) -> Iterator[Pair]:
    arms = {arm.id: arm for arm in arms_of(result)}
    for arm in arms.values():
        if arm.kind is None or arm.kind.twins is None:
            continue
        partner = arms.get(arm.beside(ArmKind.DP if arm.private else PLAIN))
        if partner is None:
            continue
        for axis in view.axes(result):
            for part in (None, *view.PARTS):
                levels = {one.arm: one for one in view.levels_of(result, axis, part)}
                if arm.id in levels and partner.id in levels:
                    change = _change(result, arm, partner, axis, part)
                    beside = levels[arm.id], levels[partner.id]
                    yield Pair(arm, partner, axis, part, *beside, change)


def _change(
    result: ExperimentResult, arm: Arm, partner: Arm, axis: str, part: str | None
) -> ArmDifference | None:
    found = view.difference_of(result, arm.id, partner.id, axis, part)
    if found is not None or part is not None:
        return found
    wanted = (CDA_REMOVES_AMPLIFICATION.name, partner.id, arm.id, axis)
    claims = (
        one for one in result.claims if (one.claim, one.arm, one.reference, one.axis) == wanted
    )
    return next(map(_turned, claims), None)


def _turned(found: Claim) -> ArmDifference:
    """Return what a claim rests on, the other way round: with twins minus without."""
    shown = found.interval
    return ArmDifference(
        arm=found.reference,
        reference=found.arm,
        protocol="",
        axis=found.axis,
        name=found.metric,
        value=None if found.value is None else -found.value,
        interval=None
        if shown is None
        else Interval(
            low=-shown.high,
            high=-shown.low,
            level=shown.level,
            method=shown.method,
            resampling_unit=shown.resampling_unit,
        ),
        n_seeds=found.n_seeds,
        reason=found.reason,
    )
