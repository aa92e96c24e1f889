"""The difference of two models on the same items: which interval and test a design allows.

The statement is about these two checkpoints: items are what could have been others. The rules, in
this order:

- no item, or no weight in one of the models: no value;
- a rate over independent items: Tango's score interval; McNemar's test with mid-p, ties flipped
  as half steps (`mcnemar`);
- fewer than 10 clusters, or so uneven that they weigh as few: the difference without an interval,
  caution ``few_clusters``;
- all clusters moved equally, so that nothing shows how they vary: a rate gets Tango with each
  cluster as one pair; other quantities get no interval, nor do they where few clusters did not
  (`few_apart`);
- a rate with fewer than 10 (effective) discordant pairs: Tango with effective pairs
  (`effective_pairs`) and Student's quantile, its degrees of freedom by the sizes of the clusters;
- two crossed labels: two-way clustering with t, for what is no rate with the degrees of freedom of
  `sparse_df`;
- at least 40 clusters: bootstrap-t, for what is no rate with bounds at least as far out as those of
  t, as for one estimate; 10 to 39: CR2 with t.

A t-interval of what is no rate is wider on the side to which few clusters lean (`Skewed`), and
claims that its difference is small allow for units unlike all that were seen (`reach`).

Items that are their own clusters follow the same rules, with items for clusters. A rate's standard
error is at least that of `agresti_min_se` at the effective number of pairs, and its interval is
widened in the same proportion: clusters that agree by chance must not promise more than as many
independent pairs could. Duplicates inside clusters leave both unchanged.

Clustered differences are tested by exchanging the models cluster by cluster (`sign_flip`), which
holds its level where the models do not differ, whatever the sizes; two crossed labels allow no
such exchange and get t, and quantities of independent items the test that their interval inverts.
Interval and sign-flip test may disagree at the border, so `decide` asks both.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fairaudit.stats.agresti_min import agresti_min_se, effective_pairs
from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.clusters import Labels
from fairaudit.stats.evidence import Skewed, two_sided
from fairaudit.stats.mcnemar import mcnemar
from fairaudit.stats.one_estimate import (
    MIN_CLUSTERS,
    MIN_CLUSTERS_BOOTSTRAP,
    MIN_DF,
    MIN_DF_BOOTSTRAP,
    NEAR_BOUNDARY,
    T_METHODS,
)
from fairaudit.stats.paired_inference import PairedInference
from fairaudit.stats.paired_sample import Answers, Pairs, make_answers, make_pairs
from fairaudit.stats.permutation import sign_flip
from fairaudit.stats.power import minimum_detectable_effect
from fairaudit.vocabulary.cautions import FEW_CLUSTERS

__all__ = ["PairedInference", "infer_paired"]

_STEPS: Final = (1.0, -1.0, 0.5, -0.5)


def infer_paired(
    baseline: ArrayLike,
    candidate: ArrayLike,
    clusters: Labels,
    *,
    weights_baseline: ArrayLike | None = None,
    weights_candidate: ArrayLike | None = None,
    is_rate: bool = False,
    crossed: Labels | None = None,
    reach: float | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> PairedInference:
    """Difference θ_candidate − θ_baseline of two models on the same items.

    Parameters
    ----------
    baseline, candidate : array of shape [n]
        Numerators of each model, items in the same order: 0, ½ or 1 for a rate.
    clusters : sequence of labels, length n
        What is resampled together; all different if items are independent.
    weights_baseline, weights_candidate : array of shape [n], optional
        Denominators; default 1. An item without weight in both models does not count.
    is_rate : bool
        Whether each θ is a share: 0 ≤ value ≤ weight for every item.
    crossed : sequence of labels, length n, optional
        A second label that items share across clusters, such as the template.
    reach : float, optional
        Of what is no rate: the most that the ratio of one unit can move from model to model, such
        as 1 for a probability. Default: 1 where all ratios lie within 0-1; otherwise the largest
        move of a unit that was seen, which is no bound but the best at hand.
    level : float
        Confidence level.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    PairedInference
        Swapping the models mirrors it; the order of the items changes no digit.

    Raises
    ------
    ValueError
        If a value is NaN or infinite, if an item of weight 0 has a value, or if a rate lies outside
        0-1.
    """
    answers = make_answers(
        baseline, candidate, clusters, weights_baseline, weights_candidate, crossed
    )
    if not (answers.w.sum(axis=0) > 0).all():
        return PairedInference.missing(_reason(np.size(baseline)))
    if is_rate and ((answers.y < 0) | (answers.y > answers.w)).any():
        raise ValueError("a rate needs 0 <= value <= weight for every item")
    pairs = make_pairs(answers)
    found = _found(pairs, level, is_rate=is_rate)
    if not is_rate:
        found = replace(found, reach=_reach(answers, pairs) if reach is None else reach)
    if is_rate and pairs.plain and pairs.sample.design == "item":
        return _independent_rates(found, pairs, seed)
    return _clustered(found, pairs, seed, is_rate=is_rate)


def _reason(n_items: int) -> str:
    return "no item has weight in both models: 0/0" if n_items else "no item is common to both"


def _found(pairs: Pairs, level: float, *, is_rate: bool) -> PairedInference:
    return PairedInference(
        value_baseline=pairs.value_baseline,
        value_candidate=pairs.value_candidate,
        difference=pairs.difference,
        n=pairs.sample.n,
        n_clusters=pairs.sample.n_clusters,
        n_discordant=pairs.n_discordant if is_rate else None,
        mean_square=pairs.mean_square,
        level=level,
        resampling_unit=pairs.sample.design,
    )


def _reach(answers: Answers, pairs: Pairs) -> float:
    if ((answers.y >= 0) & (answers.y <= answers.w)).all():
        return 1.0
    return max(float(np.abs(x / v).max()) for x, v in pairs.sample.totals)


def _independent_rates(found: PairedInference, pairs: Pairs, seed: int) -> PairedInference:
    steps = [int(np.count_nonzero(pairs.exchanges == step)) for step in _STEPS]
    if sum(steps) == found.n_discordant:
        p_value = mcnemar(*steps)
    else:
        # Shares such as 3 of 25 texts: no lattice to count on.
        p_value = sign_flip(pairs.exchanges, seed=seed)
    return _with_tango(found, found.n, None, p_value)


def _clustered(
    found: PairedInference, pairs: Pairs, seed: int, *, is_rate: bool
) -> PairedInference:
    units = f"{found.n_clusters} {'items' if pairs.sample.design == 'item' else 'clusters'}"
    if found.n_clusters < MIN_CLUSTERS:
        reason = f"{units}: fewer than the {MIN_CLUSTERS} an interval needs"
        return _without_interval(found, reason, FEW_CLUSTERS.name)
    se, df = pairs.sample.standard_error()
    if df < MIN_DF:
        reason = f"{units} of very uneven size: they weigh as little as {df + 1:.1f} equal ones"
        return _without_interval(found, reason, FEW_CLUSTERS.name)
    if is_rate:
        return _clustered_rates(found, pairs, se, df, seed)
    if se == 0:
        return _without_interval(found, f"all {units} moved equally: nothing shows their spread")
    if (apart := pairs.sample.few_apart()) is not None:
        return _without_interval(found, f"all but {apart} of {units} moved equally")
    if pairs.sample.crossed is not None:
        df = pairs.sample.sparse_df(df)
    return _with_error(found, pairs, se, df, seed)


def _clustered_rates(
    found: PairedInference, pairs: Pairs, se: float, df: float, seed: int
) -> PairedInference:
    if se == 0:
        return _with_tango(found, found.n_clusters, None, _exchange(pairs, seed))
    n = effective_pairs(pairs.difference, pairs.mean_square, se, pairs.independent_pairs)
    if n * found.square < NEAR_BOUNDARY:
        return _with_tango(found, n, df, _exchange(pairs, seed))
    floor = agresti_min_se(pairs.difference, found.square, n)
    return _with_error(found, pairs, se, df, seed, widen=max(1.0, floor / se))


def _exchange(pairs: Pairs, seed: int) -> float | None:
    """P-value of exchanging the models cluster by cluster; None where clusters cross."""
    if pairs.sample.crossed is not None:
        return None
    sums = np.bincount(pairs.sample.clusters, weights=pairs.exchanges).astype(np.float64)
    return sign_flip(sums, seed=seed)


def _with_tango(
    found: PairedInference, n: float, df: float | None, p_value: float | None
) -> PairedInference:
    """Interval of Tango from ``n`` pairs, through the evidence that a stored result gives."""
    assert found.difference is not None
    se = agresti_min_se(found.difference, found.square, n)
    made = replace(found, se=se, df=df, low=-1.0, high=1.0, method="tango", mde=_mde(found, se, df))
    evidence = made.evidence()
    assert evidence is not None
    alpha = (1 - found.level) / 2
    return replace(
        made,
        low=evidence.lower(alpha),
        high=evidence.upper(alpha),
        p_value=two_sided(evidence) if p_value is None else p_value,
    )


def _with_error(
    found: PairedInference, pairs: Pairs, se: float, df: float, seed: int, *, widen: float = 1.0
) -> PairedInference:
    """Interval from a standard error: bootstrap-t, CR2 or two-way."""
    sample = pairs.sample
    made = replace(found, se=se * widen, df=df, mde=_mde(found, se * widen, df))
    many = found.n_clusters >= MIN_CLUSTERS_BOOTSTRAP and df >= MIN_DF_BOOTSTRAP
    if many and sample.crossed is None:
        resampled = _with_bootstrap_t(made, pairs, seed, widen)
        # A rate whose replicates set no limit still has its floor.
        if resampled.low is not None or found.n_discordant is None:
            return resampled
    low, high, p_value = _student(made, pairs)
    if _exchangeable(found) and (exchanged := _exchange(pairs, seed)) is not None:
        p_value = exchanged
    return replace(made, low=low, high=high, p_value=p_value, method=T_METHODS[sample.design])


def _student(found: PairedInference, pairs: Pairs) -> tuple[float, float, float]:
    """Bounds and test by t; of what is no rate with the skew of few clusters that lie far out."""
    assert found.difference is not None
    assert found.se is not None
    skews = pairs.sample.skews() if found.n_discordant is None else (0.0, 0.0)
    evidence = Skewed(found.difference, found.se, found.df, *skews)
    alpha = (1 - found.level) / 2
    return evidence.lower(alpha), evidence.upper(alpha), two_sided(evidence)


def _with_bootstrap_t(
    found: PairedInference, pairs: Pairs, seed: int, widen: float
) -> PairedInference:
    assert found.difference is not None
    drawn = bootstrap_t(*pairs.sample.totals[0], seed=seed)
    low, high = (float(bound[0]) for bound in drawn.interval(found.level))
    if not np.isfinite([low, high]).all():
        reason = f"all but a few of the {found.n_clusters} clusters moved equally"
        return _without_interval(found, reason)
    p_value = float(drawn.p_value(0.0)[0])
    low = found.difference - widen * (found.difference - low)
    high = found.difference + widen * (high - found.difference)
    if found.n_discordant is None:
        student = _student(found, pairs)
        low, high, p_value = min(low, student[0]), max(high, student[1]), max(p_value, student[2])
    if _exchangeable(found):
        exchanged = _exchange(pairs, seed)
        assert exchanged is not None
        p_value = exchanged
    return replace(found, low=low, high=high, p_value=p_value, method="bootstrap-t")


def _exchangeable(found: PairedInference) -> bool:
    """Whether exchanging the models is the test: for rates, and for whatever is clustered."""
    return found.n_discordant is not None or found.resampling_unit != "item"


def _without_interval(found: PairedInference, reason: str, *cautions: str) -> PairedInference:
    """Keep the values alone: a standard error without an interval would be used as if it held."""
    return replace(
        found, se=None, df=None, mde=None, resampling_unit=None, cautions=cautions, reason=reason
    )


def _mde(found: PairedInference, se: float, df: float | None) -> float:
    return minimum_detectable_effect(se, df, alpha=1 - found.level)
