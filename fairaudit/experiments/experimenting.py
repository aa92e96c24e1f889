"""`experiment`: a plan in, every arm trained and audited, and what holds for the recipe out."""

from __future__ import annotations

import datetime
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from fairaudit.comparing.compare import compare
from fairaudit.comparing.distance import distance_moved
from fairaudit.comparing.joining import Joined, join_probe
from fairaudit.comparing.pairing import Terms
from fairaudit.errors import ResultError
from fairaudit.experiments.disparity import (
    convergence,
    diagnoses_of,
    disparity_claims,
    naming_predictions,
    predictions,
    pushes,
)
from fairaudit.experiments.experiment_options import ExperimentOptions
from fairaudit.experiments.experiment_plan import ExperimentPlan, load_plan
from fairaudit.experiments.grid import audits_of
from fairaudit.experiments.moving_less import explained_claims
from fairaudit.experiments.seed_claims import (
    Audits,
    bias_claims,
    differences,
    endpoints,
    levels,
    only_with_premise,
    undecided_unless_moved,
)
from fairaudit.experiments.worlds import WORLDS, run_grid, run_worlds
from fairaudit.options import verb
from fairaudit.progress import Progress, shown
from fairaudit.results import ComparisonResult, Run
from fairaudit.results.experiment import ArmRun, ExperimentResult
from fairaudit.results.places import inside, remove_folder
from fairaudit.versions import versions_of
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind, read_arm


@verb(ExperimentOptions)
def experiment(options: ExperimentOptions) -> ExperimentResult:
    """Train every arm of a plan, audit each, compare, and judge the claims about the recipe.

    Returns
    -------
    ExperimentResult
        Arms, levels over seeds, seed-paired differences, claims with findings; of a plan with
        regimes, one such result for each in ``regimes``, which also lies in ``regimes/NAME``.
        ``complete`` is False where an arm failed.

    Raises
    ------
    UsageError
        If the plan holds an unknown arm or key.
    ResultError
        If the folder holds another plan.
    """
    plan, progress, processes = options.plan, options.progress, options.processes
    wanted = plan if isinstance(plan, ExperimentPlan) else load_plan(os.fspath(plan))
    folder, began = Path(options.output), _Beginning.now()
    with shown(progress) as tell:
        if not wanted.regime:
            return _finish(wanted, folder, run_grid(wanted, folder, tell, processes), began, tell)
        plans = wanted.regimes()
        runs = run_worlds(plans, folder, tell, processes, whole=wanted)
        meanings = {one.name: one.meaning for one in wanted.regime}
        found = [
            _finish(own, folder / WORLDS / name, runs[name], began, tell, meanings[name])
            for name, own in plans.items()
        ]
        whole = ExperimentResult(
            name=wanted.name,
            plan=wanted.model_dump(mode="json"),
            runs=(),
            regimes=tuple(found),
            notes=_once(note for one in found for note in one.notes),
            versions=found[0].versions,
            run=began.until_now(),
        )
        whole.save(folder)
        tell("drawing figures and report", 0, 0)
        _report(whole, folder)
    return whole


@dataclass(frozen=True, slots=True)
class _Beginning:
    """When an experiment began, by calendar and by stop watch."""

    started: datetime.datetime
    clock: float

    @classmethod
    def now(cls) -> Self:
        return cls(datetime.datetime.now(datetime.UTC), time.perf_counter())

    def until_now(self) -> Run:
        return Run(
            started=self.started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - self.clock, 3),
            host=platform.node(),
        )


def _finish(
    plan: ExperimentPlan,
    folder: Path,
    runs: Sequence[ArmRun],
    began: _Beginning,
    tell: Progress,
    meaning: str = "",
) -> ExperimentResult:
    """Judge the claims of one world, and save result, report and comparisons in its folder."""
    tell("judging the claims", 0, 0)
    audits = audits_of(runs, folder)
    diagnoses, left_out = diagnoses_of(runs, folder, plan)
    runs = [_with_distance(run, audits) for run in runs]
    judged = [
        *bias_claims(audits, plan),
        *explained_claims(audits, runs, plan),
        *disparity_claims(diagnoses, plan),
    ]
    result = ExperimentResult(
        name=plan.name,
        meaning=meaning,
        plan=plan.model_dump(mode="json"),
        runs=tuple(runs),
        levels=tuple(levels(audits, plan)),
        differences=tuple(differences(audits, _references(audits))),
        claims=tuple(only_with_premise(undecided_unless_moved(judged, runs))),
        endpoints=endpoints(audits, plan),
        convergence=tuple(convergence(diagnoses)),
        pushes=tuple(pushes(diagnoses)),
        predictions=(
            *predictions(diagnoses, audits, plan),
            *naming_predictions(diagnoses, audits, plan),
        ),
        notes=(*_notes(runs, plan), *left_out),
        versions=versions_of("torch", "transformers", "opacus", "numpy", "scipy"),
        run=began.until_now(),
    )
    result.save(folder)
    tell("drawing figures and report", 0, 0)
    _report(result, folder)
    _compare_each_seed(audits, folder, tell)
    return result


def _once(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))


def _report(result: ExperimentResult, folder: Path) -> None:
    from fairaudit.report.files import write_report

    write_report(result, folder)


#: Kinds of arms that others are compared with.
_REFERENCES: Final = (BASE, PLAIN, ArmKind.PLAIN_MATCHED, ArmKind.DP)


def _references(audits: Audits) -> list[str]:
    known = [arm for arm in map(read_arm, _arms(audits)) if arm is not None]
    return [arm.id for arm in known if arm.kind in _REFERENCES]


def _arms(audits: Mapping[tuple[str, int], object]) -> list[str]:
    return list(dict.fromkeys(arm for arm, _ in audits))


def _with_distance(run: ArmRun, audits: Audits) -> ArmRun:
    """Add how far an arm moved from the base, on the probe text of their audits."""
    ours, base = audits.get((run.arm, run.seed)), audits.get((BASE, run.seed))
    if ours is None or base is None or run.arm == BASE:
        return run
    probe = join_probe(base, ours)
    if not isinstance(probe, Joined):
        return run
    moved = next(distance_moved(probe, Terms(BASE, run.arm, alpha=0.05, margin=None, seed=0)))
    return run.model_copy(update={"distance": moved.value_candidate})


def _compare_each_seed(audits: Audits, folder: Path, tell: Progress) -> None:
    """Write the comparison of all arms with the plain one (or the base), seed by seed.

    Verdicts in it are about those checkpoints; claims about the recipe are in the result.
    """
    seeds = sorted({seed for _, seed in audits})
    for place, seed in enumerate(seeds):
        tell("comparing the arms of each seed", place, len(seeds))
        arms = [arm for arm in _arms(audits) if (arm, seed) in audits]
        baseline = PLAIN if PLAIN in arms else BASE
        others = [arm for arm in arms if arm != baseline]
        if baseline in arms and others:
            chosen = [audits[arm, seed] for arm in (baseline, *others)]
            compared = compare(chosen, labels=[baseline, *others], progress=False)
            _save_comparison(compared, folder, f"comparisons/seed-{seed}")


def _save_comparison(compared: ComparisonResult, folder: Path, name: str) -> None:
    """Save a comparison in place of one of other audits, as where an arm failed before."""
    target = inside(folder, name)
    try:
        same = ComparisonResult.load(target).identity == compared.identity
    except ResultError:
        same = False
    if not same:
        # A decision or a report beside it would be about the other audits.
        remove_folder(folder, name)
    compared.save(target)


def _notes(runs: Sequence[ArmRun], plan: ExperimentPlan) -> list[str]:
    notes = [f"{r.arm}, seed {r.seed} failed: {r.reason}" for r in runs if r.status == "failed"]
    if plan.text.world is not None:
        notes.append(
            "the text was drawn from the known world, so its bias is what was planted; it is no "
            "evidence about text that people wrote"
        )
        if plan.text.world.people > 0 and not plan.audit.suites:
            notes.append(
                "toxic in the known world is a sentence with a harsh ending, such as 'shouted at "
                "the clerk'; the judge of it was trained on those endings"
            )
    notes.append(
        "perplexity on held-out text and everything in private/ is not covered by epsilon; this "
        "experiment treats its text as public"
    )
    return notes
