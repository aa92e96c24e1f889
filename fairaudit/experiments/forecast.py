"""Before anything is trained: what an experiment takes, and which claims it could decide.

Power is simulated. A world of known bias says where base and text lean; assumptions say how much of
the way fine-tuning goes, how much of that a private arm goes, and how far seeds scatter. Seeds are
drawn from that, and judged by the very functions that judge a finished experiment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fairaudit.experiments.disparity import disparity_claims_of
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.grid import cells
from fairaudit.experiments.moving_less import explained_claims_of
from fairaudit.experiments.plan_parts import WorldText
from fairaudit.experiments.seed_claims import bias_claims_of, claim_arms, only_with_premise
from fairaudit.experiments.world import AXES, implied, implied_tone, load_words
from fairaudit.results.experiment import Claim
from fairaudit.vocabulary.arms import BASE, Arm, ArmKind
from fairaudit.vocabulary.claims import Finding
from fairaudit.vocabulary.metrics import (
    MEAN_LOG_ODDS,
    STEREOTYPE_PREFERENCE_RATE,
    TOXICITY_DIFFERENCE,
    TOXICITY_RATIO,
)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a simulation takes for granted.

    What plain arms do and how far bias scores scatter follows the recorded ``reports/full``. There
    private arms hardly left the base in bias, and went half of the plain arm's distance; with a
    cleaner text they go most of the way. The assumed share lies between. The others are guesses.

    Parameters
    ----------
    base_shows : float
        Share of what its text implies that a base model shows.
    plain_goes : float
        Share of the way from the base to what the text implies that plain fine-tuning goes.
    private_goes : float
        Share of the plain arm's way that a private arm goes, in bias and in distance alike.
    twins_remove : float
        Share of what the text implies that counterfactual twins take out of it. What the base has
        read stays.
    disparity_equal, disparity_rare : float
        Area between convergence curves in a private arm, where both groups have half of the text
        and where one has a tenth of it or less.
    spread_share : float
        Standard deviation over seeds of a measured share of the way.
    spread_disparity : float
        Standard deviation over seeds of an area.
    """

    base_shows: float = 0.7
    plain_goes: float = 0.65
    private_goes: float = 0.4
    twins_remove: float = 0.5
    disparity_equal: float = 0.0
    disparity_rare: float = 0.2
    spread_share: float = 0.02
    spread_disparity: float = 0.03


ASSUMED: Final = Assumptions()
#: Standard deviation over seeds of one arm's bias score, by metric: what reports/full shows of the
#: first (0.05 to 0.09 of a difference of two arms), and in proportion.
SPREADS: Final = {
    MEAN_LOG_ODDS.name: 0.05,
    STEREOTYPE_PREFERENCE_RATE.name: 0.02,
    TOXICITY_DIFFERENCE.name: 0.02,
    TOXICITY_RATIO.name: 0.2,
}
_RARE: Final = 0.1
SIMULATED: Final = 200


@dataclass(frozen=True, slots=True)
class Power:
    """How often simulated experiments decide a claim: shares of the axes, over experiments."""

    claim: str
    supported: float
    not_supported: float
    not_applicable: float

    @property
    def undecided(self) -> float:
        """How often seeds cannot tell."""
        return max(0.0, 1 - self.supported - self.not_supported - self.not_applicable)


@dataclass(frozen=True, slots=True)
class WorldForecast:
    """One world: its name, and the power of its claims; empty with a reason."""

    name: str
    powers: tuple[Power, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Forecast:
    """An experiment that was not run: arms to train, time in all, power by world."""

    arms: tuple[str, ...]
    seeds: int
    runs: int
    #: Seconds of one core; None where the size of the base model is not known.
    core_seconds: float | None
    worlds: tuple[WorldForecast, ...]


def forecast(plan: ExperimentPlan, *, simulated: int = SIMULATED, seed: int = 0) -> Forecast:
    """Return what a plan would take and could decide; nothing is trained.

    Parameters
    ----------
    plan : ExperimentPlan
        With or without regimes.
    simulated : int
        Experiments that are simulated for each world.
    seed : int
        Seed of the simulation.
    """
    plans = plan.regimes() or {plan.name: plan}
    streams = np.random.SeedSequence(seed).spawn(len(plans))
    return Forecast(
        arms=(BASE, *plan.arms),
        seeds=plan.seeds,
        runs=sum(len(cells(one)) for one in plans.values()),
        core_seconds=_core_seconds(list(plans.values())),
        worlds=tuple(
            _world(one, simulated, np.random.default_rng(stream))
            for one, stream in zip(plans.values(), streams, strict=True)
        ),
    )


def _world(plan: ExperimentPlan, simulated: int, rng: np.random.Generator) -> WorldForecast:
    base, text = plan.base.text, plan.text.world
    if base is None or text is None:
        reason = "only a known world says where base and text lean"
        return WorldForecast(plan.name, (), reason)
    if plan.claims.metric not in SPREADS:
        reason = f"a known world implies no {plan.claims.metric}"
        return WorldForecast(plan.name, (), reason)
    if claim_arms(plan)[0] is None:
        return WorldForecast(plan.name, (), "no arm that claims are about: plain and a private one")
    found = [simulate_claims(plan, rng) for _ in range(simulated)]
    return WorldForecast(plan.name, tuple(_powers(found)))


def _powers(found: Sequence[Sequence[Claim]]) -> Iterator[Power]:
    counts = Counter((one.claim, one.finding) for claims in found for one in claims)
    for name in dict.fromkeys(one.claim for one in found[0]):
        total = sum(n for (claim, _), n in counts.items() if claim == name)
        shares = {finding: counts[name, finding] / total for finding in Finding}
        yield Power(
            name,
            shares[Finding.SUPPORTED],
            shares[Finding.NOT_SUPPORTED],
            shares[Finding.NOT_APPLICABLE],
        )


def simulate_claims(
    plan: ExperimentPlan, rng: np.random.Generator, assumed: Assumptions = ASSUMED
) -> list[Claim]:
    """Draw the seeds of one experiment of a known world, and judge its claims.

    Parameters
    ----------
    plan : ExperimentPlan
        A plan without regimes whose base and text are of the known world.
    rng : numpy.random.Generator
        Source of the draws.
    assumed : Assumptions
        Where arms end up, and how far seeds scatter.
    """
    spread = SPREADS[plan.claims.metric]
    scores: dict[str, dict[tuple[str, int], float]] = {}
    distances: dict[tuple[str, int], float] = {}
    areas: dict[str, dict[tuple[str, int], float]] = {}
    for axis in (axis for axis in plan.axes if axis in AXES):
        for name, mean in _means(plan, axis, assumed).items():
            for seed in range(plan.seeds):
                # All seeds start from one base model.
                noise = 0.0 if name == BASE else rng.normal(0, spread)
                scores.setdefault(axis, {})[name, seed] = mean + noise
    for arm in plan.read_arms:
        for seed in range(plan.seeds):
            share = rng.normal(_goes(arm, assumed), assumed.spread_share)
            distances[arm.id, seed] = max(share, 0.01)
            for axis in scores if plan.diagnose_apart(1) is not None else ():
                area = rng.normal(_area(plan, arm, axis, assumed), assumed.spread_disparity)
                areas.setdefault(axis, {})[arm.id, seed] = area
    claims = [
        *bias_claims_of(scores, plan),
        *explained_claims_of(scores, distances, plan),
        *(disparity_claims_of(areas, plan) if areas else ()),
    ]
    return only_with_premise(claims)


def _means(plan: ExperimentPlan, axis: str, assumed: Assumptions) -> dict[str, float]:
    base_text, text = plan.base.text, plan.text.world
    assert base_text is not None
    assert text is not None
    base = assumed.base_shows * _implied(base_text, axis, plan.claims.metric)
    said = _implied(text, axis, plan.claims.metric)
    found = {str(BASE): base}
    for arm in plan.read_arms:
        twins = arm.kind is not None and arm.kind.twins is not None
        end = said * (1 - assumed.twins_remove * twins)
        found[arm.id] = base + _goes(arm, assumed) * assumed.plain_goes * (end - base)
    return found


def _goes(arm: Arm, assumed: Assumptions) -> float:
    """Share of the plain arm's way that an arm goes."""
    if arm.private or arm.kind in (ArmKind.PLAIN_MATCHED, ArmKind.NOISE_ONLY):
        return assumed.private_goes
    return 1.0


def _area(plan: ExperimentPlan, arm: Arm, axis: str, assumed: Assumptions) -> float:
    text = plan.text.world
    share = 0.5 if text is None else text.share.get(axis, 0.5)
    rare = min(share, 1 - share) <= _RARE
    return (assumed.disparity_rare if rare else assumed.disparity_equal) if arm.private else 0.0


def _implied(text: WorldText, axis: str, metric: str) -> float:
    mixture = text.mixture(0)
    tone = metric in (TOXICITY_DIFFERENCE.name, TOXICITY_RATIO.name)
    found = implied_tone(mixture, axis) if tone else implied(mixture, axis)
    return float(getattr(found, metric))


#: Seconds of one core, as measured on a server's: for each sentence and million parameters of a
#: pre-training or plain step, for each step whatever its size, and for each sentence of an audit.
_SENTENCE, _STEP, _ASKED = 1.2e-4, 5e-3, 1.5e-3
#: How much longer a sentence takes with gradients of each record, and with a twin.
_PRIVATE, _TWINS = 2.5, 2.0
_ARM_OVERHEAD, _VOCABULARY = 8.0, 2000


def _core_seconds(plans: Sequence[ExperimentPlan]) -> float | None:
    if any(plan.base.model is not None or plan.audit.suites for plan in plans):
        return None
    bases = {plan.base.model_dump_json(): plan for plan in plans}
    pretraining = sum(
        _training(one.base.steps, one.base.batch_size, _millions(one)) for one in bases.values()
    )
    return pretraining + sum(one.seeds * _of_seed(one) for one in plans)


def _of_seed(plan: ExperimentPlan) -> float:
    words = load_words().axes
    items = sum(len(one.concepts) * len(one.links) * len(one.terms) for one in words.values())
    audit = 3 * items * plan.audit.openings * plan.audit.tails * _ASKED
    trained = [arm for arm in plan.read_arms if arm.kind is not ArmKind.PLAIN_MATCHED]
    seconds = sum(_arm_seconds(plan, arm, _millions(plan)) for arm in trained)
    return seconds + (1 + len(plan.read_arms)) * (audit + _ARM_OVERHEAD)


def _arm_seconds(plan: ExperimentPlan, arm: Arm, millions: float) -> float:
    settings: Mapping[str, float] = plan.settings(arm.id)
    steps, batch = settings.get("steps", 0), settings.get("batch_size", 0)
    exact = arm.private or arm.kind is ArmKind.CLIP_ONLY
    twins = arm.kind is not None and arm.kind.twins is not None
    factor = (_PRIVATE if exact else 1.0) * (_TWINS if twins else 1.0)
    return factor * _training(int(steps), int(batch), millions)


def _training(steps: int, batch: int, millions: float) -> float:
    return steps * (_STEP + batch * millions * _SENTENCE)


def _millions(plan: ExperimentPlan) -> float:
    base = plan.base
    return (12 * base.layers * base.width**2 + _VOCABULARY * base.width) / 1e6
