"""``fairaudit experiment``: every arm of a plan trained, audited, compared, and judged."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairaudit.cli.audit import INCOMPLETE, calm_libraries, told_when_interrupted
from fairaudit.cli.state import STATE, console

if TYPE_CHECKING:
    from fairaudit.experiments.grid import Progress


def experiment_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the experiment.")],
    plan: Annotated[
        str, typer.Argument(help="Plan file (TOML), or a built-in plan: demo, full.")
    ] = "demo",
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Arms trained side by side; default one for each core."),
    ] = None,
) -> None:
    """Train every arm of a plan, audit each, compare, and judge the claims about the recipe."""
    from fairaudit.experiments.plan import load_plan

    wanted = load_plan(plan)
    calm_libraries()
    from fairaudit.experiments.experimenting import experiment
    from fairaudit.report.experiment.terminal import render_experiment

    with told_when_interrupted(), experiment_bar() as progress:
        result = experiment(wanted, output=output, processes=processes, progress=progress)
    console().print(render_experiment(result))
    console().print(f"report: {output / 'report.html'}", highlight=False, soft_wrap=True)
    if not result.complete:
        raise typer.Exit(INCOMPLETE)


@contextlib.contextmanager
def experiment_bar() -> Iterator[Progress | None]:
    """Show which arm is trained and how long the rest will take, unless ``--quiet``."""
    if STATE.quiet:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    stderr = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns,
        TimeElapsedColumn(),
        TextColumn("left"),
        Remaining(),
        console=stderr,
        transient=True,
        disable=not stderr.is_terminal,
    )
    with bar:
        task = bar.add_task("base model", total=None)

        def show(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)
            if not stderr.is_terminal:
                stderr.print(f"[{done}/{total}] {what}", highlight=False, markup=False)

        yield show
