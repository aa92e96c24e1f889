"""From an inference about a sample of item values to an `Estimate`: shared by all families."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.results import Estimate, Interval
from fairaudit.stats.one_estimate import Inference, infer
from fairaudit.vocabulary.cautions import HIGH_TIE_SHARE, SKIPPED_ITEMS
from fairaudit.vocabulary.metrics import Metric as Metric

LEVEL = 0.95
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of an audit an estimate is about.

    Parameters
    ----------
    suite, protocol : str
        What was asked, and how it was scored.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        The group that it is about; None: the whole axis.
    primary : bool
        Whether verdicts rest on it.
    """

    suite: str
    protocol: str
    axis: str
    group: str | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """Item values with their clusters, and how many items did not make it.

    Parameters
    ----------
    values : array of shape [n]
        Numerators: the value is Σ values / Σ weights.
    clusters : sequence of str, length n
        What is resampled together.
    weights : array of shape [n], optional
        Denominators; default 1.
    crossed : sequence of str, length n, optional
        A second cluster label per item.
    n_skipped : int
        Items that have no value.
    n_tied : int
        Items whose scores tie.
    unit : str, optional
        The word for what is resampled, if not item or cluster.
    n : int, optional
        Number of items, where a value stands for several.
    keys : sequence of str, length n, optional
        Names of the values, by which those of two models are paired.
    reach : float, optional
        The most that one value can move, if it is not the width of the metric's range.
    """

    values: ArrayLike
    clusters: Sequence[str]
    weights: ArrayLike | None = None
    crossed: Sequence[str] | None = None
    n_skipped: int = 0
    n_tied: int = 0
    unit: str | None = None
    n: int | None = None
    keys: Sequence[str] | None = None
    reach: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric on one slice of an audit, value by value: what estimate and comparison share.

    Both say something about the same mean (or ratio of sums) of the same values, so an interval
    can never belong to another quantity than the number beside it.

    Parameters
    ----------
    metric : Metric
        What it is.
    where : Slice
        Which part of an audit it is about.
    sample : Sample
        The values.
    """

    metric: Metric
    where: Slice
    sample: Sample


def estimates(measurements: Iterable[Measurement], seed: int) -> list[Estimate]:
    """Estimate each measurement; see `estimate`.

    Parameters
    ----------
    measurements : iterable of Measurement
        What is measured, and its sample.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        One for each measurement, in order.
    """
    return [estimate(one.metric, one.where, one.sample, seed=seed) for one in measurements]


def estimate(metric: Metric, where: Slice, sample: Sample, *, seed: int) -> Estimate:
    """Estimate a mean or ratio with the interval that its design allows.

    See `fairaudit.stats.one_estimate.infer` for the choice of interval.

    Parameters
    ----------
    metric : Metric
        What it is; its unit, range and ideal decide method and test.
    where : Slice
        Which part of an audit it is about.
    sample : Sample
        Values with clusters, weights and what is missing.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    Estimate
        Value, interval, standard error, p-value against the ideal and detectable effect; what
        cannot be said is None, with the reason.
    """
    inference = infer(
        np.asarray(sample.values, dtype=float),
        list(sample.clusters),
        weights=None if sample.weights is None else np.asarray(sample.weights, dtype=float),
        is_rate=metric.is_rate,
        ideal=metric.ideal,
        crossed=None if sample.crossed is None else list(sample.crossed),
        level=LEVEL,
        seed=seed,
        bounds=metric.range,
        reach=sample.reach,
    )
    return from_inference(metric, where, sample, inference)


def from_inference(metric: Metric, where: Slice, sample: Sample, inference: Inference) -> Estimate:
    """Join what is known about metric, slice and sample with an inference."""
    return Estimate(
        **_identity(metric, where),
        value=inference.value,
        interval=_interval(inference, sample.unit),
        se=inference.se,
        df=inference.df,
        n=inference.n if sample.n is None else sample.n,
        n_clusters=inference.n_clusters,
        n_skipped=sample.n_skipped,
        n_tied=sample.n_tied,
        p_value=inference.p_value,
        mde=inference.mde,
        reach=inference.reach,
        cautions=(
            *inference.cautions,
            *sample_cautions(inference.n, sample.n_skipped, sample),
        ),
        reason=in_unit(inference.reason, sample.unit),
    )


def without_interval(
    metric: Metric, where: Slice, sample: Sample, *, value: float | None, reason: str
) -> Estimate:
    """Build an estimate that has no interval, or not even a value, and say why."""
    clusters = len(set(sample.clusters))
    return Estimate(
        **_identity(metric, where),
        value=value,
        n=len(sample.clusters) if sample.n is None else sample.n,
        n_clusters=clusters,
        n_skipped=sample.n_skipped,
        n_tied=sample.n_tied,
        reason=reason,
    )


def _identity(metric: Metric, where: Slice) -> dict[str, object]:
    return {
        "name": metric.name,
        "kind": metric.kind,
        "suite": where.suite,
        "protocol": where.protocol,
        "axis": where.axis,
        "group": where.group,
        "primary": where.primary,
        "ideal": metric.ideal,
        "chance": metric.chance,
        "range": metric.range,
        "direction": metric.direction,
    }


def _interval(inference: Inference, unit: str | None) -> Interval | None:
    if inference.low is None or inference.high is None or inference.method is None:
        return None
    return Interval(
        low=inference.low,
        high=inference.high,
        level=LEVEL,
        method=inference.method,
        resampling_unit=unit or inference.resampling_unit or "item",
    )


def in_unit(reason: str | None, unit: str | None) -> str | None:
    """Say what the clusters are where the metric has a word for them.

    Parameters
    ----------
    reason : str or None
        Why there is no value or interval.
    unit : str or None
        One cluster in words, as ``target term``.

    Returns
    -------
    str or None
        The reason, with the unit in place of *items* and *clusters*.

    Examples
    --------
    >>> in_unit("3 items: fewer than the 10 an interval needs", "target term")
    '3 target terms: fewer than the 10 an interval needs'
    >>> in_unit("all but 1 of 10 items moved equally", "target term")
    'all but 1 of 10 target terms moved equally'
    """
    if reason is None or unit is None:
        return reason
    return re.sub(r"\b(items|clusters)\b", f"{unit}s", reason)


#: Shares above which a reader should be told.
_HIGH_TIE_SHARE = 0.2


def sample_cautions(n: int, n_skipped: int, *samples: Sample) -> tuple[str, ...]:
    """Name what a reader must know about the items of a model, or of two that are compared.

    Parameters
    ----------
    n : int
        Values of the inference, where a sample does not say how many items it has.
    n_skipped : int
        Items that are missing from the number.
    samples : Sample
        That of the model, or those of both.

    Returns
    -------
    tuple of str
        Names of cautions, ``high_tie_share`` and ``skipped_items`` among them.
    """
    n_items = n if samples[0].n is None else samples[0].n
    many_tie = n_items > 0 and max(one.n_tied for one in samples) / n_items > _HIGH_TIE_SHARE
    held = {HIGH_TIE_SHARE: many_tie, SKIPPED_ITEMS: n_skipped > 0}
    return tuple(caution.name for caution, holds in held.items() if holds)
