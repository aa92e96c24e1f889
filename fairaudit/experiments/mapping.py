"""`experiment_map`: where privacy raises bias and where it lowers it, with the law beside it."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from fairaudit.experiments.map_cost import refuse_beyond
from fairaudit.experiments.map_findings import (
    Scores,
    Table,
    cells,
    frequencies,
    held_out,
    level,
    moved,
    sides,
)
from fairaudit.experiments.map_plan import BUILT_IN_MAP, MapPlan, load_map_plan
from fairaudit.experiments.map_scores import Bias, bias_of
from fairaudit.experiments.plain_path import path_scores, path_steps, stopped_at
from fairaudit.experiments.world import implied
from fairaudit.experiments.worlds import run_worlds
from fairaudit.progress import Progress, shown
from fairaudit.results import AuditResult, Run
from fairaudit.results.experiment import ArmRun
from fairaudit.results.map import MapResult, MapWorld
from fairaudit.versions import versions_of
from fairaudit.vocabulary.arms import BASE, PLAIN
from fairaudit.vocabulary.metrics import MEAN_LOG_ODDS

#: Folder of the worlds within that of the map.
WORLDS: Final = "worlds"
_NOTES: Final = (
    "all texts were drawn from the known world, so their lean is what was planted; the map is no "
    "evidence about text that people wrote",
    "lean is what was planted in the text of the base minus what was planted in the fine-tuning "
    "text; what the base has learned of it stands with each world",
    "perplexity on held-out text and everything in private/ is not covered by epsilon; a map "
    "treats its texts as public",
)


def experiment_map(
    plan: MapPlan | str | os.PathLike[str] = BUILT_IN_MAP,
    *,
    output: str | os.PathLike[str],
    processes: int | None = None,
    budget_hours: float | None = None,
    progress: Progress | bool | None = None,
) -> MapResult:
    """Train every arm on every text of a grid, and map the change of bias against plain.

    Parameters
    ----------
    plan : MapPlan, path or name
        A TOML file with a table ``[map]``, or the built-in ``map`` (five leans, three ε, two
        shares, three seeds). See `fairaudit.experiments.map_plan`.
    output : path
        Folder of the map. An interrupted map continues where it stopped, arm by arm.
    processes : int, optional
        Arms trained side by side; default one for each core, a single one with a GPU.
    budget_hours : float, optional
        The most that it may take; refused before it starts if the estimate is longer.
    progress : callable or False, optional
        Called with (stage, done, total); see `fairaudit.audit`.

    Returns
    -------
    MapResult
        Cells with intervals over seeds, the share of the way that each arm moved, R² over held-out
        cells, and what moving less leaves unexplained, by group frequency.

    Raises
    ------
    UsageError
        If the plan holds an unknown key or fewer than two leans, or would take longer than the
        budget.
    ResultError
        If the folder holds another plan.
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    wanted = plan if isinstance(plan, MapPlan) else load_map_plan(os.fspath(plan))
    folder = Path(output)
    if budget_hours is not None:
        refuse_beyond(wanted, budget_hours, processes)
    with shown(progress) as tell:
        plans = {world.name: world.plan for world in wanted.worlds}
        runs = run_worlds(plans, folder, tell, processes, whole=wanted, under=WORLDS)
        stops = path_scores(wanted, folder, WORLDS, tell, processes)
        tell("fitting the law", 0, 0)
        scores = _scores(runs, folder, wanted)
        table = Table(wanted, {**scores, **stops}, _whole_path(wanted, scores, stops))
        result = MapResult(
            name=wanted.name,
            plan=wanted.model_dump(mode="json"),
            metric=MEAN_LOG_ODDS.name,
            axes=wanted.axes,
            leans=tuple(sorted(wanted.map.leans)),
            epsilons=tuple(sorted(wanted.map.epsilons)),
            shares=tuple(sorted(wanted.map.shares, reverse=True)),
            arms=wanted.compared,
            n_seeds=wanted.seeds,
            worlds=tuple(_worlds(table, runs)),
            cells=tuple(cells(table)),
            moved=tuple(moved(table)),
            held_out=tuple(held_out(table)),
            frequencies=tuple(frequencies(table)),
            sides=tuple(sides(table)),
            notes=_NOTES,
            versions=versions_of("torch", "transformers", "opacus", "numpy", "scipy"),
            run=Run(
                started=started.isoformat(timespec="seconds"),
                finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                seconds=round(time.perf_counter() - clock, 3),
                host=platform.node(),
            ),
        )
        result.save(folder)
        tell("drawing figures and report", 0, 0)
        _report(result, folder)
    return result


def _report(result: MapResult, folder: Path) -> None:
    from fairaudit.report.files import write_report

    write_report(result, folder)


def _scores(
    runs: Mapping[str, Sequence[ArmRun]], folder: Path, plan: MapPlan
) -> dict[tuple[str, str, int], Bias]:
    return {
        (world, run.arm, run.seed): bias_of(
            AuditResult.load(folder / WORLDS / world / run.audit), plan.axes
        )
        for world, some in runs.items()
        for run in some
        if run.status == "done" and run.audit is not None
    }


def _whole_path(plan: MapPlan, scores: Scores, stops: Scores) -> tuple[str, ...]:
    """Return the stops at which every plain run was looked at that finished."""
    plain = [(world, seed) for world, arm, seed in scores if arm == PLAIN]
    names = map(stopped_at, path_steps(plan))
    return tuple(
        name for name in names if all((world, name, seed) in stops for world, seed in plain)
    )


def _worlds(table: Table, runs: Mapping[str, Sequence[ArmRun]]) -> list[MapWorld]:
    found = []
    for place, world in enumerate(table.worlds):
        text, own = world.plan.text.world, runs[world.name]
        assert text is not None
        values = [implied(text.mixture(0), axis).mean_log_odds for axis in table.plan.axes]
        found.append(
            MapWorld(
                name=world.name,
                lean=world.lean,
                share=world.share,
                folder=f"{WORLDS}/{world.name}",
                n_runs=len(own),
                failures=tuple(
                    f"{run.arm}, seed {run.seed}: {run.reason}"
                    for run in own
                    if run.status == "failed"
                ),
                base=level(table, place, BASE),
                plain=level(table, place, PLAIN),
                implied=float(np.mean(values)),
            )
        )
    return found
