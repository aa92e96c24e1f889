"""What `calibration` asks of a sample, by the functions that audits, comparisons and gates use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from calibration_cells import Cell
from calibration_draws import Sample
from calibration_groups import GroupSample, verdict_on

from fairaudit.metrics.controls import Pairs, control_inferences
from fairaudit.metrics.sample_estimates import Sample as Values
from fairaudit.metrics.sample_estimates import Slice, estimate
from fairaudit.results.stored_evidence import estimate_evidence
from fairaudit.stats.decide import decide
from fairaudit.stats.intervals import clopper_pearson, exact_test
from fairaudit.stats.mcnemar import mcnemar
from fairaudit.stats.one_estimate import infer
from fairaudit.stats.paired import PairedInference, infer_paired
from fairaudit.stats.permutation import sign_flip
from fairaudit.stats.unseen import limiting
from fairaudit.vocabulary.metrics import TOXICITY_MEAN

ALPHA: Final = 0.05
EXACT: Final = frozenset({"clopper-pearson", "mcnemar", "sign-flip", "dealt genders"})
_WHERE: Final = Slice("toxicity", "toxicity/recorded", "gender")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sample led to: None where there is no interval or no test."""

    covers: bool | None
    rejects: bool | None
    method: str
    verdict: str | None = None
    width: float | None = None


def ask(cell: Cell, sample: Sample | GroupSample) -> Outcome:
    """Ask what the cell asks."""
    if isinstance(sample, GroupSample):
        return ask_groups(cell, sample)
    if cell.asks in EXACT:
        return ask_exact(cell, sample)
    asked = {"estimate": ask_estimate, "limit": ask_limit, "controls": ask_controls}
    return asked.get(cell.asks, ask_paired)(cell, sample)


def ask_exact(cell: Cell, sample: Sample) -> Outcome:
    """One exact method by itself."""
    if cell.asks == "clopper-pearson":
        successes, n = float(sample.values.sum()), len(sample.values)
        bounds = clopper_pearson(successes, n, 1 - ALPHA)
        return outcome(cell, *bounds, exact_test(successes, n, cell.truth), cell.asks)
    if cell.asks == "dealt genders":
        # The sample is the p-value itself.
        return outcome(cell, None, None, float(sample.values[0]), cell.asks)
    assert sample.candidate is not None
    moved = sample.candidate - sample.values
    if cell.asks == "sign-flip":
        assert sample.clusters is not None
        p_value = sign_flip(np.bincount(sample.clusters, weights=moved))
    else:
        steps = [int((moved == step).sum()) for step in (1, -1, 0.5, -0.5)]
        p_value = mcnemar(*steps, mid_p=False)
    return outcome(cell, None, None, p_value, cell.asks)


def ask_estimate(cell: Cell, sample: Sample) -> Outcome:
    """Interval and test of one model's value, as an audit makes them."""
    found = infer(
        sample.values,
        _clusters(sample),
        weights=None if sample.weights is None else sample.weights[0],
        is_rate=cell.is_rate,
        ideal=cell.truth,
        crossed=sample.crossed,
        level=1 - ALPHA,
        reach=sample.reach if cell.with_reach else None,
    )
    return outcome(cell, found.low, found.high, found.p_value, found.method)


def ask_limit(cell: Cell, sample: Sample) -> Outcome:
    """Whether a gate finds the value below a limit that is the truth."""
    labels = [str(number) for number in range(len(sample.values))]
    found = estimate(TOXICITY_MEAN, _WHERE, Values(sample.values, labels), seed=0)
    evidence = estimate_evidence(found)
    within = evidence is not None and limiting(evidence).upper(ALPHA) < cell.truth
    interval = found.interval
    low, high, method = (
        (None, None, None) if interval is None else (interval.low, interval.high, interval.method)
    )
    return outcome(cell, low, high, None, method, "within" if within else "undecided")


def ask_controls(cell: Cell, sample: Sample) -> Outcome:
    """Interval of one of the three numbers of control pairs, as an audit makes it."""
    assert sample.controls is not None
    assert cell.metric is not None
    pairs, controls = (
        Pairs(one.values, one.clusters, one.crossed) for one in (sample, sample.controls)
    )
    by_name = {one.name: made for one, made in control_inferences(pairs, controls).items()}
    found = by_name[cell.metric]
    return outcome(cell, found.low, found.high, None, found.method)


def ask_paired(cell: Cell, sample: Sample) -> Outcome:
    """Interval and test of the difference of two models; for verdicts also the decision."""
    assert sample.candidate is not None
    weights = sample.weights or (None, None)
    found = infer_paired(
        sample.values,
        sample.candidate,
        _clusters(sample),
        weights_baseline=weights[0],
        weights_candidate=weights[1],
        is_rate=cell.is_rate,
        crossed=sample.crossed,
        reach=sample.reach,
        level=1 - ALPHA,
    )
    verdict = _verdict(found, cell.margin) if cell.asks == "verdict" else None
    return outcome(cell, found.low, found.high, found.p_value, found.method, verdict)


def ask_groups(cell: Cell, sample: GroupSample) -> Outcome:
    """Verdict on an axis with more than two groups."""
    assert cell.asks in ("largest change", "largest gap")
    made = verdict_on(cell.asks, sample, cell.margin, ALPHA)
    return outcome(cell, made.low, made.high, made.p_value, "max-t", made.verdict)


def _clusters(sample: Sample) -> Any:
    return np.arange(len(sample.values)) if sample.clusters is None else sample.clusters


def _verdict(found: PairedInference, margin: float) -> str:
    evidence = found.evidence()
    if evidence is None or found.difference is None:
        return "inconclusive"
    return decide(
        found.difference,
        found.se,
        found.df,
        margin,
        ALPHA,
        evidence=evidence,
        p_adjusted=found.p_value,
    ).verdict


def outcome(
    cell: Cell,
    low: float | None,
    high: float | None,
    p_value: float | None,
    method: str | None,
    verdict: str | None = None,
) -> Outcome:
    """Whether the interval holds the truth and the test rejects its null value."""
    rejects = None if p_value is None else p_value <= cell.alpha + 1e-12
    if low is None or high is None:
        return Outcome(None, rejects, method or "none", verdict)
    return Outcome(low <= cell.truth <= high, rejects, method or "none", verdict, high - low)


def fingerprint(cell: Cell, sample: Sample | GroupSample) -> tuple[int, ...] | None:
    """Return the counts that identify a sample of independent rates, to ask about it once."""
    if isinstance(sample, GroupSample) or sample.clusters is not None or not cell.is_rate:
        return None
    answer = 2 * sample.values
    if sample.candidate is not None:
        answer = 3 * answer + 2 * sample.candidate
    return tuple(np.bincount(answer.astype(np.intp)).tolist())
