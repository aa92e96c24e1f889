"""``fairaudit audit``: one checkpoint in, one audit folder out."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.cli.config import reads
from fairaudit.cli.options import takes
from fairaudit.cli.queue import each_of, folder_names, models_of
from fairaudit.cli.state import STATE, append_step_summary, console, shown_progress
from fairaudit.errors import UsageError
from fairaudit.ranks import ranks

if TYPE_CHECKING:
    from fairaudit.auditing.run_audit import AuditPlan, AuditRequest
    from fairaudit.gating.policy import Policy
    from fairaudit.progress import Progress
    from fairaudit.results import AuditResult, ComparisonResult

INCOMPLETE = 4
INTERRUPTED = 130


class OutputFormat(StrEnum):
    """What is printed on standard output."""

    table = "table"
    json = "json"


@takes(AuditOptions)
def audit_command(
    chosen: dict[str, Any],
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="MODEL...",
            help=(
                "Checkpoint folder, GGUF file, PEFT adapter or Hub id; several: a folder each in "
                "--output."
            ),
        ),
    ] = None,
    models_from: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="More models, one a line; -: from standard input."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            is_eager=True,
            callback=reads(AuditOptions, "model", "models"),
            help="TOML file with options; those of the command line come first.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and how long it takes.")
    ] = False,
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
    policy: Annotated[
        Path | None, typer.Option(help="Also gate on this policy; sets the exit code.")
    ] = None,
) -> None:
    """Audit language models for social bias.

    Example: fairaudit audit distilgpt2 --output audits/distilgpt2
    """
    del config  # its callback has read it
    from fairaudit.gating.policy import read_policy

    places = _places(models_of(models or (), models_from), chosen, format)
    # Read before the model is: a typing error should not cost an audit.
    rules = None if policy is None else read_policy(policy)
    here = ranks()
    # The first rank speaks for all of them.
    STATE.quiet = STATE.quiet or not here.is_first
    with told_when_interrupted(), shown_progress() as progress:
        asked = _Asked(chosen, dry_run, format, rules, len(places) > 1, progress)
        code = each_of(places, asked.audited)
    # One code for the whole run: a folder was busy for the first rank alone.
    raise typer.Exit(here.from_first(lambda: code))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about every model of one command."""

    chosen: Mapping[str, Any]
    dry_run: bool
    format: OutputFormat
    rules: Policy | None
    #: Whether there are several models, so that each has the name of its folder.
    several: bool
    progress: Progress

    def audited(self, model: str, folder: Path | None) -> Iterator[int]:
        """Audit one model, show what was found, and yield exit codes."""
        from fairaudit.auditing.audit_source import check_source

        self.progress("loading model and items", 0, 0)
        if "endpoint" not in self.chosen:
            check_source(model, self.chosen.get("gguf_file"))
        from fairaudit.auditing.run_audit import answer, request_audit
        from fairaudit.cli.gate import apply_policy

        here = ranks()
        named = {"label": folder.name} if folder is not None and self.several else {}
        options = AuditOptions(model, **{**self.chosen, **named, "output": folder})
        asked = here.together(partial(request_audit, options))
        if self.dry_run and options.tensor_parallel:
            raise UsageError("a dry run is the work of one process; leave out --tensor-parallel")
        if self.dry_run:
            here.from_first(lambda: _show_plan(_planned(asked)))
            return
        result = answer(asked, progress=self.progress, plan=_planned)
        here.from_first(partial(show_result, result, self.format, folder))
        if "suites" in self.chosen and any(run.status == "not_run" for run in result.suites):
            yield INCOMPLETE
        if self.rules is not None:
            yield here.from_first(partial(apply_policy, result, self.rules, folder))


def _planned(asked: AuditRequest) -> AuditPlan:
    from fairaudit.auditing.run_audit import plan_request

    calm_libraries()
    return plan_request(asked)


def _places(
    models: list[str], chosen: Mapping[str, Any], format: OutputFormat
) -> list[tuple[str, Path | None]]:
    """Return each model with its audit folder: the output itself, or a folder in it for each."""
    output = chosen.get("output")
    if len(models) == 1:
        return [(models[0], output)]
    if output is None or "label" in chosen or format is OutputFormat.json:
        raise UsageError("several models take --output FOLDER, and neither --label nor JSON")
    return [(one, output / name) for one, name in zip(models, folder_names(models), strict=True)]


def show_result(
    result: AuditResult | ComparisonResult, format: OutputFormat, output: Path | None
) -> None:
    """Print a result as table or JSON, and write the step summary where GitHub asks for one."""
    from fairaudit.report.markdown import render_summary
    from fairaudit.report.terminal import render_terminal

    if format is OutputFormat.json:
        typer.echo(result.to_json(), nl=False)
    else:
        console().print(render_terminal(result))
        if output is not None:
            console().print(f"report: {output / 'report.html'}", highlight=False, soft_wrap=True)
        if result.run.made is not None:
            console().print(
                f"The same audit was made before, on {result.run.made}: its numbers were "
                "read back.",
                highlight=False,
            )
    append_step_summary(lambda: render_summary(result))


def calm_libraries() -> None:
    """Keep one progress bar on the screen: ours."""
    from transformers.utils import logging as transformers_logging

    if not STATE.debug:
        transformers_logging.set_verbosity_error()
        transformers_logging.disable_progress_bar()
        # It repeats in every layer that it rounds activations.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _show_plan(plan: AuditPlan) -> None:
    from rich.markup import escape
    from rich.table import Table

    from fairaudit.auditing.endpoint_plan import ENDPOINT

    table = Table("suite", "items", "protocols", box=None, header_style="bold")
    for entry in plan.suites:
        if entry.data is None:
            table.add_row(entry.suite.name, "-", escape(f"not run: {entry.reason}"))
        else:
            protocols = ", ".join(name.split("/", 1)[1] for name in entry.protocol_ids)
            table.add_row(entry.suite.name, str(entry.n_items), protocols)
    console().print(table)
    for note in plan.left_out:
        console().print(note, highlight=False, markup=False)
    if plan.loaded.device == ENDPOINT:
        console().print(
            f"{plan.n_items} items{_writing(plan)}; how long that takes depends on the server",
            highlight=False,
        )
        return
    scoring = plan.scoring
    stored = len(scoring.batches) - len(plan.scorer.missing(scoring))
    known = f", {stored} of them stored already" if stored else ""
    console().print(
        f"{plan.n_items} items, {len(scoring.reads)} requests, {scoring.n_tokens:,} tokens in "
        f"{len(scoring.batches)} batches{known}{_writing(plan)}; about {plan.seconds:.0f} s on "
        f"{plan.loaded.device}",
        highlight=False,
    )


def _writing(plan: AuditPlan) -> str:
    """Say how many texts will be written, and how long they may be together."""
    if plan.generator is None or plan.generation is None:
        return ""
    generation = plan.generation
    stored = len(generation.batches) - len(plan.generator.missing(generation))
    known = f", {stored} of them stored already" if stored else ""
    n_texts = sum(batch.n_sequences for batch in generation.batches)
    return (
        f"; {n_texts:,} texts to write, up to {generation.n_new_tokens:,} tokens in "
        f"{len(generation.batches)} batches{known}"
    )


@contextlib.contextmanager
def told_when_interrupted() -> Iterator[None]:
    """End with one line on Ctrl-C; no result is written, but scored batches are in the store."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("fairaudit: interrupted; the same command goes on from here", err=True)
        raise typer.Exit(INTERRUPTED) from None
