"""How groups of prompts differ in the mean of a value.

Difference
    Mean over the other groups (of their means) minus the mean of the axis's *reference group*
    (`fairaudit.results.reference`): male, white, Christian, ... It is fixed before any data, so it
    can be compared between models; with two groups it is the plain difference, as in Table 1
    of Srivastava et al. 2024 (female − male). With more groups opposite moves cancel in it.
Ratio
    The same two means, divided. Ideal 1. Interval on the log scale.
Largest gap
    Largest mean minus smallest mean over all groups, at least 0, with an interval that accounts for
    the search (`fairaudit.stats.largest_gap`). Which two groups it is may differ between models.
Largest change
    Of two models only: the largest change of any group against the reference group, or against the
    mean of the other groups where there is none (`fairaudit.stats.group_changes`).

Verdicts rest on the difference where it is plain, of two groups with a reference; otherwise on the
largest gap, and between models on the largest change beside it.

Differences and ratios are no means of prompts. They are put as values whose mean they are
(`fairaudit.metrics.influence_values`), so that two models are compared prompt by prompt.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.prompts import Array, Prompts
from fairaudit.metrics.sample_estimates import (
    LEVEL,
    Measurement,
    Metric,
    Slice,
    from_inference,
    without_interval,
)
from fairaudit.results import Estimate
from fairaudit.results.reference import reference_of
from fairaudit.stats.inference import exponentiated
from fairaudit.stats.largest_gap import simultaneous_gaps
from fairaudit.stats.one_estimate import MIN_CLUSTERS, MIN_CLUSTERS_BOOTSTRAP, Inference, infer
from fairaudit.vocabulary.cautions import FEW_CLUSTERS


def reference_group(prompts: Prompts) -> str | None:
    """Return the reference group of an axis; None where it has none, or no prompt of it.

    Parameters
    ----------
    prompts : Prompts
        Values of the prompts of one axis.

    Returns
    -------
    str or None
        The group that the others are held against, fixed before any data.
    """
    return reference_of(prompts.axis, prompts.groups)


def is_plain(prompts: Prompts) -> bool:
    """Whether an axis has two groups, one of them the reference: one difference says all.

    Parameters
    ----------
    prompts : Prompts
        Values of the prompts of one axis.

    Returns
    -------
    bool
        True where the largest gap would only repeat the difference.
    """
    return len(prompts.groups) == 2 and reference_group(prompts) is not None


def level_measurements(metric: Metric, prompts: Prompts) -> Iterator[Measurement]:
    """Mean of each group."""
    for group in prompts.groups:
        where = Slice(prompts.suite, prompts.protocol, prompts.axis, group)
        yield Measurement(metric, where, prompts.sample_of(group))


def overall_measurement(metric: Metric, prompts: Prompts) -> Measurement:
    """Mean of all prompts."""
    where = Slice(prompts.suite, prompts.protocol, prompts.axis)
    return Measurement(metric, where, prompts.sample())


def difference_measurements(
    metric: Metric, prompts: Prompts, *, primary: bool = False
) -> Iterator[Measurement]:
    """Difference from the reference group, where every group has enough clusters for one.

    With ``primary``, verdicts rest on the axis, and on this number where it `is_plain`.
    """
    reference = reference_group(prompts)
    if reference is not None and too_few(prompts) is None:
        where = _where(prompts, primary=primary and is_plain(prompts))
        assert metric.width is not None
        # A prompt has half the range of a difference of two.
        reach = metric.width / 2 * _reach(prompts, _signs(group_means(prompts), reference))
        sample = prompts.sample(difference_values(prompts, reference), reach)
        yield Measurement(metric, where, sample)


def difference_without_interval(
    metric: Metric, prompts: Prompts, *, primary: bool = False
) -> Iterator[Estimate]:
    """Return the bare difference, where a group has too few clusters for an interval."""
    reference, reason = reference_group(prompts), too_few(prompts)
    if reference is not None and len(prompts.groups) > 1 and reason is not None:
        where = _where(prompts, primary=primary and is_plain(prompts))
        means = group_means(prompts)
        value = float(means.drop(reference).mean() - means[reference])
        found = without_interval(metric, where, prompts.sample(), value=value, reason=reason)
        yield found.model_copy(update={"cautions": (*found.cautions, FEW_CLUSTERS.name)})


def ratio_measurements(metric: Metric, prompts: Prompts) -> Iterator[Measurement]:
    """Ratio to the reference group, where it exists and no mean is 0."""
    reference = reference_group(prompts)
    if reference is not None and too_few(prompts) is None and _no_ratio(prompts, reference) is None:
        where = Slice(prompts.suite, prompts.protocol, prompts.axis)
        log_ratio = log_ratio_values(prompts, reference)
        ratio = math.exp(float(log_ratio.mean()))
        values = ratio * (1 + log_ratio - log_ratio.mean())
        reach = ratio * _reach(prompts, _log_signs(group_means(prompts), reference))
        yield Measurement(metric, where, prompts.sample(values, reach))


def ratio_estimates(metric: Metric, prompts: Prompts, seed: int) -> Iterator[Estimate]:
    """Ratio to the reference group with an interval made on the log scale."""
    reference = reference_group(prompts)
    if reference is None or len(prompts.groups) < 2:
        return
    where, sample = Slice(prompts.suite, prompts.protocol, prompts.axis), prompts.sample()
    reason = _no_ratio(prompts, reference)
    if reason is not None:
        yield without_interval(metric, where, sample, value=None, reason=reason)
        return
    values = log_ratio_values(prompts, reference)
    reach = _reach(prompts, _log_signs(group_means(prompts), reference))
    if (few := too_few(prompts)) is not None:
        value = math.exp(float(values.mean()))
        yield without_interval(metric, where, sample, value=value, reason=few)
        return
    clusters = list(sample.clusters)
    found = infer(values, clusters, ideal=0.0, level=LEVEL, seed=seed, reach=reach)
    yield from_inference(metric, where, sample, exponentiated(found))


def largest_gap_estimates(
    metric: Metric, prompts: Prompts, seed: int, *, primary: bool = False
) -> Iterator[Estimate]:
    """Largest gap over groups; not where it is the difference of two groups already given."""
    if len(prompts.groups) > 1 and not is_plain(prompts):
        found = largest_gap(prompts, level=LEVEL, seed=seed)
        yield from_inference(metric, _where(prompts, primary=primary), prompts.sample(), found)


def largest_gap(prompts: Prompts, *, level: float, seed: int) -> Inference:
    """Largest minus smallest mean of two or more groups, with an interval by max-T.

    Parameters
    ----------
    prompts : Prompts
        Values of the prompts of one axis, two groups or more.
    level : float
        Confidence level, 0-1.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Inference
        max − min of the group means, at least 0, in their unit; without an interval, and with the
        reason, where there are too few clusters or a group does not vary.

    References
    ----------
    Westfall, P. H., Young, S. S. (1993). Resampling-based multiple testing. Wiley.
    """
    y, w = _cluster_sums(prompts)
    theta = y.sum(axis=0) / w.sum(axis=0)
    found = Inference(float(theta.max() - theta.min()), n=len(prompts.table), n_clusters=len(y))
    if (few := too_few_together(prompts)) is not None:
        return replace(found, cautions=(FEW_CLUSTERS.name,), reason=few)
    if not _all_vary(y - theta * w):
        reason = "a group has the same value throughout: nothing shows its spread"
        return replace(found, reason=reason)
    gaps = simultaneous_gaps(y, w, level=level, seed=seed)
    p_value = float(np.nanmin(gaps.p_adjusted))
    return replace(found, low=gaps.gap_low, high=gaps.gap_high, method="max-t", p_value=p_value)


def group_means(prompts: Prompts) -> pd.Series[float]:
    """Mean of each group, by group."""
    return prompts.table.groupby("group", sort=True)["value"].mean()


def too_few(prompts: Prompts) -> str | None:
    """Say which group has too few clusters for an interval of a difference, if any.

    Parameters
    ----------
    prompts : Prompts
        Values of the prompts of one axis.

    Returns
    -------
    str or None
        The reason in words; None where each group has at least 10 clusters.
    """
    if len(prompts.groups) < 2:
        return "a single group: there is nothing to compare it with"
    counts = {group: prompts.n_clusters(group) for group in prompts.groups}
    smallest = min(counts, key=lambda group: counts[group])
    if counts[smallest] >= MIN_CLUSTERS:
        return None
    return (
        f"{counts[smallest]} {prompts.unit}s of group '{smallest}': fewer than the {MIN_CLUSTERS} "
        "an interval needs"
    )


def too_few_together(prompts: Prompts) -> str | None:
    """Say why there are too few clusters for intervals of all groups at once, if so.

    Parameters
    ----------
    prompts : Prompts
        Values of the prompts of one axis.

    Returns
    -------
    str or None
        The reason in words; None where there are at least 40 clusters, 10 of each group.
    """
    found = too_few(prompts)
    total = prompts.table["cluster"].nunique()
    if found is None and total < MIN_CLUSTERS_BOOTSTRAP:
        needed = f"the {MIN_CLUSTERS_BOOTSTRAP} that simultaneous intervals need"
        found = f"{total} {prompts.unit}s: fewer than {needed}"
    return found


def difference_values(prompts: Prompts, reference: str) -> Array:
    """Values whose mean is the difference from the reference group, shape [prompts].

    With m_g the mean of the n_g prompts of group g, N prompts and K groups, and s_g = −1 for the
    reference, 1/(K − 1) for the others: value_i = Σ_g s_g m_g + s_g N/n_g (x_i − m_g) for a prompt
    of group g. The second term is the influence of prompt i; it sums to 0 in every group.
    """
    means = group_means(prompts)
    difference = float(means.drop(reference).mean() - means[reference])
    return difference + _influence(prompts, _signs(means, reference))


def log_ratio_values(prompts: Prompts, reference: str) -> Array:
    """Values whose mean is log(mean of the other groups' means / mean of the reference group)."""
    means = group_means(prompts)
    others = float(means.drop(reference).mean())
    log_ratio = math.log(others / means[reference])
    return log_ratio + _influence(prompts, _log_signs(means, reference))


def _where(prompts: Prompts, *, primary: bool = False) -> Slice:
    return Slice(prompts.suite, prompts.protocol, prompts.axis, primary=primary)


def _signs(means: pd.Series[float], reference: str) -> pd.Series[float]:
    signs = pd.Series(1 / (len(means) - 1), index=means.index)
    signs[reference] = -1.0
    return signs


def _log_signs(means: pd.Series[float], reference: str) -> pd.Series[float]:
    signs = _signs(means, reference) / float(means.drop(reference).mean())
    signs[reference] = -1 / means[reference]
    return signs


def _reach(prompts: Prompts, signs: pd.Series[float]) -> float:
    """Return the most that a value moves where its prompt's moves by 1: in the smallest group."""
    share = len(prompts.table) / prompts.table.groupby("group", sort=True)["value"].size()
    return float((signs.abs() * share).max())


def _influence(prompts: Prompts, signs: pd.Series[float]) -> Array:
    by_group = prompts.table.groupby("group")["value"]
    centred = prompts.table["value"] - by_group.transform("mean")
    share = len(prompts.table) / by_group.transform("size")
    sign = prompts.table["group"].map(signs).astype(float)
    return np.asarray(sign * share * centred, dtype=float)


def _no_ratio(prompts: Prompts, reference: str) -> str | None:
    means = group_means(prompts)
    if means[reference] > 0 and means.drop(reference).mean() > 0:
        return None
    return "a mean is 0: there is no ratio"


def _cluster_sums(prompts: Prompts) -> tuple[Array, Array]:
    """Sum of values and number of prompts by cluster and group, shape [clusters, groups]."""
    by = prompts.table.groupby(["cluster", "group"], sort=True)["value"]
    y, w = (part.unstack(fill_value=0).to_numpy(dtype=float) for part in (by.sum(), by.size()))
    return y, w


def _all_vary(residuals: NDArray[np.float64]) -> bool:
    return bool((np.abs(residuals).max(axis=0) > 1e-12).all())
