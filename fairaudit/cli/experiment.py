"""``fairaudit experiment``: every arm of a plan trained, audited, compared, and judged."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from fairaudit.cli.audit import calm_libraries
from fairaudit.cli.experiment_map import run_map, shown_run
from fairaudit.cli.options import takes
from fairaudit.cli.state import console, write_new
from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_options import ExperimentOptions

_MAP: Final = "map"


@takes(ExperimentOptions)
def experiment_command(
    chosen: dict[str, Any],
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
    plan, output, processes = (chosen.get(name) for name in ("plan", "output", "processes"))
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
        _forecast(chosen)
    elif init is not None and output is None:
        _start(init)
    elif output is not None and init is None:
        run_plan(chosen)
    else:
        raise UsageError("give either --output FOLDER to run or --init FILE to start a plan")


def _forecast(chosen: dict[str, Any]) -> None:
    from fairaudit.cli.dry_run import show_dry_run
    from fairaudit.experiments.experiment_plan import load_plan

    show_dry_run(load_plan(chosen["plan"]), chosen.get("processes"))


def _start(path: Path) -> None:
    from fairaudit.experiments.experiment_plan import starter_plan

    write_new(path, starter_plan())
    console().print(f"plan: {path}", highlight=False, markup=False, soft_wrap=True)


def run_plan(chosen: dict[str, Any]) -> None:
    """Run the plan of an experiment, whose options were given by name, and show what it found."""
    from fairaudit.experiments.experiment_plan import load_plan

    wanted = load_plan(chosen["plan"])
    calm_libraries()
    from fairaudit.experiments.experimenting import experiment

    shown_run(chosen["output"], partial(experiment, **{**chosen, "plan": wanted}))
