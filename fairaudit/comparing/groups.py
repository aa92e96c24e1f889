"""Two models compared on an axis with more than two groups, or without a reference group.

One difference cannot speak for such an axis: where one group rises and the others fall, the mean
of the others stands still. So verdicts rest on two numbers, of the prompts that both models
answered: the largest change of any group towards harm, and the change of the largest gap between
groups (`fairaudit.stats.group_changes`). An axis with too few clusters has both without an
interval, and ``inconclusive`` for a verdict: it never disappears.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from fairaudit.comparing.joining import Joined
from fairaudit.comparing.pairing import Terms
from fairaudit.metrics.gaps import (
    is_plain,
    largest_gap,
    reference_group,
    too_few,
    too_few_together,
)
from fairaudit.metrics.prompts import Prompts
from fairaudit.metrics.quantities import Quantity
from fairaudit.metrics.sample_estimates import Metric
from fairaudit.metrics.texts import group_quantities, is_of_texts
from fairaudit.results import (
    AuditResult,
    BoundPair,
    Comparison,
    Estimate,
    GroupChange,
    Interval,
)
from fairaudit.results.stored_evidence import comparison_evidence
from fairaudit.stats.evidence import quantile, two_sided
from fairaudit.stats.group_changes import changes, gap_change, reference_contrasts
from fairaudit.stats.group_means import GroupMeans, group_means
from fairaudit.stats.one_estimate import MIN_DF
from fairaudit.vocabulary.cautions import FEW_CLUSTERS, SKIPPED_ITEMS

Places = Collection[tuple[str, str]]

#: One-sided error levels at which the bounds of the largest gap are stored, beside those asked for.
_LEVELS: Final = (0.5, 0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
#: An interval by max-T from 9,999 replicates reaches no further.
_HIGHEST_LEVEL: Final = 0.999
_POWER: Final = 0.8
#: A gap of rounding has no ratio to another.
_NO_GAP: Final = 1e-9


def primary_places(audit: AuditResult) -> Places:
    """Return the protocols and axes on which an audit has a bias that verdicts rest on."""
    biases = (one for one in audit.estimates if one.primary and one.kind == "bias")
    return frozenset((one.protocol, one.axis) for one in biases)


def group_comparisons(
    joined: Joined, places: Places, terms: Terms, candidate: AuditResult
) -> Iterator[Comparison]:
    """Compare the groups of the axes of one suite that one plain difference does not describe.

    Parameters
    ----------
    joined : Joined
        The suite's rows of both audits; a suite without texts has no groups of prompts.
    places : collection of pairs of str
        Protocols and axes that verdicts rest on; no others are compared.
    terms : Terms
        Labels and levels.
    candidate : AuditResult
        The candidate's audit, whose own gap is taken where it is that of the same prompts.
    """
    if joined.baseline.empty or not is_of_texts(joined.baseline):
        return
    theirs = {(one.protocol, one.axis): one for _, one in _prompts(joined.candidate, places)}
    for quantity, ours in _prompts(joined.baseline, places):
        other = theirs.get((ours.protocol, ours.axis))
        if other is not None:
            found = _both_answered(quantity, ours, other, joined, terms, candidate)
            yield from found.comparisons()


def _prompts(table: Any, places: Places) -> Iterator[tuple[Quantity, Prompts]]:
    for quantity, texts in group_quantities(table):
        for prompts in quantity.prompts(texts):
            if (prompts.protocol, prompts.axis) in places:
                yield quantity, prompts


def _both_answered(
    quantity: Quantity,
    ours: Prompts,
    theirs: Prompts,
    joined: Joined,
    terms: Terms,
    candidate: AuditResult,
) -> _Axis:
    common = ours.table.index.intersection(theirs.table.index)
    dropped = joined.n_dropped(ours.protocol, ours.axis)
    first, second = (replace(one, table=one.table.loc[common]) for one in (ours, theirs))
    few = any(too_few(side) is not None for side in (ours, theirs))
    is_whole = len(common) == len(theirs.table) and candidate.provenance.settings.seed == terms.seed
    known = candidate.estimates if is_whole else ()
    return _Axis(quantity, first, second, few, dropped, terms, known)


@dataclass(frozen=True)
class _Axis:
    """One axis by one protocol: the prompts that both models answered, in one order."""

    quantity: Quantity
    baseline: Prompts
    candidate: Prompts
    #: One of the models answered too few prompts of a group for a plain difference.
    is_thin: bool
    n_dropped: int
    terms: Terms
    #: Estimates of the candidate's audit, where they are about these very prompts and draws.
    known: Sequence[Estimate]

    def comparisons(self) -> Iterator[Comparison]:
        """Largest change and largest gap; a plain difference only where it has no interval."""
        assert self.quantity.difference is not None
        assert self.quantity.largest_gap is not None
        assert self.quantity.largest_change is not None
        if len(self.baseline.groups) < 2:
            return
        if not is_plain(self.baseline):
            yield self._largest_change(self.quantity.largest_change)
            yield self._largest_gap(self.quantity.largest_gap)
        elif self.is_thin:
            yield self._largest_change(self.quantity.difference)

    @cached_property
    def means(self) -> GroupMeans:
        """Means of both models by group."""
        table, other = self.baseline.table, self.candidate.table
        low, high = self.quantity.level.range
        assert low is not None
        assert high is not None
        return group_means(
            table["value"].to_numpy(dtype=float),
            other["value"].to_numpy(dtype=float),
            table["group"].astype(str).tolist(),
            table["cluster"].astype(str).tolist(),
            (low, high),
        )

    @property
    def reason(self) -> str | None:
        """Why there is no interval of all groups together, if so."""
        few = too_few_together(self.baseline)
        if few is None and self.means.df.min() < MIN_DF:
            group = self.means.groups[int(self.means.df.argmin())]
            few = f"{self.baseline.unit}s of very uneven size in group '{group}'"
        return few

    def _largest_change(self, metric: Metric) -> Comparison:
        reference = reference_group(self.baseline)
        found, searched = self._group_changes(metric, reference)
        worst = max(found, key=lambda one: one.difference)
        entry = self._entry(
            metric,
            value_baseline=worst.value_baseline,
            value_candidate=worst.value_candidate,
            difference=worst.difference,
            worst_group=worst.group,
            against_group=reference,
            group_changes=found,
            searched=searched,
            mde=self._detectable(found, searched),
        )
        return self._judged(entry)

    def _group_changes(
        self, metric: Metric, reference: str | None
    ) -> tuple[tuple[GroupChange, ...], float | None]:
        """Each group's change against the reference or the mean of the others, and the search."""
        means, sign = self.means, metric.direction or 1
        place = None if reference is None else means.groups.index(reference)
        contrasts = reference_contrasts(len(means.groups), place)
        about = [index for index in range(len(means.groups)) if index != place]
        sides = contrasts @ means.baseline, contrasts @ means.candidate
        known = None if self.reason else changes(means, sign * contrasts, seed=self.terms.seed)
        return tuple(
            GroupChange(
                group=means.groups[index],
                n=int(means.n[index]),
                n_clusters=int(means.n_clusters[index]),
                value_baseline=float(sides[0][row]),
                value_candidate=float(sides[1][row]),
                difference=float(sign * (sides[1][row] - sides[0][row])),
                se_below=None if known is None else float(known.se_below[row]),
                se_above=None if known is None else float(known.se_above[row]),
                df=None if known is None else float(known.df[row]),
            )
            for row, index in enumerate(about)
        ), None if known is None else known.searched

    def _detectable(self, found: Sequence[GroupChange], searched: float | None) -> float | None:
        """Change of any one group that is detectable at 80 % power: that of the least precise."""
        if searched is None:
            return None
        each = -math.expm1(math.log1p(-self.terms.alpha / 2) / searched)
        return max(
            (quantile(1 - each, one.df) + quantile(_POWER, one.df)) * one.se_below
            for one in found
            if one.se_below is not None
        )

    def _largest_gap(self, metric: Metric) -> Comparison:
        """Change of max − min; the groups named are those furthest apart in the candidate."""
        means, terms = self.means, self.terms
        gaps = [float(np.ptp(one)) for one in (means.baseline, means.candidate)]
        ends = [means.groups[int(place(means.candidate))] for place in (np.argmin, np.argmax)]
        best, worst = ends if self.quantity.level.direction >= 0 else reversed(ends)
        entry = self._entry(
            metric,
            value_baseline=gaps[0],
            value_candidate=gaps[1],
            difference=gaps[1] - gaps[0],
            ratio=gaps[1] / gaps[0] if gaps[0] > _NO_GAP else None,
            deviation_change=gaps[1] - gaps[0],
            worst_group=worst,
            against_group=best,
            candidate_interval=self._candidate_gap(),
        )
        if self.reason is not None:
            return self._judged(entry)
        levels = sorted({*_LEVELS, terms.alpha, terms.alpha / 2}, reverse=True)
        found = gap_change(means, levels, seed=terms.seed)
        bounds = tuple(
            BoundPair(alpha=alpha, low=low, high=high)
            for alpha, low, high in zip(found.alphas, found.lows, found.highs, strict=True)
        )
        return self._judged(entry.model_copy(update={"bounds": bounds}))

    def _candidate_gap(self) -> Interval | None:
        """Interval of the candidate's own gap, as its audit has it, on these prompts."""
        level = min(1 - self.terms.alpha, _HIGHEST_LEVEL)
        assert self.quantity.largest_gap is not None
        place = (self.candidate.protocol, self.candidate.axis, None, self.quantity.largest_gap.name)
        for one in self.known:
            if one.key == place and one.interval is not None and one.interval.level == level:
                return self._interval(one.interval.low, one.interval.high, level)
        found = largest_gap(self.candidate, level=level, seed=self.terms.seed)
        if found.low is None or found.high is None:
            return None
        return self._interval(found.low, found.high, level)

    def _entry(self, metric: Metric, **fields: Any) -> Comparison:
        """Return a comparison without evidence as yet."""
        where, terms = self.baseline, self.terms
        few = () if self.reason is None else (FEW_CLUSTERS.name,)
        margin = metric.margin
        return Comparison(
            name=metric.name,
            suite=where.suite,
            protocol=where.protocol,
            axis=where.axis,
            baseline=terms.baseline,
            candidate=terms.candidate,
            n=len(where.table),
            n_clusters=self.means.total_clusters,
            n_skipped=self.n_dropped,
            direction=metric.direction,
            ideal=metric.ideal,
            primary=True,
            alpha=terms.alpha,
            margin=margin if margin is None or terms.margin is None else terms.margin,
            cautions=(*few, *((SKIPPED_ITEMS.name,) if self.n_dropped else ())),
            reason=self.reason,
            **fields,
        )

    def _judged(self, entry: Comparison) -> Comparison:
        """Add interval and p-value, from the evidence that a reader of the file rebuilds."""
        evidence = comparison_evidence(entry)
        if evidence is None:
            return entry
        tail, level = self.terms.alpha / 2, 1 - self.terms.alpha
        interval = self._interval(evidence.lower(tail), evidence.upper(tail), level)
        return entry.model_copy(update={"interval": interval, "p_value": two_sided(evidence)})

    def _interval(self, low: float, high: float, level: float) -> Interval:
        unit = self.baseline.unit
        return Interval(low=low, high=high, level=level, method="max-t", resampling_unit=unit)
