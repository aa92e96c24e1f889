"""Do gradients converge unequally, and does that predict bias: from the diagnoses of all runs.

Every arm was looked at while it was trained (`diagnose_every`, `diagnose_times`). Its convergence
disparity on an axis is the area between the curve log(‖g_a‖ / ‖g_b‖), less its start, and 0, over
its own training from 0 to 1, for one pair of groups on each axis. Which of the two stays behind is
not declared, so claims are about the size of the mean area over seeds. Seeds are resampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from fairaudit.errors import ResultError
from fairaudit.experiments.asked_suites import PAIRS
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.probes import stereotyped_groups
from fairaudit.experiments.seed_claims import (
    Audits,
    Endpoints,
    claim_arms,
    endpoint_scores,
    interval_of,
    judged,
)
from fairaudit.results import DiagnosticsResult, Interval
from fairaudit.results.diagnostics import GroupDifference
from fairaudit.results.experiment import ArmRun, Claim, Convergence, Prediction, Push
from fairaudit.stats.claims import SeedDifference, difference_of_sizes, seed_difference
from fairaudit.stats.correlation import kendall
from fairaudit.stats.evidence import quantile
from fairaudit.vocabulary.arms import BASE, PLAIN
from fairaudit.vocabulary.claims import GRADIENTS_CONVERGE_UNEQUALLY
from fairaudit.vocabulary.influences import Influence

AREA: Final = "area_between_curves"
#: By arm and seed.
Diagnoses = Mapping[tuple[str, int], DiagnosticsResult]
_LEVEL: Final = 0.95
#: Seeds below which the variance of Kendall's tau on Fisher's scale, 0.437/(n − 4), is unknown.
_MIN_SEEDS: Final = 5


def diagnoses_of(
    runs: Sequence[ArmRun], output: Path, plan: ExperimentPlan
) -> tuple[dict[tuple[str, int], DiagnosticsResult], list[str]]:
    """Diagnoses of all finished arms that were looked at in training, by arm and seed; and notes.

    A run that was taken up in the middle has a shorter series, whose area is another quantity: it
    is left out, and a note says so.
    """
    found: dict[tuple[str, int], DiagnosticsResult] = {}
    notes = []
    for run in runs:
        folder = output / "arms" / run.arm / f"seed-{run.seed}" / "model" / "diagnostics"
        if run.status != "done" or not (folder / "result.json").exists():
            continue
        try:
            one = DiagnosticsResult.load(folder)
        except ResultError as error:
            raise ResultError(f"{folder}: {error}") from error
        if run.steps is not None and _steps(one) == looked_at(plan, run.steps):
            found[run.arm, run.seed] = one
        else:
            notes.append(
                f"{run.arm}, seed {run.seed}: training was interrupted, so its gradients were not "
                "looked at from the start; they are left out"
            )
    return found, notes


def looked_at(plan: ExperimentPlan, steps: int) -> tuple[int, ...]:
    """Return the steps at which a whole training is looked at, its start and end included.

    >>> from fairaudit.experiments.experiment_plan import load_plan
    >>> looked_at(load_plan("full"), 160)
    (0, 40, 80, 120, 160)
    """
    apart = plan.diagnose_apart(steps)
    return () if apart is None else (*range(0, steps, apart), steps)


def _steps(found: DiagnosticsResult) -> tuple[int, ...]:
    return tuple(model.step for model in found.models if model.step is not None)


def convergence(diagnoses: Diagnoses) -> Iterator[Convergence]:
    """Curves of every arm, axis and pair of groups."""
    for arm in _arms(diagnoses):
        own = [found for (name, _), found in sorted(diagnoses.items()) if name == arm]
        for axis, group, other in _pairs(own[0]):
            curves = [_curve(found, axis, group, other) for found in own]
            yield Convergence(
                arm=arm,
                axis=axis,
                group=group,
                other=other,
                steps=_steps(own[0]),
                by_seed=tuple(curves),
                areas=tuple(_area(found, axis, group, other) for found in own),
            )


def _arms(diagnoses: Diagnoses) -> list[str]:
    return list(dict.fromkeys(arm for arm, _ in diagnoses))


def _pairs(found: DiagnosticsResult) -> list[tuple[str, str, str]]:
    known = (one for one in found.differences if one.name in (AREA, "convergence_disparity"))
    return list(dict.fromkeys((one.axis, one.group, one.other) for one in known))


def _of_pair(
    found: DiagnosticsResult, axis: str, group: str, other: str
) -> Iterator[GroupDifference]:
    return (
        one for one in found.differences if (one.axis, one.group, one.other) == (axis, group, other)
    )


def _curve(found: DiagnosticsResult, axis: str, group: str, other: str) -> tuple[float | None, ...]:
    by_model = {
        one.model: one.difference
        for one in _of_pair(found, axis, group, other)
        if one.name == "convergence_disparity"
    }
    first, *rest = (model.label for model in found.models)
    return (by_model.get(first, 0.0), *(by_model.get(label) for label in rest))


def _area(found: DiagnosticsResult, axis: str, group: str, other: str) -> float | None:
    areas = (one for one in _of_pair(found, axis, group, other) if one.name == AREA)
    return next((one.difference for one in areas), None)


def disparities(diagnoses: Diagnoses) -> dict[str, dict[tuple[str, int], float]]:
    """Signed area by axis, arm and seed: of the first group's curve over the second's.

    Of three groups or more, the first two of the probe texts are the pair: a pair that was chosen
    for its area would be one that noise chose.
    """
    by_axis: dict[str, dict[tuple[str, int], float]] = {}
    for key, found in diagnoses.items():
        for axis, group, other in _first_pairs(found):
            area = _area(found, axis, group, other)
            if area is not None:
                by_axis.setdefault(axis, {})[key] = area
    return by_axis


def _first_pairs(found: DiagnosticsResult) -> Iterator[tuple[str, str, str]]:
    seen: set[str] = set()
    for axis, group, other in _pairs(found):
        if axis not in seen:
            seen.add(axis)
            yield axis, group, other


def disparity_claims(diagnoses: Diagnoses, plan: ExperimentPlan) -> list[Claim]:
    """Judge *gradients converge unequally*: more so in the private arm than in the plain one."""
    found = disparities(diagnoses)
    return disparity_claims_of(
        {axis: values for axis, values in found.items() if axis in plan.axes}, plan
    )


def disparity_claims_of(by_axis: Endpoints, plan: ExperimentPlan) -> list[Claim]:
    """Judge the same from areas by axis, arm and seed."""
    private, _ = claim_arms(plan)
    if private is None or not by_axis:
        return []
    level = 1 - plan.claims.alpha
    return judged(
        GRADIENTS_CONVERGE_UNEQUALLY,
        private,
        PLAIN,
        {axis: _larger(values, private, PLAIN, level) for axis, values in by_axis.items()},
        plan,
        metric=AREA,
        margin=plan.claims.disparity_margin,
    )


def _larger(
    areas: Mapping[tuple[str, int], float], arm: str, reference: str, level: float
) -> SeedDifference:
    seeds = sorted(seed for of, seed in areas if of == arm and (reference, seed) in areas)
    return difference_of_sizes(
        [areas[arm, seed] for seed in seeds], [areas[reference, seed] for seed in seeds], level
    )


def pushes(diagnoses: Diagnoses) -> Iterator[Push]:
    """Influence of every group on the bias score of its own axis, in every arm."""
    for arm in _arms(diagnoses):
        own = [found for (of, _), found in sorted(diagnoses.items()) if of == arm]
        groups = dict.fromkeys((q.axis, q.group or "") for q in own[0].quantities)
        for axis, name in groups:
            plain = [_mean_push(found, name, Influence(axis, clipped=False)) for found in own]
            values = [value for value in plain if value is not None]
            clipped = [
                value
                for found in own
                if (value := _mean_push(found, name, Influence(axis, clipped=True))) is not None
            ]
            if values:
                yield Push(
                    arm=arm,
                    axis=axis,
                    group=name,
                    value=sum(values) / len(values),
                    clipped=sum(clipped) / len(clipped) if clipped else None,
                    interval=interval_of(seed_difference(values, _LEVEL)),
                    n_seeds=len(values),
                )


def _mean_push(found: DiagnosticsResult, group: str, influence: Influence) -> float | None:
    values = [
        one.value
        for one in found.quantities
        if (one.axis, one.group, one.name) == (influence.axis, group, influence.name)
        and one.value is not None
    ]
    return sum(values) / len(values) if values else None


def predictions(diagnoses: Diagnoses, audits: Audits, plan: ExperimentPlan) -> Iterator[Prediction]:
    """Correlate, within every arm over seeds, disparity in training with the change of bias."""
    scores = endpoint_scores(audits, plan)
    for axis, areas in disparities(diagnoses).items():
        bias = scores.get(axis, {})
        for arm in _arms(diagnoses):
            seeds = [
                seed
                for of, seed in sorted(areas)
                if of == arm and (arm, seed) in bias and (BASE, seed) in bias
            ]
            moved = [bias[arm, seed] - bias[BASE, seed] for seed in seeds]
            yield _prediction(arm, axis, [abs(areas[arm, seed]) for seed in seeds], moved)


def naming_predictions(
    diagnoses: Diagnoses, audits: Audits, plan: ExperimentPlan
) -> Iterator[Prediction]:
    """Correlate signed disparity with how much more a model came to name the first group.

    Only where groups have different shares of a known world's text, so that gradients are followed
    by whom a text names. A group whose gradient stays larger has been learned less.
    """
    if not plan.text.is_uneven or plan.audit.suites:
        return
    for axis, areas in disparities(diagnoses).items():
        for arm in _arms(diagnoses):
            seeds = [seed for of, seed in sorted(areas) if of == arm]
            named = [naming(audits, arm, seed, axis) for seed in seeds]
            base = [naming(audits, BASE, seed, axis) for seed in seeds]
            known = [
                (areas[arm, seed], own - before)
                for seed, own, before in zip(seeds, named, base, strict=True)
                if own is not None and before is not None
            ]
            found = _prediction(arm, axis, [x for x, _ in known], [y for _, y in known])
            yield found.model_copy(update={"outcome": "naming"})


def naming(audits: Audits, arm: str, seed: int, axis: str) -> float | None:
    """Mean log-odds, over concepts, of naming the first group of an axis; None: not asked."""
    audit = audits.get((arm, seed))
    if audit is None or PAIRS not in audit.tables:
        return None
    table = audit.items(PAIRS)
    own = table[(table["axis"] == axis) & table["role"].isin(("stereotype", "anti_stereotype"))]
    scores = own.pivot_table(index=["cluster", "item_id"], columns="role", values="score")
    if scores.empty:
        return None
    by_concept = (scores["stereotype"] - scores["anti_stereotype"]).groupby("cluster").mean()
    first = {cluster: 1 - 2 * group for cluster, group in stereotyped_groups(axis).items()}
    return float((by_concept * by_concept.index.map(first)).mean())


def _prediction(
    arm: str, axis: str, disparity: Sequence[float], moved: Sequence[float]
) -> Prediction:
    n = len(moved)
    if n < 3:
        reason = f"{n} seeds: a rank correlation needs 3"
        return Prediction(arm=arm, axis=axis, value=None, n_seeds=n, reason=reason)
    value = kendall(disparity, moved).value
    if math.isnan(value):
        reason = "all seeds have the same disparity or the same change"
        return Prediction(arm=arm, axis=axis, value=None, n_seeds=n, reason=reason)
    found = kendall_interval(value, n)
    short = None if found else f"{n} seeds: fewer than the {_MIN_SEEDS} an interval needs"
    return Prediction(arm=arm, axis=axis, value=value, interval=found, n_seeds=n, reason=short)


def kendall_interval(tau: float, n: int, level: float = _LEVEL) -> Interval | None:
    """Interval of Kendall's tau on Fisher's scale, tanh(atanh τ ± z √(0.437 / (n − 4))).

    Fieller, Hartley and Pearson 1957 (Biometrika 44, 470); None for fewer than 5 values. A perfect
    order has no atanh; it is drawn in by half of what one exchanged pair would change.
    """
    if n < _MIN_SEEDS:
        return None
    largest = 1 - 2 / (n * (n - 1))
    centre = math.atanh(max(-largest, min(largest, tau)))
    half = quantile((1 + level) / 2, None) * math.sqrt(0.437 / (n - 4))
    return Interval(
        low=math.tanh(centre - half),
        high=math.tanh(centre + half),
        level=level,
        method="fisher",
        resampling_unit="seed",
    )
