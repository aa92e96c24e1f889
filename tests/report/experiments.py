"""Experiments to report: all arms and five seeds, one seed, failed arms, and hostile names."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from fairaudit.results import Interval, Run
from fairaudit.results.experiment import (
    ArmDifference,
    ArmRun,
    Claim,
    Convergence,
    ExperimentResult,
    Level,
    Prediction,
    Push,
)
from fairaudit.stats.claims import SeedDifference, judge, seed_difference
from fairaudit.vocabulary.claims import Finding
from tests.report import audits

AXES = ("gender", "religion", "race")
PROTOCOL = "world/causal-sum"
ENDPOINT = "mean_log_odds"
#: Mean log-odds of each arm on gender; other axes follow at a fraction.
ARMS = {
    "base": 0.20,
    "plain": 1.10,
    "cda": 0.31,
    "clip_only": 0.95,
    "noise_only_3": 0.88,
    "dp_3": 0.42,
    "dp_10": 0.61,
    "dp_20": 1.74,
    "dp_cda_3": 0.11,
    "dp_cda_separate_3": 0.19,
    "dp_cda_row_3": 0.14,
    "plain_matched_3": 0.44,
    "plain_matched_20": 1.02,
}
_SHARE = {"gender": 1.0, "race": 0.6, "religion": 0.8}
_REFERENCES = ("base", "plain", "plain_matched_3", "plain_matched_20")
PLAN: dict[str, Any] = {
    "name": "full",
    "seeds": 5,
    "axes": list(AXES),
    "base": {"model": None, "layers": 2, "text": {"sentences": 30000, "mu": 0.2, "tau": 1.0}},
    "text": {"file": None, "world": {"sentences": 6000, "mu": 1.0, "tau": 1.0}},
    "claims": {"metric": ENDPOINT, "margin": 0.2, "alpha": 0.05, "epsilon": 20.0},
    "train": {"batch_size": 500, "steps": 60, "learning_rate": 2e-3},
}
_RUN = Run(
    started="2026-11-24T22:11:28+00:00",
    finished="2026-11-24T22:51:28+00:00",
    seconds=2400.0,
    host="vm",
)

Values = Mapping[tuple[str, int], float]


def claim(**fields: Any) -> Claim:
    """Return a supported amplification on gender, with anything changed."""
    base: dict[str, Any] = {
        "claim": "dp_amplifies_bias",
        "endpoint": "mean_log_odds of dp_3 minus plain, gender",
        "axis": "gender",
        "arm": "dp_3",
        "reference": "plain",
        "epsilon": 3.0,
        "metric": ENDPOINT,
        "value": 0.4,
        "interval": interval(0.25, 0.55),
        "n_seeds": 5,
        "p_value": 0.002,
        "p_adjusted": 0.006,
        "margin": 0.2,
        "finding": "supported",
    }
    return Claim(**{**base, **fields})


def difference(low: float | None, high: float | None = None, **fields: Any) -> ArmDifference:
    """Return a difference of dp_3 from plain on gender with this interval, or without one."""
    whole = None if low is None or high is None else interval(low, high)
    base: dict[str, Any] = {
        "arm": "dp_3",
        "reference": "plain",
        "protocol": PROTOCOL,
        "axis": "gender",
        "name": ENDPOINT,
        "value": -0.1 if low is None or high is None else (low + high) / 2,
        "interval": whole,
        "n_seeds": 5 if whole else 1,
    }
    return ArmDifference(**{**base, **fields})


def interval(low: float, high: float) -> Interval:
    """Return Student's interval over seeds."""
    return Interval(low=low, high=high, level=0.95, method="t", resampling_unit="seed")


@cache
def whole_experiment(n_seeds: int = 5, arms: tuple[str, ...] = tuple(ARMS)) -> ExperimentResult:
    """Return an experiment in which every arm of every seed finished."""
    names, chance = list(arms), random.Random(3)
    levels: list[Level] = []
    differences: list[ArmDifference] = []
    endpoints: dict[str, Values] = {}
    for axis in AXES:
        for group in (None, "covered", "uncovered"):
            values = _values(names, axis, group, n_seeds, chance)
            if group is None:
                endpoints[axis] = values
            for name in (ENDPOINT, "stereotype_preference_rate"):
                shown = values if name == ENDPOINT else {k: _rate(v) for k, v in values.items()}
                levels += _levels(shown, names, axis, group, name)
                differences += _differences(shown, names, axis, group, name)
    return ExperimentResult(
        name="full",
        plan={**PLAN, "seeds": n_seeds, "arms": names[1:]},
        runs=tuple(_run(arm, seed, chance) for seed in range(n_seeds) for arm in names),
        levels=tuple(levels),
        differences=tuple(differences),
        claims=tuple(_claims(endpoints)),
        notes=("the text was drawn from the known world; it is no evidence about other text",),
        versions={"fairaudit": "0.1.0", "torch": "2.13.0"},
        run=_RUN,
    )


def complete() -> ExperimentResult:
    """Return an experiment with gradients looked at, and predictions from them."""
    made = whole_experiment()
    gradients = [
        claim(
            claim="gradients_converge_unequally",
            axis=axis,
            arm="dp_20",
            reference="plain",
            metric="slope_of_log_ratio",
            value=value,
            interval=interval(value - 0.1, value + 0.1),
            finding=finding,
        )
        for axis, value, finding in (
            ("gender", 0.31, "supported"),
            ("race", 0.04, "not_supported"),
            ("religion", 0.15, "undecided"),
        )
    ]
    predictions = [
        Prediction(arm="dp_20", axis="gender", value=0.6, interval=interval(-0.2, 1.0), n_seeds=5),
        Prediction(arm="dp_3", axis="race", value=None, n_seeds=2, reason="2 seeds: needs 4"),
    ]
    claims = (*made.claims, *gradients)
    return made.model_copy(
        update={
            "claims": claims,
            "predictions": tuple(predictions),
            "convergence": tuple(_curves(made)),
            "pushes": tuple(_pushes(made)),
        }
    )


def _curves(made: ExperimentResult) -> Iterable[Convergence]:
    """Curves of every trained arm; on race one seed was below resolution."""
    chance = random.Random(3)
    for arm in (arm for arm in dict.fromkeys(run.arm for run in made.runs) if arm != "base"):
        for axis in AXES:
            curves = [[0.0, chance.gauss(0.1, 0.05), chance.gauss(0.3, 0.1)] for _ in range(5)]
            areas: list[float | None] = [sum(curve) / 3 for curve in curves]
            rows: list[list[float | None]] = [list(curve) for curve in curves]
            if axis == "race":
                rows[0], areas[0] = [0.0, None, None], None
            yield Convergence(
                arm=arm,
                axis=axis,
                group="stereotypical",
                other="anti-stereotypical",
                steps=(0, 20, 40),
                by_seed=tuple(map(tuple, rows)),
                areas=tuple(areas),
            )


def _pushes(made: ExperimentResult) -> Iterable[Push]:
    for one in _curves(made):
        for group, value in (("stereotypical", 2.5e-6), ("anti-stereotypical", -1.25e-6)):
            clipped = value / 2 if one.arm.startswith("dp") else None
            yield Push(
                arm=one.arm, axis=one.axis, group=group, value=value, clipped=clipped, n_seeds=5
            )


def with_failures() -> ExperimentResult:
    """Return an experiment in which one arm failed in one seed, and another in all."""
    made = whole_experiment()
    lost = {("dp_3", 2), *(("dp_cda_row_3", seed) for seed in range(5))}
    runs = tuple(
        ArmRun(arm=run.arm, seed=run.seed, status="failed", reason="the loss became infinite")
        if (run.arm, run.seed) in lost
        else run
        for run in made.runs
    )
    return made.model_copy(
        update={
            "runs": runs,
            "levels": tuple(one for one in made.levels if one.arm != "dp_cda_row_3"),
            "differences": tuple(one for one in made.differences if one.arm != "dp_cda_row_3"),
        }
    )


def in_regimes() -> ExperimentResult:
    """Return one recipe in two regimes: privacy amplifies in the first, the opposite in the other.

    In the second, levels and differences have the other sign.
    """
    more = complete().model_copy(update={"name": "cleaner-text", "meaning": "The text is cleaner."})
    less = more.model_copy(
        update={
            "name": "more-biased-text",
            "meaning": "The text leans further.",
            "levels": tuple(map(_turned, more.levels)),
            "differences": tuple(map(_turned, more.differences)),
            "claims": tuple(_refuted(one) for one in more.claims),
            "predictions": (),
        }
    )
    return ExperimentResult(
        name="two",
        plan={**PLAN, "regime": [{"name": one.name, "text": {"mu": 0.0}} for one in (more, less)]},
        runs=(),
        regimes=(more, less),
        notes=more.notes,
        versions=more.versions,
        run=_RUN,
    )


def _turned(found: Any) -> Any:
    """Return a level or a difference with the other sign."""
    whole = found.interval
    turned = None if whole is None else interval(-whole.high, -whole.low)
    value = None if found.value is None else -found.value
    fields = {"value": value, "interval": turned}
    if isinstance(found, Level):
        fields["implied"] = None if found.implied is None else -found.implied
        fields["by_seed"] = tuple(-one for one in found.by_seed)
    return found.model_copy(update=fields)


def _refuted(found: Claim) -> Claim:
    turned = _turned(found)
    against = turned.interval is not None and turned.interval.high < 0
    finding = Finding.NOT_SUPPORTED if against else found.finding
    return turned.model_copy(update={"finding": finding})


def hostile() -> ExperimentResult:
    """Return an experiment whose every text from outside wants out of its place."""
    bad = audits.HOSTILE + audits.ESCAPES
    arms = {**ARMS, bad: 0.5}
    made = complete()
    found = whole_experiment(arms=tuple(arms))
    failed = ArmRun(arm=bad, seed=9, status="failed", reason=bad)
    odd = claim(claim=bad, axis=bad, arm=bad, reference=bad, metric=bad, reason=bad)
    return found.model_copy(
        update={
            "name": bad,
            "plan": {**PLAN, bad: bad, "text": {bad: [bad]}},
            "runs": (*found.runs, failed),
            "levels": (*found.levels, found.levels[0].model_copy(update={"axis": bad})),
            "claims": (*made.claims, odd),
            "pushes": (Push(arm=bad, axis=bad, group=bad, value=1e-6, n_seeds=1),),
            "convergence": (
                Convergence(
                    arm=bad,
                    axis=bad,
                    group=bad,
                    other=bad,
                    steps=(0, 1),
                    by_seed=((0.0, None),),
                    areas=(None,),
                ),
            ),
            "predictions": (Prediction(arm=bad, axis=bad, value=None, n_seeds=0, reason=bad),),
            "notes": (bad,),
            "versions": {bad: bad},
        }
    )


def hostile_regimes() -> ExperimentResult:
    """Return an experiment whose regimes want out of their place too."""
    bad = hostile()
    regime = bad.model_copy(update={"meaning": bad.name, "runs": bad.runs})
    return bad.model_copy(update={"runs": (), "levels": (), "claims": (), "regimes": (regime,) * 2})


def many_arms(n: int = 20) -> ExperimentResult:
    """Return an experiment of so many arms, one of them with a very long name."""
    epsilons = {f"dp_{k}": 0.4 + k / 30 for k in range(1, n - 4)}
    arms = {"base": 0.2, "plain": 1.1, "cda": 0.3, **epsilons, "dp_cda_3": 0.1}
    long = "an arm whose name nobody shortened because it says what it is " * 2
    return whole_experiment(arms=(*arms, long))


def _values(
    arms: Sequence[str], axis: str, group: str | None, n_seeds: int, chance: random.Random
) -> dict[tuple[str, int], float]:
    shared = [chance.gauss(0, 0.08) for _ in range(n_seeds)]
    lift = 0.12 if group == "uncovered" else 0.0
    return {
        (arm, seed): _SHARE[axis] * ARMS.get(arm, 0.6)
        + (lift if "cda" in arm else 0.0)
        + shared[seed]
        + chance.gauss(0, 0.05)
        for arm in arms
        for seed in range(n_seeds)
    }


def _rate(log_odds: float) -> float:
    return 0.5 + 0.4 * log_odds / (0.5 + abs(log_odds))


def _levels(
    values: Values, arms: Sequence[str], axis: str, group: str | None, name: str
) -> list[Level]:
    made = []
    for arm in arms:
        by_seed = tuple(value for (of, _), value in values.items() if of == arm)
        implied = None if arm == "base" or name != ENDPOINT else 1.3 * _SHARE[axis]
        made.append(
            Level(
                arm=arm,
                protocol=PROTOCOL,
                axis=axis,
                group=group,
                name=name,
                value=sum(by_seed) / len(by_seed),
                interval=_bounds(seed_difference(by_seed)),
                n_seeds=len(by_seed),
                by_seed=by_seed,
                implied=implied,
            )
        )
    return made


def _differences(
    values: Values, arms: Sequence[str], axis: str, group: str | None, name: str
) -> list[ArmDifference]:
    made = []
    for reference in _REFERENCES:
        for arm in arms:
            if arm in ("base", reference) or reference not in arms:
                continue
            found = _paired(values, arm, reference)
            made.append(
                ArmDifference(
                    arm=arm,
                    reference=reference,
                    protocol=PROTOCOL,
                    axis=axis,
                    group=group,
                    name=name,
                    value=found.value,
                    interval=_bounds(found),
                    n_seeds=found.n_seeds,
                    reason=found.reason,
                )
            )
    return made


def _claims(endpoints: Mapping[str, Values]) -> Iterable[Claim]:
    for name, arm, reference in (
        ("dp_amplifies_bias", "dp_20", "plain"),
        ("cda_removes_amplification", "dp_3", "dp_cda_3"),
    ):
        for axis, values in endpoints.items():
            if not {arm, reference} <= {of for of, _ in values}:
                continue
            found = _paired(values, arm, reference)
            yield claim(
                claim=name,
                axis=axis,
                arm=arm,
                reference=reference,
                value=found.value,
                interval=_bounds(found),
                n_seeds=found.n_seeds,
                p_value=found.p_value,
                p_adjusted=found.p_value,
                finding=judge(found, 0.2, 0.05),
                reason=found.reason,
            )


def _paired(values: Values, arm: str, reference: str) -> SeedDifference:
    seeds = [seed for of, seed in values if of == arm and (reference, seed) in values]
    return seed_difference([values[arm, seed] - values[reference, seed] for seed in seeds])


def _bounds(found: SeedDifference) -> Interval | None:
    return None if found.low is None or found.high is None else interval(found.low, found.high)


def _run(arm: str, seed: int, chance: random.Random) -> ArmRun:
    private = arm.startswith("dp_")
    epsilon = float(arm.rpartition("_")[2]) - 0.0004 if private else None
    trained = {"steps": 60, "learning_rate": 2e-3} if arm != "base" else {}
    return ArmRun(
        arm=arm,
        seed=seed,
        status="done",
        epsilon=None if epsilon is None else epsilon * (2.1 if "row" in arm else 1.0),
        row_epsilon=epsilon if "row" in arm or "separate" in arm else None,
        perplexity=2.3 + 0.4 * (private or "matched" in arm) + chance.random() / 50,
        distance=None if arm == "base" else 0.3 + chance.random() / 10,
        match_gap=0.08 if "matched" in arm else None,
        audit=f"arms/{arm}/seed-{seed}/audit",
        seconds=60.0,
        **trained,
    )
