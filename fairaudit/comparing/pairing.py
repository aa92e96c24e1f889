"""From two models' values of one measurement to their difference, signed towards the stereotype."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairaudit.comparing.joining import Joined
from fairaudit.comparing.uneven import measured
from fairaudit.metrics.sample_estimates import (
    Measurement,
    Metric,
    Sample,
    estimate,
    in_unit,
    sample_cautions,
)
from fairaudit.results import Change, Comparison, Interval
from fairaudit.stats.paired import PairedInference, infer_paired


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a whole comparison: who is compared, and at which levels.

    Parameters
    ----------
    baseline, candidate : str
        Labels of the two models.
    alpha : float
        Error level of verdicts.
    margin : float or None
        Zone of equivalence that was asked for, in place of those that metrics declare.
    seed : int
        Seed of bootstrap and permutations.
    """

    baseline: str
    candidate: str
    alpha: float
    margin: float | None
    seed: int

    def margin_of(self, measurement: Measurement) -> float | None:
        """Margin of a metric; the one asked for replaces a declared one, never a missing one."""
        declared = measurement.metric.margin
        return declared if declared is None or self.margin is None else self.margin


def paired_measurements(joined: Joined) -> Iterator[tuple[Measurement, Measurement]]:
    """Measurements that both sides of a join support, paired by what they are about."""
    all_ours, all_theirs = measured(joined)
    theirs = {_key(one): one for one in all_theirs}
    for ours in all_ours:
        other = theirs.get(_key(ours))
        if other is not None and len(ours.sample.clusters):
            yield ours, other


def _key(measurement: Measurement) -> tuple[str, str, str | None, str]:
    where = measurement.where
    return (where.protocol, where.axis, where.group, measurement.metric.name)


def compared(
    baseline: Measurement, candidate: Measurement, terms: Terms, n_dropped: int
) -> Comparison:
    """Compare one bias of two models; the verdict comes later, with the whole family at hand."""
    first, second = _aligned(baseline.sample, candidate.sample)
    found = _infer(baseline, first, second, terms)
    metric = baseline.metric
    own = estimate(metric, candidate.where, second, seed=terms.seed)
    return Comparison(
        **_common(baseline, first, second, found, terms, n_dropped),
        ideal=metric.ideal,
        deviation_change=_deviation_change(found, metric.ideal),
        n_discordant=found.n_discordant,
        mean_square=found.mean_square,
        reach=found.reach,
        primary=baseline.where.primary,
        p_value=found.p_value,
        alpha=terms.alpha,
        margin=terms.margin_of(baseline),
        mde=found.mde,
        candidate_interval=own.interval,
        cautions=tuple(
            dict.fromkeys((*found.cautions, *sample_cautions(found.n, n_dropped, first, second)))
        ),
    )


def changed(baseline: Measurement, candidate: Measurement, terms: Terms, n_dropped: int) -> Change:
    """Return how a capability changed, which is no verdict."""
    first, second = _aligned(baseline.sample, candidate.sample)
    found = _infer(baseline, first, second, terms)
    common = _common(baseline, first, second, found, terms, n_dropped)
    own = estimate(candidate.metric, candidate.where, second, seed=terms.seed)
    return Change(**common, kind=baseline.metric.kind, candidate_estimate=own)


def _aligned(baseline: Sample, candidate: Sample) -> tuple[Sample, Sample]:
    """Both samples on the values that both have, in the baseline's order."""
    if baseline.keys is None or candidate.keys is None:
        raise ValueError("a measurement without keys cannot be paired")
    place = {key: index for index, key in enumerate(candidate.keys)}
    ours = [index for index, key in enumerate(baseline.keys) if key in place]
    theirs = [place[baseline.keys[index]] for index in ours]
    return _take(baseline, ours), _take(candidate, theirs)


def _take(sample: Sample, index: list[int]) -> Sample:
    def taken(values: Any) -> Any:
        return None if values is None else np.asarray(values)[index].tolist()

    return replace(
        sample,
        values=np.asarray(sample.values, dtype=float)[index],
        clusters=taken(sample.clusters),
        weights=taken(sample.weights),
        crossed=taken(sample.crossed),
        keys=taken(sample.keys),
    )


def _infer(
    measurement: Measurement, baseline: Sample, candidate: Sample, terms: Terms
) -> PairedInference:
    return infer_paired(
        np.asarray(baseline.values),
        np.asarray(candidate.values),
        list(baseline.clusters),
        weights_baseline=baseline.weights,
        weights_candidate=candidate.weights,
        is_rate=measurement.metric.is_rate,
        crossed=None if baseline.crossed is None else list(baseline.crossed),
        reach=_reach(measurement.metric, baseline, candidate),
        level=1 - terms.alpha,
        seed=terms.seed,
    )


def _reach(metric: Metric, baseline: Sample, candidate: Sample) -> float | None:
    """Return the most that one value can move; values of their own reach may differ in it."""
    own = [one.reach for one in (baseline, candidate) if one.reach is not None]
    return max(own, default=metric.width)


def _common(
    measurement: Measurement,
    baseline: Sample,
    candidate: Sample,
    found: PairedInference,
    terms: Terms,
    n_dropped: int,
) -> dict[str, Any]:
    where, metric = measurement.where, measurement.metric
    sign = metric.direction or 1
    return {
        "name": metric.name,
        "suite": where.suite,
        "protocol": where.protocol,
        "axis": where.axis,
        "group": where.group,
        "baseline": terms.baseline,
        "candidate": terms.candidate,
        "value_baseline": found.value_baseline,
        "value_candidate": found.value_candidate,
        "difference": None if found.difference is None else sign * found.difference,
        "ratio": _ratio(found, metric.range[0]),
        "interval": _interval(found, sign, baseline.unit),
        "se": found.se,
        "df": found.df,
        "n": found.n if baseline.n is None else baseline.n,
        "n_clusters": found.n_clusters,
        "n_skipped": n_dropped,
        "direction": metric.direction,
        "reason": in_unit(found.reason, baseline.unit),
    }


def _ratio(found: PairedInference, lowest: float | None) -> float | None:
    """Ratio of two values of a quantity that starts at 0 or above; log-odds have none."""
    if lowest is None or lowest < 0 or not found.value_baseline or found.value_candidate is None:
        return None
    return found.value_candidate / found.value_baseline


def _interval(found: PairedInference, sign: int, unit: str | None) -> Interval | None:
    if found.low is None or found.high is None or found.method is None:
        return None
    low, high = sorted((sign * found.low, sign * found.high))
    return Interval(
        low=low,
        high=high,
        level=found.level,
        method=found.method,
        resampling_unit=unit or found.resampling_unit or "item",
    )


def _deviation_change(found: PairedInference, ideal: float | None) -> float | None:
    if ideal is None or found.value_baseline is None or found.value_candidate is None:
        return None
    return abs(found.value_candidate - ideal) - abs(found.value_baseline - ideal)
