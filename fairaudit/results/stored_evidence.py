"""Evidence behind the numbers of a result file: bounds at any level, without the items.

Gate and comparison ask the same stored number for bounds at levels of their own; both come here,
so that they can never hear different answers.
"""

from __future__ import annotations

import math
from typing import Final

from fairaudit.results.comparison import Comparison
from fairaudit.results.types import Estimate, Interval
from fairaudit.stats.evidence import LOG, Evidence, Student, evidence_of
from fairaudit.stats.simultaneous import EachOf, LargestOf, Tabulated
from fairaudit.stats.unseen import limiting, reaching

#: Methods whose interval follows from counts.
_FROM_COUNTS: Final = frozenset({"wilson", "tango", "clopper-pearson"})


def estimate_evidence(estimate: Estimate) -> Evidence | None:
    """Evidence about an estimate's value.

    Returns
    -------
    Evidence or None
        None where the estimate has no interval (``estimate.reason`` says why), or one that ends at
        the value, so that nothing is known about the other side.
    """
    interval = estimate.interval
    if interval is not None and estimate.on_log_scale and not interval.method.startswith(LOG):
        # Not value ± t·se: each side keeps its own width.
        interval = interval.model_copy(update={"method": "other"})
    return _evidence(
        estimate.value,
        interval,
        estimate.se,
        estimate.df,
        estimate.n,
        estimate.n_clusters,
        reach=estimate.reach,
    )


def comparison_evidence(comparison: Comparison) -> Evidence | None:
    """Evidence about a difference, signed as it is stored: above 0 is more stereotyped."""
    if comparison.group_changes:
        parts = _changes(comparison)
        return LargestOf(parts, comparison.searched or len(parts)) if parts else None
    if comparison.bounds:
        alphas, lows, highs = zip(
            *((one.alpha, one.low, one.high) for one in comparison.bounds), strict=True
        )
        return Tabulated(alphas, lows, highs)
    return _evidence(
        comparison.difference,
        comparison.interval,
        comparison.se,
        comparison.df,
        comparison.n,
        comparison.n_clusters,
        comparison.mean_square,
        comparison.reach,
    )


def bounds_of(comparison: Comparison, *, unseen: bool) -> tuple[float, float] | None:
    """Bounds of a difference, each holding with probability 1 − ``alpha`` of the comparison.

    Parameters
    ----------
    comparison : Comparison
    unseen : bool
        Allow for clusters unlike all that were seen, as margins and gates do.

    Returns
    -------
    tuple of float or None
        Lower and upper; None where nothing bounds the difference.
    """
    evidence = comparison_evidence(comparison)
    if comparison.interval is None or evidence is None:
        return None
    used = limiting(evidence) if unseen else evidence
    return used.lower(comparison.alpha), used.upper(comparison.alpha)


def equivalence_evidence(comparison: Comparison) -> Evidence | None:
    """Evidence about all that must lie inside the margin for two models to be equivalent.

    The difference itself; where it is the largest change of several groups, every group's change.
    """
    if comparison.group_changes:
        parts = _changes(comparison)
        # A change away from harm hides as much as one towards it.
        return EachOf(tuple(map(_widest, parts))) if parts else None
    return comparison_evidence(comparison)


def candidate_evidence(comparison: Comparison) -> Evidence | None:
    """Evidence about the candidate's own value, in its own sign.

    Its standard error is not stored: an interval that item and cluster counts alone do not give
    again keeps its width on either side, with the degrees of freedom of the difference.
    """
    value, interval = comparison.value_candidate, comparison.candidate_interval
    n, n_clusters, reach = comparison.n, comparison.n_clusters, comparison.reach
    found = _evidence(value, interval, None, comparison.df, n, n_clusters, reach=reach)
    if found is None or interval is None or _gives(found, interval):
        return found
    widths = interval.model_copy(update={"method": "other"})
    return _evidence(value, widths, None, comparison.df, n, n_clusters, reach=reach)


def contradicts_counts(entry: Estimate | Comparison) -> bool:
    """Whether an interval is not the one that counts, or several stored bounds, give again.

    `fairaudit.results.consistency` asks the same of intervals that are value ± t·se, which takes
    no more than a quantile. Of effective counts only the rounded ones are stored.
    """
    evidence = (
        estimate_evidence(entry) if isinstance(entry, Estimate) else comparison_evidence(entry)
    )
    if evidence is None or entry.interval is None:
        return False
    tabulated = isinstance(entry, Comparison) and (entry.group_changes or entry.bounds)
    effective = entry.interval.method == "clopper-pearson" and entry.df is not None
    if not tabulated and (entry.interval.method not in _FROM_COUNTS or effective):
        return False
    return not _gives(evidence, entry.interval)


def _evidence(
    value: float | None,
    interval: Interval | None,
    se: float | None,
    df: float | None,
    n: int,
    n_clusters: int,
    mean_square: float | None = None,
    reach: float | None = None,
) -> Evidence | None:
    if value is None or interval is None:
        return None
    found = evidence_of(
        value,
        method=interval.method,
        low=interval.low,
        high=interval.high,
        level=interval.level,
        se=se,
        df=df,
        n=n,
        n_clusters=n_clusters,
        mean_square=mean_square,
    )
    flat = isinstance(found, Student) and not min(found.se_below, found.se_above) > 0
    return None if flat else reaching(found, value, reach, n_clusters)


def _changes(comparison: Comparison) -> tuple[Student, ...]:
    """Evidence about every group's change; empty where the axis has too few clusters."""
    return tuple(
        Student(one.difference, one.se_below, one.se_above, one.df)
        for one in comparison.group_changes
        if one.se_below is not None and one.se_above is not None
    )


def _widest(change: Student) -> Student:
    se = max(change.se_below, change.se_above)
    return Student(change.value, se, se, change.df)


def _gives(evidence: Evidence, interval: Interval) -> bool:
    alpha = (1 - interval.level) / 2
    low, high = evidence.lower(alpha), evidence.upper(alpha)
    return math.isclose(low, interval.low, abs_tol=1e-6) and math.isclose(
        high, interval.high, abs_tol=1e-6
    )
