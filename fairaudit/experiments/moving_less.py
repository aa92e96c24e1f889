"""What of a private arm's difference is explained by its having moved less, or been trained less.

A private model that goes a share k of the way from the base to the plain one keeps a share 1 − k of
what lies between them: it leans further than the plain model where the base does, and less where
the base leans less. With bias M, seed by seed,

    M(private) − M(plain) = (1 − k) (M(base) − M(plain)) + residual,

where k is measured away from bias: the distance that the private arm moved from the base over that
of the plain arm, in nats per token on the probe text. The first term is the explained part. Against
a matched checkpoint the explained part is M(matched) − M(plain) instead.

A claim says that the explained part is larger than the residual, by absolute value of their means
over seeds: more than half of a difference that both push in one direction. See
`fairaudit.stats.claims.difference_of_sizes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.seed_claims import (
    Audits,
    Endpoints,
    Scores,
    claim_arms,
    endpoint_scores,
    endpoints,
    judged,
    paired,
)
from fairaudit.results.experiment import ArmRun, Claim
from fairaudit.stats.claims import SeedDifference, difference_of_sizes, seed_difference
from fairaudit.stats.multiplicity import adjust
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind, read_arm
from fairaudit.vocabulary.claims import (
    CLOSE_MATCH,
    EXPLAINED_BY_LESS_TRAINING,
    EXPLAINED_BY_MOVING_LESS,
    Finding,
    Statement,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """By seed, the two parts of a private arm's difference from the plain one."""

    explained: tuple[float, ...]
    residual: tuple[float, ...]

    def judged_at(self, level: float) -> SeedDifference:
        """Size of the explained part minus that of the residual, over seeds."""
        return difference_of_sizes(self.explained, self.residual, level)


def parts_by_distance(
    scores: Scores, private: str, distances: Mapping[tuple[str, int], float]
) -> Parts:
    """Split by the distances that both arms moved from the base.

    Parameters
    ----------
    scores : mapping of (arm, seed) to float
        Bias on one axis.
    private : str
        The private arm.
    distances : mapping of (arm, seed) to float
        Distance from the base. A seed without one of the plain arm, or without one of the private
        arm, is left out.
    """
    explained, residual = [], []
    for seed in sorted(seed for arm, seed in scores if arm == private):
        needed = [(BASE, seed), (PLAIN, seed), (private, seed)]
        far = distances.get((PLAIN, seed))
        moved = distances.get((private, seed))
        if all(key in scores for key in needed) and far and moved is not None:
            base, plain, own = (scores[key] for key in needed)
            explained.append((1 - moved / far) * (base - plain))
            residual.append(own - plain - explained[-1])
    return Parts(tuple(explained), tuple(residual))


def parts_by_match(scores: Scores, private: str, matched: str) -> Parts:
    """Split by a plain checkpoint that is as far along as the private arm."""
    of_private = sorted(seed for arm, seed in scores if arm == private)
    seeds = [seed for seed in of_private if (matched, seed) in scores and (PLAIN, seed) in scores]
    return Parts(
        tuple(scores[matched, seed] - scores[PLAIN, seed] for seed in seeds),
        tuple(scores[private, seed] - scores[matched, seed] for seed in seeds),
    )


def explained_claims(audits: Audits, runs: Sequence[ArmRun], plan: ExperimentPlan) -> list[Claim]:
    """Judge *explained by moving less* and *explained by less training*, axis by axis.

    Axes on which the private arm was not told from the plain one have nothing to explain. A match
    that is not close decides nothing.
    """
    distances = {
        (run.arm, run.seed): run.distance
        for run in runs
        if run.status == "done" and run.distance is not None
    }
    protocols = endpoints(audits, plan)
    found = explained_claims_of(endpoint_scores(audits, plan), distances, plan)
    return [
        one.model_copy(update={"protocol": protocols[one.axis]})
        for one in _unless_close(found, runs)
    ]


def explained_claims_of(
    cells: Endpoints, distances: Mapping[tuple[str, int], float], plan: ExperimentPlan
) -> list[Claim]:
    """Judge the same from scores by axis, and distances from the base, by arm and seed."""
    private, _ = claim_arms(plan)
    if private is None or not cells:
        return []
    parts = {axis: parts_by_distance(values, private, distances) for axis, values in cells.items()}
    found = _claims(EXPLAINED_BY_MOVING_LESS, parts, private, cells, plan)
    matched = _matched(private)
    if matched in plan.arms:
        parts = {axis: parts_by_match(values, private, matched) for axis, values in cells.items()}
        found += _claims(EXPLAINED_BY_LESS_TRAINING, parts, private, cells, plan)
    return found


def _matched(private: str) -> str:
    arm = read_arm(private)
    assert arm is not None, "the arm of claims is one of the plan"
    return arm.beside(ArmKind.PLAIN_MATCHED)


def _claims(
    claim: Statement,
    parts: Mapping[str, Parts],
    private: str,
    cells: Endpoints,
    plan: ExperimentPlan,
) -> list[Claim]:
    level = 1 - plan.claims.alpha
    apart = _apart(cells, private, plan)
    return [
        one.model_copy(
            update={
                "endpoint": f"{plan.claims.metric} of {private} minus {PLAIN}, {one.axis}: size of "
                "the explained part minus that of the rest",
                **({} if one.axis in apart else _nothing_to_explain(claim)),
            }
        )
        for one in judged(
            claim,
            private,
            PLAIN,
            {axis: one.judged_at(level) for axis, one in parts.items()},
            plan,
        )
    ]


def _nothing_to_explain(claim: Statement) -> dict[str, object]:
    return {"finding": Finding.NOT_APPLICABLE, "reason": claim.without}


def _apart(cells: Endpoints, private: str, plan: ExperimentPlan) -> set[str]:
    """Axes on which the private arm differs from the plain one, by Holm over axes."""
    p_values = [
        seed_difference(paired(values, private, PLAIN)).p_value for values in cells.values()
    ]
    adjusted = adjust(p_values, "holm")
    return {
        axis
        for axis, p in zip(cells, adjusted, strict=True)
        if p is not None and p < plan.claims.alpha
    }


def _unless_close(claims: Sequence[Claim], runs: Sequence[ArmRun]) -> Iterator[Claim]:
    """Leave undecided what rests on a checkpoint that is not as far along as the private arm."""
    for one in claims:
        rests = one.claim == EXPLAINED_BY_LESS_TRAINING.name
        if not rests or one.finding == Finding.NOT_APPLICABLE or _is_close(_matched(one.arm), runs):
            yield one
        else:
            reason = "no plain checkpoint is as far along as the private arm"
            yield one.model_copy(update={"finding": Finding.UNDECIDED, "reason": reason})


def _is_close(matched: str, runs: Sequence[ArmRun]) -> bool:
    gaps = [run.match_gap for run in runs if run.arm == matched and run.status == "done"]
    known = [gap for gap in gaps if gap is not None]
    return bool(gaps) and len(known) == len(gaps) and fmean(known) <= CLOSE_MATCH
