"""Arms of a result, in the order in which they are read: from no privacy to the most."""

from __future__ import annotations

from collections.abc import Iterable

from fairaudit.report.safe_text import clean
from fairaudit.results.experiment import ExperimentResult
from fairaudit.vocabulary.arms import Arm, read_arm


def arm_of(arm: str) -> Arm:
    """Return an arm in words; a name we do not know is shown as it is."""
    return read_arm(arm) or Arm(arm, None, None, clean(arm))


def arms_of(result: ExperimentResult) -> tuple[Arm, ...]:
    """Return every arm of an experiment, finished or not, in order of reading."""
    return in_order([*(run.arm for run in result.runs), *(level.arm for level in result.levels)])


def in_order(names: Iterable[str]) -> tuple[Arm, ...]:
    """Return arms by name, each once, in order of reading."""
    return tuple(sorted(map(arm_of, dict.fromkeys(names)), key=lambda arm: arm.rank))
