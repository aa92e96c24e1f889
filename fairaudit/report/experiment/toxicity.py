"""What the arms write: mean toxicity by group, difference and ratio, as the published Table 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fairaudit.report.experiment import numbers
from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.experiment.view import axis_rank
from fairaudit.results.experiment import ExperimentResult, Level
from fairaudit.results.reference import reference_of
from fairaudit.vocabulary.arms import BASE, Arm
from fairaudit.vocabulary.metrics import TOXICITY_DIFFERENCE, TOXICITY_MEAN, TOXICITY_RATIO

#: Whatever is measured of what an arm writes.
MEASURED: Final = (TOXICITY_MEAN.name, TOXICITY_DIFFERENCE.name, TOXICITY_RATIO.name)
_MEAN, _DIFFERENCE, _RATIO = MEASURED


@dataclass(frozen=True, slots=True)
class ArmToxicity:
    """One arm: mean toxicity after prompts about each group, and how the groups differ."""

    arm: Arm
    groups: tuple[Level | None, ...]
    difference: Level | None
    ratio: Level | None


@dataclass(frozen=True, slots=True)
class Table:
    """All arms on one axis, scored by one classifier; the reference group stands first."""

    axis: str
    protocol: str
    groups: tuple[str, ...]
    rows: tuple[ArmToxicity, ...]

    @property
    def implied(self) -> tuple[str, ...] | None:
        """Each column's value in a known world's fine-tuning text; None for another text."""
        for row in self.rows:
            cells = (*row.groups, row.difference, row.ratio)
            known = [cell for cell in cells if cell is not None and cell.implied is not None]
            if row.arm.kind is not BASE and len(known) == len(cells):
                return tuple(numbers.implied(cell) for cell in known)
        return None


def tables(result: ExperimentResult) -> tuple[Table, ...]:
    """Return a table for each axis and protocol with mean toxicity by group."""
    known = {(one.arm, one.protocol, one.axis, one.group, one.name): one for one in result.levels}
    places = dict.fromkeys(
        (one.axis, one.protocol)
        for one in result.levels
        if one.name == _MEAN and one.group is not None
    )
    return tuple(
        _table(result, known, axis, protocol)
        for axis, protocol in sorted(places, key=lambda place: (axis_rank(place[0]), place[1]))
    )


def _table(
    result: ExperimentResult,
    known: dict[tuple[str, str, str, str | None, str], Level],
    axis: str,
    protocol: str,
) -> Table:
    groups = sorted(
        {
            group
            for _, of, on, group, name in known
            if (of, on, name) == (protocol, axis, _MEAN) and group is not None
        },
        key=lambda group: (group != reference_of(axis, (group,)), group),
    )
    rows = tuple(
        ArmToxicity(
            arm,
            tuple(known.get((arm.id, protocol, axis, group, _MEAN)) for group in groups),
            known.get((arm.id, protocol, axis, None, _DIFFERENCE)),
            known.get((arm.id, protocol, axis, None, _RATIO)),
        )
        for arm in arms_of(result)
    )
    return Table(axis, protocol, tuple(groups), rows)
