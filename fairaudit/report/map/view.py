"""What a report of a map shows, in order, cut from one result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fairaudit.report.experiment.arms import arm_of, in_order
from fairaudit.report.map import summary
from fairaudit.results.map import MapCell, MapResult
from fairaudit.vocabulary.arms import Arm, ArmKind


@dataclass(frozen=True, slots=True)
class Sheet:
    """Cells of some arms at one share: arms down, leans across."""

    share: float
    arms: tuple[Arm, ...]
    leans: tuple[float, ...]
    cells: dict[tuple[str, float], MapCell]


def private_sheets(result: MapResult) -> tuple[Sheet, ...]:
    """Return DP at every ε, the strongest privacy first, a sheet for each share."""
    arms = [arm_of(arm) for arm in result.arms if arm_of(arm).kind is ArmKind.DP]
    return _sheets(result, sorted(arms, key=lambda arm: arm.epsilon or 0.0))


def other_sheets(result: MapResult) -> tuple[Sheet, ...]:
    """Return the other arms beside DP of their ε; none where there are no others."""
    others = [arm for arm in result.arms if arm_of(arm).kind is not ArmKind.DP]
    if not others:
        return ()
    middle = summary.middle_arm(result)
    arms = in_order([*([middle] if middle else []), *others])
    return _sheets(result, sorted(arms, key=lambda arm: (arm.kind is not ArmKind.DP, arm.rank)))


def all_sheets(result: MapResult) -> tuple[Sheet, ...]:
    """Return every arm, a sheet for each share."""
    return _sheets(result, in_order(result.arms))


def _sheets(result: MapResult, arms: Sequence[Arm]) -> tuple[Sheet, ...]:
    return tuple(
        Sheet(
            share,
            tuple(arms),
            result.leans,
            {(one.arm, one.lean): one for one in result.cells if one.share == share},
        )
        for share in result.shares
    )
