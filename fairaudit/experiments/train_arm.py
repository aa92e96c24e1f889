"""From the name of an arm to a fine-tuned checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from fairaudit.diagnostics.during_training import SETTINGS, Monitor
from fairaudit.errors import FairauditError
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.probes import world_items, world_probes
from fairaudit.experiments.world import sentences
from fairaudit.results.files import dump_json, write_text
from fairaudit.results.places import inside
from fairaudit.scoring.load import load_model
from fairaudit.training.finetune_options import FinetuneOptions
from fairaudit.training.jobs import FineTuning, make_job
from fairaudit.training.loop import StepHook, StepReport
from fairaudit.training.monitoring import training_monitor, with_monitor
from fairaudit.training.private import PrivateFolder
from fairaudit.training.recipe import Recipe
from fairaudit.training.running import FineTuned, run_job
from fairaudit.vocabulary.arms import ArmKind, read_arm

#: Checkpoints of the plain run from which the matched one is chosen.
_SNAPSHOTS: Final = 12
#: Resampled templates of one run; what counts in an experiment are its seeds.
_REPLICATES: Final = 199


@dataclass(frozen=True, slots=True)
class Texts:
    """Training and held-out text of one seed: lists of sentences, or files."""

    train: Sequence[str] | str
    held_out: Sequence[str] | str
    text_column: str | None = None


def texts_of(plan: ExperimentPlan, seed: int) -> Texts:
    """Return the text of a seed: files as they are, or sentences drawn from the known world."""
    text = plan.text
    if text.world is None:
        assert text.file is not None
        assert text.held_out_file is not None
        return Texts(text.file, text.held_out_file, text.text_column)
    mixture, n = text.world.mixture(0), text.world.sentences
    # Seed 0 is that of the pre-training text.
    drawn = sentences(mixture, n + text.held_out_sentences, seed=1 + seed)
    return Texts(drawn[:n], drawn[n:])


def train_arm(
    arm: str,
    plan: ExperimentPlan,
    base: str | Path,
    texts: Texts,
    folder: Path,
    seed: int,
    *,
    on_step: StepHook | None = None,
) -> FineTuned:
    """Fine-tune one arm of one seed; an unfinished run of it is taken up again.

    Parameters
    ----------
    arm : str
        Name of an arm that is trained: neither the base nor a matched one.
    plan : ExperimentPlan
        Its settings.
    base : str or path
        The base model.
    texts : Texts
        The text of this seed.
    folder : path
        Where the checkpoint goes: free, or with an unfinished run.
    seed : int
        Seed of the data order; that of draws and noise in private arms comes from the system.
    on_step : callable, optional
        Called after each step.

    Raises
    ------
    FairauditError
        If the arm cannot be trained, or diverges.
    """
    options = FinetuneOptions(
        base,
        texts.train,
        output=folder,
        held_out=texts.held_out,
        text_column=texts.text_column,
        resume=is_resumable(folder),
        **choices(arm, plan, seed),
    )
    job = make_job(options)
    monitor = _monitor(job, plan)
    done = run_job(
        job,
        on_step=with_monitor(on_step, monitor),
        on_start=None if monitor is None else monitor.before_training,
    )
    if monitor is not None:
        monitor.finish()
    return done


def is_resumable(folder: Path) -> bool:
    """Whether a folder holds the state of an unfinished training."""
    return PrivateFolder(folder).has_state


def is_trained(folder: Path, plan: ExperimentPlan) -> bool:
    """Whether a training is finished, and looked at where the plan asks for it."""
    looks = plan.diagnose_every is not None or plan.diagnose_times is not None
    files = ("training.json", "diagnostics/result.json") if looks else ("training.json",)
    return all((folder / name).exists() for name in files)


def _monitor(job: FineTuning, plan: ExperimentPlan) -> Monitor | None:
    """Look at gradients on texts like those that are trained on, if the plan asks for it."""
    apart = plan.diagnose_apart(job.plan.steps)
    if apart is None:
        return None
    if plan.text.world is None:
        return training_monitor(job, apart)
    items = {axis: world_items(axis) for axis in plan.axes}
    settings = replace(SETTINGS, bias_items=items, replicates=_REPLICATES)
    probes = world_probes(plan.axes, by_name=plan.text.is_uneven)
    return training_monitor(job, apart, probes, settings)


def recipe_of(arm: str, plan: ExperimentPlan, seed: int) -> Recipe:
    """Return the recipe of an arm.

    Raises
    ------
    UsageError
        If its settings contradict each other.
    """
    return Recipe(**choices(arm, plan, seed))


def choices(arm: str, plan: ExperimentPlan, seed: int) -> dict[str, Any]:
    """Return the options of an arm's `Recipe`."""
    return {"seed": seed, **plan.settings(arm), **mechanism(arm, plan.axes)}


def mechanism(arm: str, axes: Sequence[str]) -> dict[str, Any]:
    """Arguments of `finetune` that make an arm what its name says."""
    found = read_arm(arm)
    if found is None or found.kind is None:
        raise FairauditError(f"'{arm}' is no arm")
    options: dict[str, Any] = {}
    if found.kind.twins is not None:
        options["cda"] = tuple(axes)
        options["cda_mode"] = found.kind.twins
    if found.kind is ArmKind.DP_CDA_ROW:
        options["row_epsilon"] = found.epsilon
    elif found.epsilon is not None:
        options["epsilon"] = found.epsilon
    if found.kind in (ArmKind.CLIP_ONLY, ArmKind.NOISE_ONLY):
        options["ablation"] = found.kind.value
    return options


class Snapshots:
    """Saves checkpoints along a plain run, so that one can be matched to a private arm.

    Parameters
    ----------
    folder : path
        One folder per snapshot is made in it, with its held-out perplexity.
    base : str
        The base model, whose tokenizer is saved beside each.
    perplexity : callable
        Held-out perplexity of a checkpoint.
    """

    def __init__(self, folder: Path, base: str, perplexity: Callable[[Path], float]) -> None:
        self._folder, self._base, self._perplexity = folder, base, perplexity

    def __call__(self, report: StepReport, model: Any) -> None:
        """Save every so many steps; more often at the start, where perplexity falls fastest."""
        if report.step not in snapshot_steps(report.steps):
            return
        target = inside(self._folder, f"step-{report.step}")
        tokenizer = load_model(self._base, device="cpu").tokenizer
        model.save_pretrained(target)
        tokenizer.save_pretrained(target)
        write_text(target / "held_out.json", dump_json({"perplexity": self._perplexity(target)}))


def snapshot_steps(steps: int) -> tuple[int, ...]:
    """Return the steps after which a snapshot is saved: evenly spaced in their square roots.

    >>> snapshot_steps(9)
    (1, 2, 3, 4, 5, 6, 8)
    """
    marks = {round(steps * (k / (_SNAPSHOTS + 1)) ** 2) for k in range(1, _SNAPSHOTS + 1)}
    return tuple(sorted(mark for mark in marks if 0 < mark < steps))
