"""How long a map would take here: a short timing of its own model, times what the plan asks for.

A model of the plan's size, untrained, takes a few training steps and reads a few batches on one
thread. All that a map does is made of such steps: sentences trained on, with one gradient for all
or one for each record, and sentences read. Time of the processor is counted: what else runs on the
machine meanwhile says nothing about later.
"""

from __future__ import annotations

import itertools
import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from fairaudit.errors import UsageError
from fairaudit.experiments.map_plan import MapPlan
from fairaudit.experiments.parallel_arms import default_processes, one_thread
from fairaudit.experiments.plain_path import path_steps
from fairaudit.experiments.pretraining import pretrain
from fairaudit.experiments.train_arm import snapshot_steps
from fairaudit.experiments.world import AXES, Mixture, population, sentences
from fairaudit.results.types import QUICK_ITEMS
from fairaudit.scoring.load import load_model
from fairaudit.training.finetuning_plan import make_plan
from fairaudit.training.recipe import Recipe
from fairaudit.vocabulary.arms import ArmKind

#: Time of a sentence in fine-tuning and in training with clipped records, both in that of one in
#: pre-training, and of one that an audit scores, in that of one that is read; as measured.
_FINE_TUNED: Final = 0.45
_CLIPPED: Final = 0.65
_SCORED: Final = 1.6
#: Seconds beside training and scoring for each arm: loading, drawing text, checking, saving.
_BESIDE: Final = 2.5
_ROLES: Final = 3
_SIZE, _STEPS = 64, 12


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds that one sentence takes on one thread."""

    trained: float
    read: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a map asks for, and how long that takes at a pace.

    Parameters
    ----------
    cells : int
        Trainings and audits in all: worlds × arms × seeds, the base included.
    base, arms : float
        Seconds on one core: of the base model, and of all cells.
    processes : int
        How many cells run side by side.
    """

    cells: int
    base: float
    arms: float
    processes: int

    @property
    def hours(self) -> float:
        """Time from start to end; the base model is made before anything runs side by side."""
        return (self.base + self.arms / min(self.processes, self.cells)) / 3600

    @property
    def words(self) -> str:
        """The estimate in one clause."""
        return (
            f"{self.cells:,} trainings and audits, about {time_in_words(self.hours)} with "
            f"{self.processes} side by side"
        )


def time_in_words(hours: float) -> str:
    """Return a time in words: ``8 minutes``, ``2.5 hours``."""
    if hours < 1.5:
        minutes = max(1, math.ceil(60 * hours))
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    return f"{hours:.1f} hours"


def cost_of(plan: MapPlan, processes: int | None = None, pace: Pace | None = None) -> Cost:
    """Estimate how long a map takes on this machine.

    Parameters
    ----------
    plan : MapPlan
        The map.
    processes : int, optional
        Arms side by side; default as `experiment_map` has it.
    pace : Pace, optional
        Of the plan's model here; measured unless it is given.
    """
    own = measured_pace(plan) if pace is None else pace
    one_seed = sum(_arm_seconds(plan, name, kind, own) for name, kind in plan.named_arms.items())
    one_seed += (1 + len(path_steps(plan))) * _audit_seconds(plan, own)
    n_cells = len(plan.worlds) * plan.seeds
    return Cost(
        cells=n_cells * (len(plan.named_arms) + 1),
        base=plan.base.steps * plan.base.batch_size * own.trained,
        arms=n_cells * one_seed,
        processes=processes or default_processes(),
    )


def refuse_beyond(
    plan: MapPlan, hours: float, processes: int | None = None, cost: Cost | None = None
) -> None:
    """Raise if a map would take longer than that.

    Parameters
    ----------
    plan : MapPlan
        The map.
    hours : float
        The most that it may take.
    processes : int, optional
        Arms side by side; default as `experiment_map` has it.
    cost : Cost, optional
        Its estimate, where that is known.

    Raises
    ------
    UsageError
        With the estimate, and what to cut.
    """
    cost = cost_of(plan, processes) if cost is None else cost
    if cost.hours <= hours:
        return
    most = hours - cost.base / 3600
    cuts = []
    if most > 0:
        factor = most / (cost.hours - cost.base / 3600)
        needed = math.ceil(min(cost.processes, cost.cells) / factor)
        cuts += [_cut(plan, factor), f"or run it on {needed} cores (--processes {needed})"]
    else:
        cuts.append("take fewer steps in [base]: it alone takes longer")
    raise UsageError(
        f"the map '{plan.name}' does not fit into {time_in_words(hours)}: {cost.words}; "
        f"{', '.join(cuts)}"
    )


def _cut(plan: MapPlan, factor: float) -> str:
    """Say which cut is enough, the least painful first; the last one always is."""
    grid = plan.map
    if len(grid.shares) > 1 and factor >= 1 / len(grid.shares):
        return "leave one of map.shares out"
    leans = math.floor(factor * len(grid.leans))
    if leans >= 2:
        return f"keep {leans} of the {len(grid.leans)} map.leans"
    return f"cut leans, shares, arms, seeds or steps to {100 * factor:.2g} % of what is asked"


def _arm_seconds(plan: MapPlan, name: str, kind: ArmKind, pace: Pace) -> float:
    audit = _audit_seconds(plan, pace)
    if kind is ArmKind.PLAIN_MATCHED:
        return audit
    text = plan.text.world
    assert text is not None
    asked = plan.worlds[0].plan.settings(name)
    recipe = Recipe(steps=asked.get("steps"), batch_size=asked.get("batch_size"))
    numbers = make_plan(recipe, text.sentences)
    twins = 2 if kind.twins is not None else 1
    clipped = kind.private or kind is ArmKind.CLIP_ONLY
    each = pace.trained * twins * (_CLIPPED if clipped else _FINE_TUNED)
    held_out = plan.text.held_out_sentences * pace.read
    looks = 2
    if kind is ArmKind.PLAIN and ArmKind.PLAIN_MATCHED in plan.arms:
        looks += len(snapshot_steps(numbers.steps))
    return audit + numbers.steps * numbers.batch_size * each + looks * held_out


def _audit_seconds(plan: MapPlan, pace: Pace) -> float:
    items = sum(1 for _ in population(plan.audit.openings, plan.audit.tails))
    if plan.audit.quick:
        items = min(items, QUICK_ITEMS * len(AXES))
    return _BESIDE + items * _ROLES * pace.read * _SCORED


def measured_pace(plan: MapPlan) -> Pace:
    """Time a model of the plan's size on one thread of this machine; it takes a few seconds."""
    texts = sentences(Mixture(), 10 * _SIZE, seed=0)
    with tempfile.TemporaryDirectory() as place, one_thread():
        folder = Path(place) / "model"
        began: list[float] = []
        pretrain(
            texts,
            folder,
            layers=plan.base.layers,
            width=plan.base.width,
            steps=_STEPS,
            batch_size=_SIZE,
            learning_rate=1e-4,
            seed=0,
            on_step=lambda _: began.append(time.process_time()),
        )
        loaded = load_model(folder, device="cpu")
        rows = loaded.tokenizer(texts[:_SIZE])["input_ids"]
        ids = torch.nn.utils.rnn.pad_sequence(list(map(torch.tensor, rows)), batch_first=True)

        def read() -> None:
            with torch.inference_mode():
                loaded.model(input_ids=ids)

        # The shortest step: the first ones warm up.
        trained = min(end - start for start, end in itertools.pairwise(began)) / _SIZE
        return Pace(trained, _best(read) / _SIZE)


def _best(work: Callable[[], None]) -> float:
    """Shortest of a few times of some work, in seconds of the processor."""
    times = []
    for _ in range(4):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)
