"""``fairaudit finetune``: a base model and text in, a model under audit out."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairaudit.cli.audit import INTERRUPTED, calm_libraries
from fairaudit.cli.options import takes
from fairaudit.cli.state import STATE, console, shown_progress
from fairaudit.errors import UsageError
from fairaudit.ranks import ranks
from fairaudit.training.finetune_options import FinetuneOptions

if TYPE_CHECKING:
    from fairaudit.training.jobs import FineTuning
    from fairaudit.training.loop import StepReport
    from fairaudit.training.running import FineTuned


@takes(FinetuneOptions)
def finetune_command(
    chosen: dict[str, Any],
    diagnose_every: Annotated[
        int | None,
        typer.Option(min=1, help="Diagnose gradients on public probe texts every so many steps."),
    ] = None,
    expect: Annotated[
        bool,
        typer.Option(
            "--expect", help="First say whether base or text leans further, and what to expect."
        ),
    ] = False,
) -> None:
    """Fine-tune a model: plain, with counterfactual data, with differential privacy, or both.

    A record is a line of a .txt file, or a row with a column "text". Example row of a .jsonl file:

        {"text": "The nurse said that she was tired."}

    A prompt with its completion, or a conversation, is learned where it answers:

        {"prompt": "Who was tired?", "completion": " The nurse."}

        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi."}]}

    With --unit-column author, all rows of one author are one record:

        {"author": "a17", "text": "The nurse said that she was tired."}
    """
    private = not chosen.keys().isdisjoint(("epsilon", "row_epsilon", "noise_multiplier"))
    if "delta" in chosen and not private:
        raise UsageError(
            "--delta has no effect without --epsilon, --row-epsilon or --noise-multiplier"
        )
    if "max_grad_norm" in chosen and not private:
        chosen["ablation"] = "clip_only"
    here = ranks()
    here.together(partial(_refuse_missing, chosen))
    calm_libraries()
    from fairaudit.training.jobs import make_job
    from fairaudit.training.monitoring import training_monitor, with_monitor
    from fairaudit.training.running import run_job

    # The first rank speaks for all of them.
    STATE.quiet = STATE.quiet or not here.is_first
    job = here.together(lambda: make_job(FinetuneOptions(**chosen)))
    _show_plan(job)
    if expect and here.is_first:
        _show_expectation(job, chosen["base"])
    losses = _losses(job)
    with _told_when_interrupted(), shown_progress() as progress:
        progress("training", 0, job.plan.steps)
        looks = diagnose_every if here.is_first else None
        monitor = None if looks is None else training_monitor(job, looks)
        done = run_job(
            job,
            on_step=with_monitor(
                lambda report, _: progress(losses.words(report), report.step, report.steps),
                monitor,
            ),
            on_start=None if monitor is None else monitor.before_training,
        )
        if monitor is not None:
            progress("drawing figures and report", 0, 0)
            monitor.finish()
    _show_result(done, losses)
    if monitor is not None:
        _say(f"diagnosis: {done.folder / 'diagnostics' / 'report.html'}")


def _refuse_missing(chosen: Mapping[str, Any]) -> None:
    """Tell a wrong name before the libraries are imported that read what it names."""
    from fairaudit.auditing.audit_source import check_source
    from fairaudit.training.tables import check_file

    check_file(chosen["train"])
    check_source(chosen["base"])


def _say(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)


def _show_plan(job: FineTuning) -> None:
    plan = job.plan
    _say(
        f"{job.options.arm}: {plan.n_records} records, {plan.steps} steps of {plan.batch_size} "
        f"expected records (each with probability {plan.sample_rate:.4g})"
    )
    if plan.mechanism == "dp":
        _say(
            f"noise multiplier {plan.noise_multiplier:.4g}, clipping norm {plan.clip_norm:g}, "
            f"delta {plan.delta:.3g}: epsilon {plan.epsilon():.4g} per record"
        )


def _show_expectation(job: FineTuning, base: str) -> None:
    """Say what to expect of bias; of private text it is a count that no ε covers."""
    from fairaudit.experiments.expectation import expectation
    from fairaudit.training.passages import joined

    texts = ["\n".join(map(joined, rows)) for rows in job.records.rows]
    for sentence in expectation(base, texts, device=str(job.loaded.device)).sentences:
        _say(sentence)
    if job.plan.mechanism == "dp":
        _say("both are read from the text and not covered by epsilon: do not publish them")


def _show_result(done: FineTuned, losses: Losses) -> None:
    claim = done.privacy
    statements = "training.json" if claim is None else "training.json and privacy.json"
    _say(f"model: {done.folder} (weights as safetensors, config, tokenizer, {statements})")
    loss = losses.summary()
    if loss is not None:
        _say(loss)
    if claim is None:
        _say("no privacy guarantee")
    elif claim.epsilon is not None:
        unit = "person" if claim.unit == "user" else "record"
        _say(f"epsilon {claim.epsilon:.4g} at delta {claim.delta:.3g} per {unit}")
    if claim is not None and claim.row_epsilon is not None:
        _say(f"per row, as is often published: epsilon {claim.row_epsilon:.4g}")
    if claim is not None and claim.canaries is not None:
        _say(claim.canaries.sentence)
    _say(
        f"not covered by any guarantee, do not publish: {done.folder / 'private'} (the .gitignore "
        "beside it keeps it out of git and of huggingface_hub's upload_folder)"
    )


@contextlib.contextmanager
def _told_when_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("fairaudit: interrupted; the same command with --resume goes on", err=True)
        raise typer.Exit(INTERRUPTED) from None


@dataclass(slots=True)
class Losses:
    """The loss of each step, shown to the owner of the text and kept nowhere.

    Of an arm with a guarantee it is shown on a terminal only: elsewhere the line might be stored.
    """

    shown: bool
    note: str
    seen: list[float] = field(default_factory=list)

    def words(self, report: StepReport) -> str:
        """Take a step's loss over; say it with clip rate and ε so far."""
        found = report.seen
        if found.loss is not None:
            self.seen.append(found.loss)
        values = [("epsilon", report.epsilon, ".2f")]
        if self.shown:
            values = [
                ("loss", found.loss, ".3f"), ("clip rate", found.clip_rate, ".2f"), *values
            ]  # fmt: skip
        parts = (f"{name} {value:{form}}" for name, value, form in values if value is not None)
        return " · ".join(["training", ", ".join(parts) or f"step {report.step}"])

    def summary(self) -> str | None:
        """Say how the loss changed, from the first tenth of the steps to the last."""
        if not self.shown or not self.seen:
            return None
        n = max(1, len(self.seen) // 10)
        first, last = fmean(self.seen[:n]), fmean(self.seen[-n:])
        return f"training loss: {first:.3f} at first, {last:.3f} at last{self.note}"


def _losses(job: FineTuning) -> Losses:
    if job.plan.mechanism != "dp":
        return Losses(shown=True, note="")
    return Losses(shown=sys.stderr.isatty(), note=" (not covered by epsilon, do not publish)")
