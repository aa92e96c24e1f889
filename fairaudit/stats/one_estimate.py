"""One estimate of one model: which interval a design allows, and that interval.

The rules, in this order:

- no item, or no weight: no value;
- a rate over independent items: Wilson; Clopper-Pearson with fewer than 10 successes or failures,
  where Wilson's coverage dips;
- fewer than 10 clusters, or so uneven that they weigh as few (`MIN_DF`): the value without an
  interval, caution ``few_clusters``;
- all clusters equal, so that nothing shows how they vary: a rate gets Clopper-Pearson with each
  cluster as one trial. That is exact at 0 and 1, and cautious at any other constant, since no
  quantity within 0-1 varies more than a yes-or-no of the same mean. Other quantities get no
  interval;
- another quantity in which few clusters differ from the rest (`few_apart`): no interval;
- a rate near 0 or 1: Clopper-Pearson with effective counts (Korn and Graubard 1998) and the
  degrees of freedom of `sparse_df`, because there few clusters show how clusters vary;
- two crossed labels: two-way clustering with t, for what is no rate with the degrees of freedom of
  `sparse_df`;
- at least 40 clusters: bootstrap-t;
- 10 to 39: CR2 with t.

What is no rate may have heavy tails or few clusters that lie far out. So its bounds are at least as
far out as those of t (equal-tailed bootstrap-t alone covers 89-92 % with heavy symmetric tails, the
hull of both 94-97 %), and a t-interval is wider on the side to which few clusters lean (`Skewed`):
with a fifth of 20 clusters apart from the rest, plain t says in 8 % of samples at level 5 % that
there are fewer.

Items that are their own clusters follow the same rules, with items for clusters. The p-value
belongs to the test that the interval inverts: it is below 1 − level exactly where the interval
leaves out the ideal.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.stats.clusters import Labels
from fairaudit.stats.inference import (
    Inference,
    Question,
    at_least,
    with_bootstrap_t,
    with_clopper_pearson,
    with_error,
    with_t,
    with_wilson,
    without_interval,
)
from fairaudit.stats.intervals import effective_counts
from fairaudit.stats.sample import Design, Sample, make_sample
from fairaudit.vocabulary.cautions import FEW_CLUSTERS

__all__ = ["Inference", "infer"]

MIN_CLUSTERS: Final = 10
MIN_CLUSTERS_BOOTSTRAP: Final = 40
#: Below 4 the Satterthwaite approximation itself fails (Pustejovsky and Tipton 2018); below 20 the
#: weight sits in too few clusters for resampling them.
MIN_DF: Final = 4.0
MIN_DF_BOOTSTRAP: Final = 20.0
#: With fewer (effective) successes or failures a rate is near the boundary.
NEAR_BOUNDARY: Final = 10.0

#: Name of a t-interval by what is resampled.
T_METHODS: Final[dict[Design, str]] = {
    "item": "t",
    "cluster": "cr2",
    "cluster x template": "two-way",
}

Bounds = tuple[float | None, float | None]


def infer(
    values: ArrayLike,
    clusters: Labels,
    *,
    weights: ArrayLike | None = None,
    is_rate: bool = False,
    ideal: float | None = None,
    crossed: Labels | None = None,
    level: float = 0.95,
    seed: int = 0,
    bounds: Bounds = (None, None),
    reach: float | None = None,
) -> Inference:
    """Estimate θ = Σ values / Σ weights with the interval that the design allows.

    Parameters
    ----------
    values : array of shape [n]
        Numerators: 0, ½ or 1 per item for a rate, any number otherwise.
    clusters : sequence of labels, length n
        What is resampled together; all different if items are independent.
    weights : array of shape [n], optional
        Denominators; default 1, so that θ is the mean. Items with weight 0 do not count.
    is_rate : bool
        Whether θ is a share of successes: 0 ≤ value ≤ weight for every item.
    ideal : float, optional
        Null value of the test.
    crossed : sequence of labels, length n, optional
        A second label that items share across clusters, such as the template.
    level : float
        Confidence level.
    seed : int
        Seed of the bootstrap.
    bounds : pair of float or None
        Range of the quantity, at which intervals are cut; 0-1 for a rate.
    reach : float, optional
        Of what is no rate: the most that the ratio of one cluster can lie away from θ. Default:
        the width of ``bounds``, 1 where all ratios lie within 0-1, otherwise the largest distance
        that was seen, which is no bound but the best at hand.

    Returns
    -------
    Inference
        Value, interval, standard error and p-value of ``ideal``; what the design does not allow is
        None, with the reason.

    Raises
    ------
    ValueError
        If a value is NaN or infinite (a missing item must be left out, and counted, before), if an
        item of weight 0 has a value, or if a rate lies outside 0-1.

    Examples
    --------
    >>> found = infer([1, 1, 0, 1] * 5, range(20), is_rate=True, ideal=0.5)
    >>> found.value, found.method
    (0.75, 'clopper-pearson')
    """
    sample = make_sample(values, weights, clusters, crossed)
    if sample.n == 0:
        reason = "no item has weight: 0/0" if np.size(values) else "no item was scored"
        return Inference(None, 0, 0, reason=reason)
    if is_rate and ((sample.values < 0) | (sample.values > sample.weights)).any():
        raise ValueError("a rate needs 0 <= value <= weight for every item")
    question = Question(ideal, level, seed)
    found = Inference(sample.value, sample.n, sample.n_clusters, resampling_unit=sample.design)
    if is_rate and sample.design == "item" and (sample.weights == 1).all():
        return _independent_rate(found, float(sample.values.sum()), question)
    if not is_rate:
        found = replace(found, reach=_reach(sample, bounds) if reach is None else reach)
    found = _clustered(found, sample, question, is_rate=is_rate)
    return _cut(found, (0.0, 1.0) if is_rate else bounds)


def _reach(sample: Sample, bounds: Bounds) -> float:
    low, high = bounds
    if low is not None and high is not None:
        return high - low
    if ((sample.values >= 0) & (sample.values <= sample.weights)).all():
        return 1.0
    return max(float(np.abs(y / w - sample.value).max()) for y, w in sample.totals)


def _independent_rate(found: Inference, successes: float, question: Question) -> Inference:
    assert found.value is not None
    if 0 < found.value < 1:
        se = (found.value * (1 - found.value) / found.n) ** 0.5
        found = with_error(found, se, None, question, is_rate=True)
    if _near_boundary(successes, found.n):
        return with_clopper_pearson(found, successes, found.n, question)
    return with_wilson(found, successes, question)


def _clustered(found: Inference, sample: Sample, question: Question, *, is_rate: bool) -> Inference:
    units = f"{sample.n_clusters} {'items' if sample.design == 'item' else 'clusters'}"
    if sample.n_clusters < MIN_CLUSTERS:
        reason = f"{units}: fewer than the {MIN_CLUSTERS} an interval needs"
        return without_interval(found, reason, FEW_CLUSTERS.name)
    se, df = sample.standard_error()
    if df < MIN_DF:
        reason = f"{units} of very uneven size: they weigh as little as {df + 1:.1f} equal ones"
        return without_interval(found, reason, FEW_CLUSTERS.name)
    if se == 0:
        return _all_equal(found, units, question, is_rate=is_rate)
    if not is_rate and (apart := sample.few_apart()) is not None:
        return without_interval(found, f"all but {apart} of {units} have the same value")
    found = with_error(found, se, df, question, is_rate=is_rate)
    return (_clustered_rate if is_rate else _clustered_mean)(found, sample, df, question)


def _clustered_rate(found: Inference, sample: Sample, df: float, question: Question) -> Inference:
    assert found.se is not None
    few, n = sample.sparse_df(df), float(sample.weights.sum())
    successes, trials = effective_counts(sample.value, found.se, few, n, question.level)
    if _near_boundary(successes, trials):
        found = with_error(found, found.se, few, question, is_rate=True)
        return with_clopper_pearson(found, successes, trials, question)
    if _resamples(sample, df):
        return with_bootstrap_t(found, *sample.totals[0], question)
    return with_t(found, question, T_METHODS[sample.design])


def _clustered_mean(found: Inference, sample: Sample, df: float, question: Question) -> Inference:
    assert found.se is not None
    if sample.crossed is not None:
        found = with_error(found, found.se, sample.sparse_df(df), question, is_rate=False)
    student = with_t(found, question, T_METHODS[sample.design], sample.skews())
    if not _resamples(sample, df):
        return student
    return at_least(with_bootstrap_t(found, *sample.totals[0], question), student)


def _resamples(sample: Sample, df: float) -> bool:
    """Whether clusters are enough for the bootstrap, and do not cross."""
    many = sample.n_clusters >= MIN_CLUSTERS_BOOTSTRAP and df >= MIN_DF_BOOTSTRAP
    return many and sample.crossed is None


def _all_equal(found: Inference, units: str, question: Question, *, is_rate: bool) -> Inference:
    if not is_rate:
        return without_interval(found, f"all {units} have the same value: nothing shows its spread")
    assert found.value is not None
    # Rounding of the ratio must not push the count outside 0-n.
    successes = min(found.value, 1.0) * found.n_clusters
    return with_clopper_pearson(found, successes, found.n_clusters, question)


def _near_boundary(successes: float, trials: float) -> bool:
    return min(successes, trials - successes) < NEAR_BOUNDARY


def _cut(found: Inference, bounds: Bounds) -> Inference:
    """Cut the interval at the range of the quantity."""
    if found.low is None or found.high is None:
        return found
    low, high = bounds
    return replace(
        found,
        low=found.low if low is None else max(low, found.low),
        high=found.high if high is None else min(high, found.high),
    )
