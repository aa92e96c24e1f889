"""The plain words at the top: which claims hold, on which axes, how sure, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report import words
from fairaudit.report.experiment import numbers, toxicity, view
from fairaudit.report.experiment.arms import arms_of
from fairaudit.report.experiment.claims_in_words import WORDS, statement_of, word_of
from fairaudit.report.experiment.training import NOT_RULED_OUT, Case, Reading, readings
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import Claim, ExperimentResult
from fairaudit.vocabulary.arms import ArmKind
from fairaudit.vocabulary.claims import (
    CDA_REMOVES_AMPLIFICATION,
    DP_AMPLIFIES_BIAS,
    STATEMENTS,
    Finding,
)

_FEWEST: Final = 3
NOTHING_JUDGED: Final = (
    "No claim was judged: no two arms that a claim compares both finished with the declared metric "
    "on a declared axis."
)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that this experiment did not look at: what, and why."""

    what: str
    reason: str


def answers(result: ExperimentResult) -> tuple[str, ...]:
    """Say of each claim, in one sentence, where it is supported."""
    found = view.claims_by_name(result)
    said = [f"{statement_of(name).label}: {_where(claims)}." for name, claims in found.items()]
    if not said:
        return (NOTHING_JUDGED,)
    return tuple(said)


def measured(result: ExperimentResult) -> str:
    """Say what was repeated, and what a claim rests on."""
    n, arms = len(view.seeds(result)), len(arms_of(result))
    few = "" if n >= _FEWEST else f" Fewer than {_FEWEST} seeds decide nothing."
    done = sum(run.status == "done" for run in result.runs)
    lost = "" if result.complete else f" {done} of {len(result.runs)} runs finished."
    return (
        f"{words.plural(arms, 'arm')} of one training recipe, {'each ' if not lost else ''}with "
        f"{numbers.seeds(n)}, audited and compared seed by seed.{lost} A claim rests on its "
        f"declared endpoint only: the mean difference of two arms over seeds.{few}"
    )


def explained(result: ExperimentResult) -> str:
    """Say where under-training explains a difference, or where it is not ruled out; or nothing."""
    every = readings(result)
    parts = [
        f"{said}: {_places(some)}."
        for said, some in (
            (
                "Explained by under-training, as far as these seeds can tell",
                [one for one in every if one.case is Case.EXPLAINED],
            ),
            (
                "Not explained by under-training",
                [one for one in every if one.case is Case.HOLDS],
            ),
            (
                "Under-training is not ruled out",
                [one for one in every if one.case in NOT_RULED_OUT],
            ),
        )
        if some
    ]
    return " ".join(parts)


def reading_of(result: ExperimentResult, found: Claim) -> Reading | None:
    """Return what the matched checkpoint says about the difference that a claim rests on."""
    if found.claim != DP_AMPLIFIES_BIAS.name:
        return None
    every = readings(result)
    return next((one for one in every if (one.arm.id, one.axis) == (found.arm, found.axis)), None)


def remark(result: ExperimentResult, found: Claim) -> str:
    """Return the same in a few words, where there is a difference to explain; or nothing."""
    reading = reading_of(result, found)
    if reading is None or reading.case in (Case.UNKNOWN, Case.OPEN):
        return ""
    return reading.case.short


def failures(result: ExperimentResult) -> Iterator[str]:
    """Yield one line per failed run."""
    for row in view.arm_rows(result):
        for run in row.failed:
            yield f"{row.arm.name}, seed {run.seed}: {run.reason or 'no reason recorded'}"


def gaps(result: ExperimentResult) -> tuple[Gap, ...]:
    """Return what this experiment did not look at, so that nobody takes it for nothing found."""
    return tuple(_gaps(result))


def _gaps(result: ExperimentResult) -> Iterator[Gap]:
    kinds = {arm.kind for arm in arms_of(result)}
    judged = {claim.claim for claim in result.claims}
    for statement in STATEMENTS.values():
        if statement.name not in judged and statement.needs:
            yield Gap(f"Claim “{statement.label}”", statement.needs)
    if ArmKind.DP in kinds and ArmKind.PLAIN_MATCHED not in kinds:
        yield Gap(
            "Plain, matched",
            "no plain checkpoint of the private arm's perplexity was audited: amplification "
            "cannot be told from under-training",
        )
    twins = any(kind.private and kind.twins for kind in kinds if kind is not None)
    if not twins and CDA_REMOVES_AMPLIFICATION.name in judged:
        yield Gap("DP + CDA", "no private arm with counterfactual twins")
    if not result.predictions:
        yield Gap(
            "Does disparity predict?",
            "no gradient disparity was recorded in training to set beside the change of bias",
        )
    if not any(level.name in toxicity.MEASURED for level in result.levels):
        yield Gap(
            "Toxicity of continuations (the published Table 1)",
            "no text was generated: nothing is known about what these models write",
        )


def _where(claims: Sequence[Claim]) -> str:
    """Return findings with their axes: ``supported on gender; undecided on race``."""
    by_finding = grouped(claims, word_of)
    if len(by_finding) == 1 and len(claims) > 1:
        (word,) = by_finding
        n = len({claim.axis for claim in claims})
        if word is Finding.NOT_SUPPORTED.word and n > 1:
            # "Not supported on all three" could be read as: on two.
            none = "neither axis" if n == 2 else f"none of the {n} axes"
            return f"supported on {none} ({_axes(claims)})"
        return f"{word.label} on {_all(claims)}"
    return "; ".join(
        f"{one.label} on {_axes(by_finding[one])}" for one in WORDS if one in by_finding
    )


def _all(claims: Sequence[Claim]) -> str:
    n = len({claim.axis for claim in claims})
    count = "both axes" if n == 2 else f"all {n} axes"
    return f"{count} ({_axes(claims)})" if n > 1 else _axes(claims)


def _axes(claims: Sequence[Claim]) -> str:
    names = [axis_name(axis).lower() for axis in dict.fromkeys(claim.axis for claim in claims)]
    if len(names) > 6:
        names = [*names[:5], f"{len(names) - 5} more axes"]
    return words.listed([shorten(name, 40) for name in names])


def _places(some: Sequence[Reading]) -> str:
    by_arm = grouped(some, lambda one: one.arm.name)
    return "; ".join(
        f"{name} ({words.listed([axis_name(one.axis).lower() for one in found])})"
        for name, found in by_arm.items()
    )
