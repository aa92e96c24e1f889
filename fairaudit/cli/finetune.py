"""``fairaudit finetune``: a base model and text in, a model under audit out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairaudit.cli.audit import INTERRUPTED, calm_libraries
from fairaudit.cli.state import STATE, console, split_list
from fairaudit.errors import UsageError

if TYPE_CHECKING:
    from fairaudit.training.jobs import FineTuning
    from fairaudit.training.loop import StepHook, StepReport
    from fairaudit.training.running import FineTuned


class ObjectiveName(StrEnum):
    """What is predicted."""

    causal = "causal"
    masked = "masked"


class CdaModeName(StrEnum):
    """How counterfactual twins enter."""

    averaged = "averaged"
    separate = "separate"
    substitution = "substitution"


def finetune_command(
    base: Annotated[str, typer.Argument(help="Checkpoint folder, PEFT adapter or Hub id.")],
    train: Annotated[
        Path, typer.Option(help="Training text: .txt, .jsonl, .csv, .tsv or .parquet; also .gz.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model.")],
    objective: Annotated[
        ObjectiveName | None, typer.Option(help="Default: that of the base model.")
    ] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="Target epsilon per record; without it, no privacy.")
    ] = None,
    row_epsilon: Annotated[
        float | None, typer.Option(help="Target epsilon per row, with separate twins only.")
    ] = None,
    delta: Annotated[float | None, typer.Option(help="Default: records ** -1.1.")] = None,
    max_grad_norm: Annotated[
        float | None,
        typer.Option(help="Clipping norm, default 1; without epsilon: clipping alone."),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of training.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Default 3, unless steps are given.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Expected records per step; default 256, or a quarter.")
    ] = None,
    micro_batch_size: Annotated[
        int | None, typer.Option(help="Rows in memory at a time; changes nothing but rounding.")
    ] = None,
    max_length: Annotated[int, typer.Option(help="Longest row in tokens.")] = 256,
    learning_rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 5e-4,
    cda: Annotated[
        str | None, typer.Option(metavar="AXES", help="Axes to swap, comma-separated.")
    ] = None,
    cda_mode: Annotated[CdaModeName, typer.Option(help="How twins enter.")] = CdaModeName.averaged,
    lora: Annotated[
        int | None, typer.Option(metavar="RANK", help="Train low-rank adapters of this rank.")
    ] = None,
    unit_column: Annotated[
        str | None, typer.Option(help="Column that says whose a row is: one record per person.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Initialisation and data order.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the unfinished run in the folder.")
    ] = False,
    diagnose_every: Annotated[
        int | None,
        typer.Option(min=1, help="Diagnose gradients on public probe texts every so many steps."),
    ] = None,
) -> None:
    """Fine-tune a model: plain, with counterfactual data, with differential privacy, or both."""
    calm_libraries()
    from fairaudit.training.finetuning import plan_finetuning, run_finetuning
    from fairaudit.training.monitoring import training_monitor, with_monitor
    from fairaudit.training.recipe import Recipe

    private = epsilon is not None or row_epsilon is not None
    if delta is not None and not private:
        raise UsageError("--delta has no effect without --epsilon or --row-epsilon")
    recipe = Recipe(
        objective=None if objective is None else objective.value,
        epsilon=epsilon,
        row_epsilon=row_epsilon,
        delta=delta,
        max_grad_norm=max_grad_norm,
        ablation="clip_only" if max_grad_norm is not None and not private else None,
        steps=steps,
        epochs=epochs,
        batch_size=batch_size,
        max_length=max_length,
        learning_rate=learning_rate,
        cda=tuple(split_list(cda) or ()),
        cda_mode=cda_mode.value,
        lora=lora,
        seed=seed,
    )
    job = plan_finetuning(
        base, train, output=output, recipe=recipe, unit_column=unit_column, resume=resume
    )
    _show_plan(job)
    with _told_when_interrupted(), _progress_bar() as on_step:
        monitor = None if diagnose_every is None else training_monitor(job, diagnose_every)
        done = run_finetuning(
            job,
            micro_batch_size=micro_batch_size,
            on_step=with_monitor(on_step, monitor),
            on_start=None if monitor is None else monitor.before_training,
        )
    _show_result(done)
    if monitor is not None:
        monitor.finish()
        _say(f"diagnosis: {done.folder / 'diagnostics' / 'report.html'}")


def _say(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)


def _show_plan(job: FineTuning) -> None:
    plan = job.plan
    _say(
        f"{job.recipe.arm}: {plan.n_records} records, {plan.steps} steps of {plan.batch_size} "
        f"expected records (each with probability {plan.sample_rate:.4g})"
    )
    if plan.mechanism == "dp":
        _say(
            f"noise multiplier {plan.noise_multiplier:.4g}, clipping norm {plan.clip_norm:g}, "
            f"delta {plan.delta:.3g}: epsilon {plan.epsilon():.4g} per record"
        )


def _show_result(done: FineTuned) -> None:
    _say(f"model: {done.folder}")
    claim = done.privacy
    if claim is None:
        _say("no privacy guarantee")
    elif claim.epsilon is not None:
        unit = "person" if claim.unit == "user" else "record"
        _say(f"epsilon {claim.epsilon:.4g} at delta {claim.delta:.3g} per {unit}")
    if claim is not None and claim.row_epsilon is not None:
        _say(f"per row, as is often published: epsilon {claim.row_epsilon:.4g}")
    _say(f"not covered by any guarantee, do not publish: {done.folder / 'private'}")


@contextlib.contextmanager
def _told_when_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("fairaudit: interrupted; the same command with --resume goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextlib.contextmanager
def _progress_bar() -> Iterator[StepHook | None]:
    """Show steps, loss, clip rate and epsilon so far, unless ``--quiet`` or on a pipe."""
    from rich.console import Console

    stderr = Console(stderr=True)
    if STATE.quiet or not stderr.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    words = TextColumn("{task.description}")
    columns = (BarColumn(), MofNCompleteColumn(), words, TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task("training", total=None)

        def show(report: StepReport, model: Any) -> None:
            del model
            bar.update(task, completed=report.step, total=report.steps, description=_words(report))

        yield show


def _words(report: StepReport) -> str:
    seen = report.seen
    shown = (
        ("loss", seen.loss, ".3f"),
        ("clip rate", seen.clip_rate, ".2f"),
        ("epsilon", report.epsilon, ".2f"),
    )
    parts = [f"{name} {value:{form}}" for name, value, form in shown if value is not None]
    return ", ".join(parts) or "empty draw"
