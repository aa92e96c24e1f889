"""What can be said about one value, and the methods that say it.

Every method takes what was found so far and returns it completed with an interval and the p-value
of the test which that interval inverts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from fairaudit.stats import intervals
from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.clusters import Array
from fairaudit.stats.evidence import Skewed, two_sided
from fairaudit.stats.power import minimum_detectable_effect


@dataclass(frozen=True, slots=True)
class Inference:
    """What can be said about one value; ``reason`` explains a missing value or interval.

    Parameters
    ----------
    value : float or None
        The estimate.
    n, n_clusters : int
        Items and clusters that entered it; in a two-way design the smaller number of labels.
    se, df : float or None
        Standard error and degrees of freedom (None: normal). ``se`` is None rather than 0 where
        nothing varied.
    low, high : float or None
        Interval.
    method : str or None
        ``wilson``, ``clopper-pearson``, ``bootstrap-t``, ``cr2``, ``t`` or ``two-way``; with
        ``log-`` in front where it is one of the logarithm.
    resampling_unit : str or None
        What counts as independent: ``item``, ``cluster`` or ``cluster x template``.
    reach : float or None
        The most that one cluster can lie away from the value, of what is no rate: what no cluster
        has shown may lie that far out (`fairaudit.stats.unseen`).
    p_value : float or None
        Two-sided test of value = ideal.
    mde : float or None
        Distance from the ideal that a test at 1 − level finds with 80 % power. For a rate the
        standard error is the one at the ideal, with the design effect that was observed.
    cautions : tuple of str
        ``few_clusters`` where that is why there is no interval.
    reason : str or None
        Why value or interval is missing.
    """

    value: float | None
    n: int
    n_clusters: int
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    method: str | None = None
    resampling_unit: str | None = None
    reach: float | None = None
    p_value: float | None = None
    mde: float | None = None
    cautions: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a sample: the null value, the confidence level, the seed."""

    ideal: float | None
    level: float
    seed: int


def with_wilson(found: Inference, successes: float, question: Question) -> Inference:
    """Wilson interval of ``successes`` among ``found.n`` independent items."""
    low, high = intervals.wilson(successes, found.n, question.level)
    p_value = None
    if question.ideal is not None:
        p_value = intervals.score_test(successes, found.n, question.ideal)
    return replace(found, low=low, high=high, p_value=p_value, method="wilson")


def with_clopper_pearson(
    found: Inference, successes: float, trials: float, question: Question
) -> Inference:
    """Clopper-Pearson interval from actual or effective counts."""
    low, high = intervals.clopper_pearson(successes, trials, question.level)
    p_value = None
    if question.ideal is not None:
        p_value = intervals.exact_test(successes, trials, question.ideal)
    return replace(found, low=low, high=high, p_value=p_value, method="clopper-pearson")


def with_t(
    found: Inference, question: Question, method: str, skews: tuple[float, float] = (0.0, 0.0)
) -> Inference:
    """Student interval from the standard error and degrees of freedom found.

    With ``skews`` (of what is no rate) each side is wider where few clusters lie far out there; see
    `fairaudit.stats.evidence.Skewed`.
    """
    assert found.value is not None
    assert found.se is not None
    evidence = Skewed(found.value, found.se, found.df, *skews)
    alpha = (1 - question.level) / 2
    return replace(
        found,
        low=evidence.lower(alpha),
        high=evidence.upper(alpha),
        p_value=None if question.ideal is None else two_sided(evidence, question.ideal),
        method=method,
    )


def with_bootstrap_t(found: Inference, y: Array, w: Array, question: Question) -> Inference:
    """Bootstrap-t interval, unless so few clusters differ that the replicates do not limit it."""
    drawn = bootstrap_t(y, w, seed=question.seed)
    low, high = (float(bound[0]) for bound in drawn.interval(question.level))
    if not (math.isfinite(low) and math.isfinite(high)):
        return without_interval(
            found, f"all but a few of the {found.n_clusters} clusters have the same value"
        )
    p_value = None if question.ideal is None else float(drawn.p_value(question.ideal)[0])
    return replace(found, low=low, high=high, p_value=p_value, method="bootstrap-t")


def at_least(found: Inference, other: Inference) -> Inference:
    """Widen an interval, if there is one, to hold another too; the p-value is the larger."""
    if found.low is None or found.high is None:
        return found
    assert other.low is not None
    assert other.high is not None
    p_values = [p for p in (found.p_value, other.p_value) if p is not None]
    return replace(
        found,
        low=min(found.low, other.low),
        high=max(found.high, other.high),
        p_value=max(p_values, default=None),
    )


def exponentiated(found: Inference) -> Inference:
    """From the log of a quantity to itself: bounds as they are, standard error by the delta method.

    A method on the log scale is named ``log-`` and its own name, which is how
    `fairaudit.stats.evidence.evidence_of` knows where its bounds are made. Distances on the log
    scale, such as ``mde``, are none of the quantity.

    Parameters
    ----------
    found : Inference
        About the log of a quantity; it has a value.

    Returns
    -------
    Inference
        About the quantity itself: above 0, without a detectable effect.
    """
    assert found.value is not None
    value = math.exp(found.value)
    return replace(
        found,
        value=value,
        se=None if found.se is None else value * found.se,
        reach=None if found.reach is None else value * found.reach,
        low=None if found.low is None else math.exp(found.low),
        high=None if found.high is None else math.exp(found.high),
        method=None if found.method is None else f"log-{found.method}",
        mde=None,
    )


def without_interval(found: Inference, reason: str, *cautions: str) -> Inference:
    """Keep the value alone: a standard error without an interval would be used as if it held."""
    return Inference(found.value, found.n, found.n_clusters, cautions=cautions, reason=reason)


def with_error(
    found: Inference, se: float, df: float | None, question: Question, *, is_rate: bool
) -> Inference:
    """Add a standard error and the effect that the design can find."""
    assert found.value is not None
    at_ideal = se
    if is_rate and question.ideal is not None and 0 < question.ideal < 1:
        # The power of a test of p = ideal is decided near the ideal, not at the value found, and a
        # rate varies most at 1/2: at a value near 0 the plug-in error would promise too much.
        at_ideal *= math.sqrt(_binary_variance(question.ideal) / _binary_variance(found.value))
    mde = minimum_detectable_effect(at_ideal, df, alpha=1 - question.level)
    return replace(found, se=se, df=df, mde=mde)


def _binary_variance(p: float) -> float:
    return p * (1 - p)
