"""``fairaudit experiment``: every arm of a plan trained, audited, compared, and judged."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer

from fairaudit.cli.audit import calm_libraries
from fairaudit.cli.experiment_map import run_map, shown_run
from fairaudit.cli.state import console, write_new
from fairaudit.errors import UsageError

_MAP: Final = "map"


def experiment_command(
    plan: Annotated[
        str,
        typer.Argument(
            help="Plan file (TOML), or a built-in plan: demo, full, regimes; or map, to map a grid "
            "of texts."
        ),
    ] = "demo",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the experiment.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Arms trained side by side; default one for each core."),
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Write a commented plan to this file, and stop.")
    ] = None,
    map_plan: Annotated[
        str | None,
        typer.Argument(
            metavar="[MAP_PLAN]",
            help="After map: its plan file, with a table of leans; default the built-in one.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(help="Of a map: refuse it if it would take more than so many hours."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show arms, estimated time and simulated power; train nothing."
        ),
    ] = False,
) -> None:
    """Train every arm of a plan, audit each, compare, and judge the claims about the recipe.

    fairaudit experiment map: the same on a grid of texts, to see where privacy raises bias.
    """
    if plan == _MAP and init is None:
        if output is None and not dry_run:
            raise UsageError(
                "give --output FOLDER to run the map, or --dry-run to see what it takes"
            )
        run_map(map_plan or _MAP, output, processes, budget, dry_run=dry_run)
        return
    if map_plan is not None or budget is not None:
        raise UsageError("a second plan and --budget belong to a map: fairaudit experiment map")
    if dry_run:
        _forecast(plan, processes)
    elif init is not None and output is None:
        _start(init)
    elif output is not None and init is None:
        _run(plan, output, processes)
    else:
        raise UsageError("give either --output FOLDER to run or --init FILE to start a plan")


def _forecast(plan: str, processes: int | None) -> None:
    from fairaudit.cli.dry_run import show_dry_run
    from fairaudit.experiments.experiment_plan import load_plan

    show_dry_run(load_plan(plan), processes)


def _start(path: Path) -> None:
    from fairaudit.experiments.experiment_plan import starter_plan

    write_new(path, starter_plan())
    console().print(f"plan: {path}", highlight=False, markup=False, soft_wrap=True)


def _run(plan: str, output: Path, processes: int | None) -> None:
    from fairaudit.experiments.experiment_plan import load_plan

    wanted = load_plan(plan)
    calm_libraries()
    from fairaudit.experiments.experimenting import experiment

    shown_run(output, partial(experiment, wanted, output=output, processes=processes))
