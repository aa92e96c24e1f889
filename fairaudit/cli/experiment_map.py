"""``fairaudit experiment map``: one base model, a grid of texts, and where privacy raises bias."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fairaudit.cli.audit import INCOMPLETE, calm_libraries, told_when_interrupted
from fairaudit.cli.state import console, shown_progress

if TYPE_CHECKING:
    from fairaudit.experiments.map_plan import MapPlan
    from fairaudit.results.experiment import ExperimentResult
    from fairaudit.results.map import MapResult


def run_map(
    plan: str,
    output: Path | None,
    processes: int | None,
    budget: float | None,
    *,
    dry_run: bool,
) -> None:
    """Train and audit every cell of a map, or say how long that would take.

    Parameters
    ----------
    plan : str
        Plan file, or the built-in ``map``.
    output : path or None
        Folder of the map; None: only with ``dry_run``.
    processes : int or None
        Arms side by side.
    budget : float or None
        Hours that it may take.
    dry_run : bool
        Only say what would run.
    """
    from fairaudit.experiments.map_plan import load_map_plan

    wanted = load_map_plan(plan)
    calm_libraries()
    if dry_run:
        _say_cost(wanted, processes, budget)
        return
    assert output is not None
    from fairaudit.experiments.mapping import experiment_map

    run = partial(experiment_map, wanted, output=output, processes=processes, budget_hours=budget)
    shown_run(output, run)


def shown_run(output: Path, run: Callable[..., ExperimentResult | MapResult]) -> None:
    """Run an experiment or a map, show what it found, and say where its report lies.

    Raises
    ------
    typer.Exit
        If a run of it failed.
    """
    began = time.monotonic()
    from fairaudit.progress import duration
    from fairaudit.report.terminal import render_terminal

    with told_when_interrupted(), shown_progress() as progress:
        result = run(progress=progress)
    console().print(render_terminal(result))
    console().print(f"report: {output / 'report.html'}", highlight=False, soft_wrap=True)
    console().print(f"took {duration(time.monotonic() - began)}", highlight=False)
    if not result.complete:
        raise typer.Exit(INCOMPLETE)


def _say_cost(wanted: MapPlan, processes: int | None, budget: float | None) -> None:
    from fairaudit.experiments.map_cost import cost_of, refuse_beyond

    cost = cost_of(wanted, processes)
    grid = wanted.map
    lines = (
        f"map {wanted.name}: {len(grid.leans)} leans × {len(grid.shares)} shares × "
        f"{wanted.seeds} seeds, arms {', '.join(wanted.named_arms)}",
        f"estimate: {cost.words}",
    )
    for line in lines:
        console().print(line, highlight=False, markup=False, soft_wrap=True)
    if budget is not None:
        refuse_beyond(wanted, budget, processes, cost)
