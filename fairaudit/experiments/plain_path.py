"""The way of the plain run: some of its checkpoints are audited, so that stopping early is known.

A private model that moved a share of the way is held against a plain one that was stopped where it
had moved as far. Lean and frequency are not learned at one speed, so that plain model need not lie
on the straight line from the base to the finished plain one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairaudit.auditing.run_audit import audit
from fairaudit.errors import ResultError
from fairaudit.experiments.asked_suites import questions
from fairaudit.experiments.map_plan import MapPlan
from fairaudit.experiments.map_scores import Bias, bias_of
from fairaudit.experiments.parallel_arms import default_processes, spread
from fairaudit.experiments.train_arm import snapshot_steps
from fairaudit.progress import Progress
from fairaudit.results import AuditResult
from fairaudit.results.places import inside, remove_folder
from fairaudit.vocabulary.arms import PLAIN, ArmKind

#: Of the checkpoints along a plain run every second is audited, not the first one.
_AUDITED: Final = slice(1, None, 2)
_ASKED: Final = "path"


@dataclass(frozen=True, slots=True)
class Stop:
    """A checkpoint along the plain run of one world and seed."""

    world: str
    seed: int
    step: int

    @property
    def arm(self) -> str:
        """Its name among the scores of a map."""
        return stopped_at(self.step)


def stopped_at(step: int) -> str:
    """Name of the plain run stopped after so many steps."""
    return f"{PLAIN}@{step}"


def path_steps(plan: MapPlan) -> tuple[int, ...]:
    """Return the steps at which plain runs are looked at; none unless checkpoints are kept."""
    if ArmKind.PLAIN_MATCHED not in plan.arms:
        return ()
    steps = plan.worlds[0].plan.settings(PLAIN).get("steps")
    return () if steps is None else snapshot_steps(steps)[_AUDITED]


@dataclass(frozen=True, slots=True)
class PlainPath:
    """Audits checkpoints along plain runs, wherever it runs.

    Parameters
    ----------
    plan : MapPlan
        The map.
    folder : path
        Its folder.
    under : str
        Folder of its worlds, relative to it.
    suites : tuple of str
        What is asked.
    """

    plan: MapPlan
    folder: Path
    under: str
    suites: tuple[str, ...]

    def score(self, stop: Stop) -> Bias | None:
        """Audit a checkpoint unless that is done; None: it is not there."""
        run = inside(self.folder, f"{self.under}/{stop.world}/arms/{PLAIN}/seed-{stop.seed}")
        place, checkpoint = f"audits/step-{stop.step}", run / "snapshots" / f"step-{stop.step}"
        if not checkpoint.exists():
            return None
        try:
            found = AuditResult.load(run / place)
        except ResultError:
            remove_folder(run, place)
            found = audit(
                checkpoint,
                suites=self.suites,
                label=f"{stop.arm}, seed {stop.seed}",
                quick=self.plan.audit.quick,
                output=inside(run, place),
                progress=False,
            )
        return bias_of(found, self.plan.axes)


def path_scores(
    plan: MapPlan, folder: Path, under: str, report: Progress, processes: int | None
) -> dict[tuple[str, str, int], Bias]:
    """Bias of the plain runs of a map where they were stopped, by world, arm and seed."""
    todo = list(_stops(plan))
    if not todo:
        return {}
    asked = questions(plan.worlds[0].plan, inside(folder, _ASKED))
    path = PlainPath(plan, folder, under, asked.suites)
    at_once = min(processes or default_processes(), len(todo))
    report("looking along the plain runs", 0, 0)
    scores: Iterable[Bias | None] = (
        spread(path.score, todo, at_once, lambda: None) if at_once > 1 else map(path.score, todo)
    )
    return {
        (stop.world, stop.arm, stop.seed): bias
        for stop, bias in zip(todo, scores, strict=True)
        if bias is not None
    }


def _stops(plan: MapPlan) -> Iterator[Stop]:
    for world in plan.worlds:
        for seed in range(plan.seeds):
            for step in path_steps(plan):
                yield Stop(world.name, seed, step)
