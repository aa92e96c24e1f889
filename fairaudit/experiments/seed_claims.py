"""What the audits of all arms and seeds come to: levels, differences, claims.

Everything here resamples seeds. A difference between two arms is taken seed by seed, so that what
the seeds share (base model, text, order of the data in arms without privacy) cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from fairaudit.comparing.distance import NOT_MOVED_NATS
from fairaudit.experiments.asked_suites import PAIRS, PROMPTS
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.plan_parts import METRICS
from fairaudit.experiments.world import AXES, implied, implied_tone
from fairaudit.results import AuditResult, Estimate, Interval
from fairaudit.results.experiment import ArmDifference, ArmRun, Claim, Level
from fairaudit.stats.claims import SeedDifference, judge, seed_difference
from fairaudit.stats.multiplicity import adjust
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind, read_arm
from fairaudit.vocabulary.claims import (
    CDA_REMOVES_AMPLIFICATION,
    DP_AMPLIFIES_BIAS,
    STATEMENTS,
    Finding,
    Statement,
)
from fairaudit.vocabulary.metrics import TOXICITY_MEAN

#: Audits by arm and seed.
Audits = Mapping[tuple[str, int], AuditResult]
#: Bias scores by arm and seed, and those of the declared endpoint by axis.
Scores = Mapping[tuple[str, int], float]
Endpoints = Mapping[str, Scores]

_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Cell:
    """Which bias score: protocol, axis, part of the items, metric."""

    protocol: str
    axis: str
    group: str | None
    name: str


def scores(audits: Audits) -> dict[Cell, dict[tuple[str, int], float]]:
    """Bias scores of all audits by cell, arm and seed, signed towards the stereotype."""
    found: dict[Cell, dict[tuple[str, int], float]] = {}
    for key, audit in audits.items():
        for estimate in audit.estimates:
            if estimate.value is not None and _counts(estimate):
                cell = Cell(estimate.protocol, estimate.axis, estimate.group, estimate.name)
                found.setdefault(cell, {})[key] = (estimate.direction or 1) * estimate.value
    return found


def _counts(estimate: Estimate) -> bool:
    return estimate.kind == "bias" and estimate.axis != "all" and estimate.name in METRICS


def levels(audits: Audits, plan: ExperimentPlan) -> Iterator[Level]:
    """Level of each arm and cell, over seeds."""
    for cell, values in scores(audits).items():
        for arm in dict.fromkeys(arm for arm, _ in values):
            by_seed = tuple(value for (of, _), value in sorted(values.items()) if of == arm)
            found = seed_difference(by_seed, _LEVEL)
            yield Level(
                arm=arm,
                protocol=cell.protocol,
                axis=cell.axis,
                group=cell.group,
                name=cell.name,
                value=sum(by_seed) / len(by_seed),
                interval=interval_of(found),
                n_seeds=len(by_seed),
                by_seed=by_seed,
                implied=_implied(cell, arm, plan),
            )


def _implied(cell: Cell, arm: str, plan: ExperimentPlan) -> float | None:
    """Value that the known world implies for the text the arm was last trained on.

    None for text with twins: what that implies depends on what the lexicon swaps.
    """
    known = read_arm(arm)
    if known is None or known.kind is None or known.kind.twins is not None:
        return None
    text = plan.base.text if known.kind is BASE else plan.text.world
    suite = cell.protocol.partition("/")[0]
    if text is None or cell.axis not in AXES or suite not in (PAIRS, PROMPTS):
        return None
    mixture = text.mixture(0)
    if suite == PAIRS:
        return float(getattr(implied(mixture, cell.axis), cell.name))
    tone = implied_tone(mixture, cell.axis)
    if cell.name == TOXICITY_MEAN.name:
        return None if cell.group is None else tone.toxicity_mean[cell.group]
    return float(getattr(tone, cell.name))


def differences(audits: Audits, references: Sequence[str]) -> Iterator[ArmDifference]:
    """Difference of every arm from each reference arm, cell by cell."""
    for cell, values in scores(audits).items():
        arms = list(dict.fromkeys(arm for arm, _ in values))
        for reference in references:
            for arm in arms:
                if arm != reference and reference in arms and arm != BASE:
                    yield _difference(cell, values, arm, reference)


def _difference(
    cell: Cell, values: Mapping[tuple[str, int], float], arm: str, reference: str
) -> ArmDifference:
    found = seed_difference(paired(values, arm, reference), _LEVEL)
    return ArmDifference(
        arm=arm,
        reference=reference,
        protocol=cell.protocol,
        axis=cell.axis,
        group=cell.group,
        name=cell.name,
        value=found.value,
        interval=interval_of(found),
        se=found.se,
        df=found.df,
        n_seeds=found.n_seeds,
        p_value=found.p_value,
        reason=found.reason,
    )


def paired(values: Mapping[tuple[str, int], float], arm: str, reference: str) -> list[float]:
    """Differences of two arms, one for each seed that both have."""
    seeds = sorted(seed for of, seed in values if of == arm and (reference, seed) in values)
    return [values[arm, seed] - values[reference, seed] for seed in seeds]


def interval_of(found: SeedDifference, level: float = _LEVEL) -> Interval | None:
    """Student's interval over seeds, as results store it."""
    if found.low is None or found.high is None:
        return None
    return Interval(low=found.low, high=found.high, level=level, method="t", resampling_unit="seed")


def bias_claims(audits: Audits, plan: ExperimentPlan) -> list[Claim]:
    """Judge *DP amplifies bias* and *CDA removes the amplification*, axis by axis."""
    protocols = endpoints(audits, plan)
    return [
        one.model_copy(update={"protocol": protocols[one.axis]})
        for one in bias_claims_of(endpoint_scores(audits, plan), plan)
    ]


def bias_claims_of(cells: Endpoints, plan: ExperimentPlan) -> list[Claim]:
    """Judge the same from scores by axis, arm and seed.

    The first compares the private arm with the plain one, the second with the private arm with
    averaged twins; see `only_with_premise`.
    """
    private, both = claim_arms(plan)
    if private is None:
        return []
    pairs: list[tuple[Statement, str, str]] = [(DP_AMPLIFIES_BIAS, private, PLAIN)]
    if both is not None:
        pairs.append((CDA_REMOVES_AMPLIFICATION, private, both))
    level = 1 - plan.claims.alpha
    return [
        one
        for claim, arm, reference in pairs
        for one in judged(
            claim,
            arm,
            reference,
            {
                axis: seed_difference(paired(values, arm, reference), level)
                for axis, values in cells.items()
            },
            plan,
        )
    ]


def claim_arms(plan: ExperimentPlan) -> tuple[str | None, str | None]:
    """Private arm that the claims are about, and its partner with averaged twins."""
    by_kind = {(arm.kind, arm.epsilon): arm.id for arm in plan.read_arms}
    strengths = [arm.epsilon for arm in plan.read_arms if arm.kind is ArmKind.DP and arm.epsilon]
    wanted = plan.claims.epsilon or min(strengths, default=None)
    private = by_kind.get((ArmKind.DP, wanted)) if PLAIN in plan.arms else None
    return private, by_kind.get((ArmKind.DP_CDA, wanted))


def endpoint_scores(audits: Audits, plan: ExperimentPlan) -> dict[str, Scores]:
    """Scores of the declared metric by axis: whole axes, of the protocol of `endpoints`."""
    found, name = scores(audits), plan.claims.metric
    return {
        axis: found[Cell(protocol, axis, None, name)]
        for axis, protocol in endpoints(audits, plan).items()
    }


def endpoints(audits: Audits, plan: ExperimentPlan) -> dict[str, str]:
    """Protocol of the declared metric by axis: the declared one, or the first suite's primary one.

    An axis of the plan on which no arm has it is left out.
    """
    order = {name: place for place, name in enumerate(plan.audit.suites)}

    def rank(known: tuple[str, bool]) -> tuple[int, bool, str]:
        protocol, primary = known
        return order.get(protocol.partition("/")[0], len(order)), not primary, protocol

    known = {
        (estimate.axis, estimate.protocol, estimate.primary)
        for audit in audits.values()
        for estimate in audit.estimates
        if estimate.name == plan.claims.metric
        and estimate.group is None
        and estimate.value is not None
        and _counts(estimate)
        and plan.claims.protocol in (None, estimate.protocol)
    }
    return {
        axis: min(((p, primary) for of, p, primary in known if of == axis), key=rank)[0]
        for axis in plan.axes
        if any(of == axis for of, _, _ in known)
    }


def judged(
    claim: Statement,
    arm: str,
    reference: str,
    found: Mapping[str, SeedDifference],
    plan: ExperimentPlan,
    *,
    metric: str | None = None,
    margin: float | None = None,
) -> list[Claim]:
    """Judge one claim on every axis, with Holm's correction over the axes.

    Parameters
    ----------
    claim : Statement
        What is claimed.
    arm, reference : str
        The arms whose difference it says to lie above 0.
    found : mapping of str to SeedDifference
        By axis, that difference, with its interval at the level of the plan's claims.
    plan : ExperimentPlan
        With the terms of its claims.
    metric, margin : optional
        Of the endpoint, where it is not the declared bias score.
    """
    terms = plan.claims
    private = read_arm(arm)
    name, least = metric or terms.metric, margin or terms.margin
    adjusted = adjust([one.p_value for one in found.values()], "holm")
    return [
        Claim(
            claim=claim.name,
            endpoint=f"{name} of {arm} minus {reference}, {axis}",
            axis=axis,
            arm=arm,
            reference=reference,
            epsilon=None if private is None else private.epsilon,
            metric=name,
            value=one.value,
            interval=interval_of(one, 1 - terms.alpha),
            n_seeds=one.n_seeds,
            p_value=one.p_value,
            p_adjusted=p,
            margin=least,
            finding=judge(one, least, terms.alpha, p),
            reason=one.reason,
        )
        for (axis, one), p in zip(found.items(), adjusted, strict=True)
    ]


def only_with_premise(claims: Sequence[Claim]) -> list[Claim]:
    """Mark a claim as not applicable on axes where what it presupposes is not supported."""
    shown = {(claim.claim, claim.axis) for claim in claims if claim.finding == Finding.SUPPORTED}
    return [_only_if_shown(claim, shown) for claim in claims]


def _only_if_shown(claim: Claim, shown: Set[tuple[str, str]]) -> Claim:
    known = STATEMENTS.get(claim.claim)
    premise = None if known is None else known.presupposes
    if known is None or premise is None or (premise, claim.axis) in shown:
        return claim
    return claim.model_copy(update={"finding": Finding.NOT_APPLICABLE, "reason": known.without})


def undecided_unless_moved(claims: Sequence[Claim], runs: Sequence[ArmRun]) -> list[Claim]:
    """Leave undecided what rests on an arm that hardly left the base, or nobody knows how far.

    The distance is the mean over seeds of the mean |Δ log p| per token on the probe text.
    """
    distances: dict[str, list[float | None]] = {}
    for run in runs:
        if run.status == "done":
            distances.setdefault(run.arm, []).append(run.distance)
    return [_unless(claim, distances) for claim in claims]


def _unless(claim: Claim, distances: Mapping[str, Sequence[float | None]]) -> Claim:
    for arm in (claim.arm, claim.reference):
        by_seed = distances.get(arm, ())
        known = [distance for distance in by_seed if distance is not None]
        if len(known) < len(by_seed):
            reason = f"how far {arm} moved from the base model is not known: no effect can be read"
        elif known and fmean(known) < NOT_MOVED_NATS:
            reason = f"{arm} hardly moved from the base model: no effect can be read"
        else:
            continue
        return claim.model_copy(update={"finding": Finding.UNDECIDED, "reason": reason})
    return claim
