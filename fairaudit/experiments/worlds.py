"""Running worlds: the arms of one experiment, or of several at once in one pool of processes.

Each world is an experiment of its own, with its plan in its folder. What worlds share is made once:
a base model that several of them start from, and what all arms are asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from fairaudit.errors import ResultError
from fairaudit.experiments.asked_suites import Questions, questions
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.grid import Cell, Grid, cells
from fairaudit.experiments.parallel_arms import default_processes, spread
from fairaudit.experiments.plan_checks import check_plan, claim_folder
from fairaudit.experiments.plan_parts import BasePlan
from fairaudit.experiments.pretraining import pretrain
from fairaudit.experiments.world import sentences
from fairaudit.progress import Progress
from fairaudit.results.experiment import ArmRun
from fairaudit.results.files import made_once
from fairaudit.results.locks import LOCK, alone_in
from fairaudit.results.places import inside

#: Folders of several worlds, of the bases they share, and of what they are asked.
WORLDS: Final = "regimes"
_BASES: Final = "bases"
_ASKED: Final = "asked"
_RUNNING: Final = "running this experiment"
_PRE_TRAINING: Final = "pre-training the base model"


def run_grid(
    plan: ExperimentPlan,
    output: Path,
    progress: Progress = lambda *_: None,
    processes: int | None = None,
) -> list[ArmRun]:
    """Train and audit what is not there yet; a failed arm is noted and the rest goes on.

    Parameters
    ----------
    plan : ExperimentPlan
        What to run: a plan without regimes.
    output : path
        Folder of the experiment. It keeps the plan; another plan there is refused.
    progress : callable, optional
        Called with (stage, arms done, arms in all).
    processes : int, optional
        Arms trained side by side; default one for each core, a single one with a GPU.

    Raises
    ------
    ResultError
        If the folder holds another plan (with the first difference), another process is at work
        in it, or it cannot be written.
    UsageError, DataError, ModelError
        If an arm's settings contradict each other or its data, the text cannot be read, or the base
        model cannot be loaded. Then nothing is written: a corrected plan begins anew.
    """
    inputs = check_plan(plan)
    with alone_in(output, _RUNNING):
        claim_folder(plan, output, inputs)
        base = Base(plan.base, output / "base")
        base.make(progress)
        progress("questions", 0, 0)
        world = Grid(plan, output, base.checkpoint, questions(plan, output))
        (runs,) = _run([world], [], progress, processes)
        return runs


def run_worlds(
    plans: Mapping[str, ExperimentPlan],
    folder: Path,
    progress: Progress = lambda *_: None,
    processes: int | None = None,
    *,
    whole: BaseModel | None = None,
    under: str = WORLDS,
) -> dict[str, list[ArmRun]]:
    """Run several experiments in one pool of processes, seed by seed; what is there is not redone.

    Parameters
    ----------
    plans : mapping of str to ExperimentPlan
        Plans without regimes by the name of their world, which is also that of its folder.
    folder : path
        Folder of all of them. Each world is in ``folder/under/NAME``, laid out as by `run_grid` but
        for the base model: worlds with the same one share it in ``folder/bases``.
    progress : callable, optional
        Called with (stage, arms done, arms of all worlds).
    processes : int, optional
        Arms trained side by side, of whichever world; default one for each core.
    whole : BaseModel, optional
        The plan that all of them come from, kept in ``folder``; another one there is refused.
    under : str
        Name of the folder of the worlds.

    Returns
    -------
    dict of str to list of ArmRun
        Runs of each world, in the order of the plans.

    Raises
    ------
    ResultError, UsageError, DataError, ModelError
        See `run_grid`; nothing is written where one of the plans cannot be run.
    """
    inputs = {name: check_plan(plan, _on_one_text(plans, plan)) for name, plan in plans.items()}
    with alone_in(folder, _RUNNING):
        _claim_all(plans, folder, inputs, whole, under)
        places = {name: inside(folder, f"{under}/{name}") for name in plans}
        asked: dict[tuple[str, bool], Questions] = {}
        bases: dict[str, Base] = {}
        worlds = []
        for name, plan in plans.items():
            progress("questions", 0, 0)
            base = _shared_base(plan, folder)
            bases.setdefault(base.checkpoint, base)
            worlds.append(Grid(plan, places[name], base.checkpoint, _asked(plan, folder, asked)))
        return dict(
            zip(plans, _run(worlds, list(bases.values()), progress, processes), strict=True)
        )


def _on_one_text(plans: Mapping[str, ExperimentPlan], plan: ExperimentPlan) -> int:
    """Count the plans whose models are trained on the file of this one."""
    return sum(one.text.file == plan.text.file for one in plans.values())


def _claim_all(
    plans: Mapping[str, ExperimentPlan],
    folder: Path,
    inputs: Mapping[str, Mapping[str, str]],
    whole: BaseModel | None,
    under: str,
) -> None:
    if whole is not None:
        texts = {name: known for own in inputs.values() for name, known in own.items()}
        claim_folder(whole, folder, texts)
    elif not folder.joinpath(under).exists() and any(p.name != LOCK for p in folder.iterdir()):
        raise ResultError(f"{folder} is not empty and holds no experiment; choose another")
    for name, plan in plans.items():
        place = inside(folder, f"{under}/{name}")
        place.mkdir(parents=True, exist_ok=True)
        claim_folder(plan, place, inputs[name])


def _asked(
    plan: ExperimentPlan, folder: Path, known: dict[tuple[str, bool], Questions]
) -> Questions:
    """Return what a world is asked, written once for all worlds that are asked the same."""
    world = plan.text.world
    key = _hash(plan.audit), world is not None and world.people > 0
    if key not in known:
        place = inside(folder, f"{_ASKED}/{key[0]}")
        place.mkdir(parents=True, exist_ok=True)
        known[key] = questions(plan, place)
    return known[key]


def _shared_base(plan: ExperimentPlan, folder: Path) -> Base:
    return Base(plan.base, inside(folder, f"{_BASES}/{_hash(plan.base)}"))


def _hash(part: BaseModel) -> str:
    return hashlib.sha256(part.model_dump_json().encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Base:
    """The base model of one or several worlds.

    Parameters
    ----------
    plan : BasePlan
        A checkpoint, or what to pre-train.
    folder : path
        Where it goes if it is pre-trained.
    """

    plan: BasePlan
    folder: Path

    @property
    def checkpoint(self) -> str:
        """Folder or Hub id of the model."""
        return self.plan.model or str(self.folder)

    @property
    def is_there(self) -> bool:
        """Whether there is nothing to do."""
        return self.plan.model is not None or self.folder.exists()

    def make(self, report: Progress = lambda *_: None) -> None:
        """Pre-train it unless it is there."""
        if not self.is_there:
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            made_once(self.folder, lambda folder: _pretrain(self.plan, folder, report))


def _pretrain(base: BasePlan, folder: Path, report: Progress) -> None:
    text = base.text
    assert text is not None, "a base without a model has a text"
    pretrain(
        sentences(text.mixture(0), text.sentences, seed=0),
        folder,
        layers=base.layers,
        width=base.width,
        steps=base.steps,
        batch_size=base.batch_size,
        learning_rate=base.learning_rate,
        seed=0,
        on_step=lambda step: report(_PRE_TRAINING, step, base.steps),
    )


@dataclass(frozen=True, slots=True)
class ArmOf:
    """A cell of one of several worlds."""

    world: int
    cell: Cell


def order_of(plans: Sequence[ExperimentPlan]) -> list[ArmOf]:
    """Order the arms of several worlds: seed by seed, so that an early look sees every world.

    Within a seed, arms that need others of it come after all of them.
    """
    found = [ArmOf(place, cell) for place, plan in enumerate(plans) for cell in cells(plan)]
    return sorted(found, key=lambda one: (one.cell.seed, one.cell.is_matched))


def _run(
    worlds: Sequence[Grid], bases: Sequence[Base], report: Progress, processes: int | None
) -> list[list[ArmRun]]:
    """Make the bases that are missing, run every arm, and return the runs of each world."""
    todo = order_of([world.plan for world in worlds])
    missing = [base for base in bases if not base.is_there]
    at_once = min(processes or default_processes(), len(todo))
    if at_once == 1 or len(missing) == 1:
        # A single one cannot be shared out, and here its steps can be told.
        for base in missing:
            base.make(report)
        missing = []
    if at_once > 1:
        found = _side_by_side(worlds, todo, missing, at_once, report)
    else:
        found = {}
        for number, one in enumerate(todo):
            report(f"arms · {_named(worlds, one)}", number, len(todo))
            found[one] = worlds[one.world].run(one.cell)
    report("arms", len(todo), len(todo))
    return [
        [found[ArmOf(place, cell)] for cell in cells(world.plan)]
        for place, world in enumerate(worlds)
    ]


def _named(worlds: Sequence[Grid], one: ArmOf) -> str:
    of = f"{worlds[one.world].plan.name}, " if len(worlds) > 1 else ""
    return f"{of}{one.cell.arm}, seed {one.cell.seed}"


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process is given: a base to make, or a cell of a world."""

    base: Base | None = None
    grid: Grid | None = None
    cell: Cell | None = None


def _do(work: _Work) -> ArmRun | None:
    if work.base is not None:
        work.base.make()
    if work.grid is None or work.cell is None:
        return None
    return work.grid.run(work.cell)


def _side_by_side(
    worlds: Sequence[Grid],
    todo: Sequence[ArmOf],
    missing: Sequence[Base],
    processes: int,
    report: Progress,
) -> dict[ArmOf, ArmRun]:
    """Run bases and arms in one pool, each arm as soon as its base and what it needs are there."""
    work = [
        *(_Work(base=base) for base in missing),
        *(_Work(grid=worlds[one.world], cell=one.cell) for one in todo),
    ]
    after = needs_of(worlds, todo, [base.checkpoint for base in missing])

    def tell() -> None:
        done = sum(worlds[one.world].finished(one.cell) is not None for one in todo)
        report(f"arms · {done} of {len(todo)} done, {processes} side by side", done, len(todo))

    runs = spread(_do, work, processes, tell, after)[len(missing) :]
    return {one: run for one, run in zip(todo, runs, strict=True) if run is not None}


def needs_of(
    worlds: Sequence[Grid], todo: Sequence[ArmOf], missing: Sequence[str]
) -> dict[int, set[int]]:
    """By place in the work, bases first, the places of what an arm needs."""
    base_at = {checkpoint: place for place, checkpoint in enumerate(missing)}
    at = {one: place for place, one in enumerate(todo, start=len(missing))}
    found = {}
    for one, place in at.items():
        base = base_at.get(worlds[one.world].base)
        found[place] = {at[ArmOf(one.world, cell)] for cell in one.cell.needs}
        found[place] |= set() if base is None else {base}
    return found
