"""Whether the numbers of a result fit each other, as those of every computed result do.

A file can be edited, and so can a result in memory. The digest of a file shows that it was
changed; what stands here holds for files without one as well, and asks only what follows from
definitions: a difference is that of its values, an interval belongs to its standard error, a
verdict to its interval, and a family counts its members.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scipy import special

from fairaudit.errors import ResultError
from fairaudit.results.types import Estimate, Interval, Provenance
from fairaudit.vocabulary.verdicts import Verdict

if TYPE_CHECKING:
    from fairaudit.results.comparison import Change, Comparison, ComparisonResult, GroupChange

Bounds = tuple[float | None, float | None]

_UNCUT: Final[Bounds] = (None, None)
_ROUNDING: Final = 1e-7
#: How far a ratio and a half-width, which others may have rounded, may be off, as a share.
_SLACK: Final = 1e-3
#: Intervals that are value ± t·se, or further out on the side to which few clusters lean.
_STUDENT: Final = frozenset({"t", "cr2", "two-way"})
#: Half-width over t·se of other intervals that hold their value: what is possible at usual levels.
_WIDTHS: Final = {
    "wilson": (0.5, 2.0),
    "tango": (0.5, 5.0),
    "clopper-pearson": (0.5, 50.0),
    "bootstrap-t": (0.5, 1000.0),
}
_USUAL_LEVELS: Final = (0.5, 0.995)
#: How far one model can be from itself: its scores are equal up to rounding, so that a value moves
#: by a little, or by an item that flips at a tie.
_SAME: Final = 0.02


def refuse(problems: Iterator[str], source: str | Path) -> None:
    """Refuse a result that contradicts itself.

    Parameters
    ----------
    problems : iterator of str
        What `audit_contradictions` or `comparison_contradictions` says.
    source : str or path
        The result's file, or what it is.

    Raises
    ------
    ResultError
        With the first contradiction.
    """
    problem = next(problems, None)
    if problem is not None:
        raise ResultError(f"{source} contradicts itself: {problem}; make the result again")


def audit_contradictions(estimates: Sequence[Estimate]) -> Iterator[str]:
    """Say which numbers of an audit contradict each other, and how."""
    for estimate in estimates:
        yield from _placed(estimate, _of_estimate(estimate))
    yield from _families(estimates)


def comparison_contradictions(result: ComparisonResult) -> Iterator[str]:
    """Say which numbers of a comparison contradict each other, and how."""
    for change in result.changes:
        yield from _placed(change, _of_values(change))
    for entry in result.comparisons:
        yield from _placed(entry, _of_values(entry))
        yield from _placed(entry, _of_difference(entry))
        yield from _placed(entry, _of_groups(entry))
        yield from _placed(entry, _of_verdict(entry))
        if entry.verdict == Verdict.IDENTICAL:
            yield from _placed(entry, _of_identity(entry, result))
    yield from _families(result.comparisons)


def one_model(baseline: Provenance, candidate: Provenance) -> bool:
    """Whether two audits say that they are of one model, or of one file of recorded scores."""
    ours, theirs = baseline.model.fingerprint, candidate.model.fingerprint
    if ours is not None or theirs is not None:
        return ours == theirs
    recorded = baseline.settings.recorded
    return recorded is not None and recorded == candidate.settings.recorded


def _placed(entry: Estimate | Comparison | Change, problems: Iterable[str]) -> Iterator[str]:
    for problem in problems:
        yield f"{' | '.join(part or '-' for part in entry.key)}: {problem}"


def _of_estimate(one: Estimate) -> Iterator[str]:
    if one.value is None:
        if one.interval is not None:
            yield "an interval without a value"
        return
    if not _within(one.value, one.range):
        yield f"the value {one.value:g} lies outside its range"
    if one.interval is not None:
        yield from _of_interval(one.value, one.interval, one.range)
        if not one.on_log_scale:
            yield from _of_error(one.value, one.interval, one.se, one.df, one.range)


def _of_values(one: Comparison | Change) -> Iterator[str]:
    """Hold a difference and a ratio against the values they are made of."""
    if one.difference is None:
        if one.interval is not None:
            yield "an interval without a difference"
        return
    if one.value_baseline is None or one.value_candidate is None:
        yield "a difference without the values of both models"
        return
    expected = (one.direction or 1) * (one.value_candidate - one.value_baseline)
    if not _close(one.difference, expected, one.value_baseline, one.value_candidate):
        yield f"the difference is {one.difference:g}, its values differ by {expected:g}"
    if one.ratio is not None and not math.isclose(
        one.ratio * one.value_baseline, one.value_candidate, rel_tol=_SLACK, abs_tol=_SLACK
    ):
        yield f"the ratio {one.ratio:g} is not that of its values"


def _of_difference(one: Comparison) -> Iterator[str]:
    """Hold intervals, and the change of the distance from the ideal, against their values."""
    before, after = one.value_baseline, one.value_candidate
    if one.difference is None or before is None or after is None:
        return
    if one.interval is not None:
        yield from _of_interval(one.difference, one.interval)
        yield from _of_error(one.difference, one.interval, one.se, one.df)
        if not math.isclose(one.interval.level, 1 - one.alpha, abs_tol=_ROUNDING):
            yield f"an interval of level {one.interval.level:g} at alpha {one.alpha:g}"
        above = max(one.interval.high, one.difference + (one.reach or 0.0))
        if one.increase_up_to is not None and not _within(
            one.increase_up_to, (one.difference, above)
        ):
            yield f"an increase of up to {one.increase_up_to:g}, beside a bound of {above:g}"
    if one.candidate_interval is not None:
        yield from _of_interval(after, one.candidate_interval)
    if one.ideal is not None and one.deviation_change is not None:
        expected = abs(after - one.ideal) - abs(before - one.ideal)
        if not _close(one.deviation_change, expected, before, after):
            yield f"the deviation changed by {expected:g}, not by {one.deviation_change:g}"


def _of_groups(one: Comparison) -> Iterator[str]:
    """Hold the changes of groups, and bounds at several levels, against what they give."""
    for change in one.group_changes:
        expected = (one.direction or 1) * (change.value_candidate - change.value_baseline)
        if not _close(change.difference, expected, change.value_baseline, change.value_candidate):
            yield f"the change of '{change.group}' is not that of its values"
    largest = max((change.difference for change in one.group_changes), default=one.difference)
    if one.difference is not None and largest is not None and not _close(one.difference, largest):
        yield "the difference is not the largest change of its groups"
    if one.interval is not None:
        for low, high in _bounds_known(one):
            if not (_close(one.interval.low, low) and _close(one.interval.high, high)):
                yield f"the interval is not that of its groups, [{low:g}, {high:g}]"


def _bounds_known(one: Comparison) -> Iterator[tuple[float, float]]:
    """Yield the interval as the changes of groups, or the bounds stored at its level, give it."""
    alpha = one.alpha / 2
    for known in one.bounds:
        if math.isclose(known.alpha, alpha, rel_tol=_ROUNDING):
            yield known.low, known.high
    if one.group_changes and one.searched is not None:
        each = -math.expm1(math.log1p(-alpha) / one.searched)
        yield (
            max(_below(change, each) for change in one.group_changes),
            max(_above(change, alpha) for change in one.group_changes),
        )


def _below(change: GroupChange, alpha: float) -> float:
    return change.difference - _quantile(1 - alpha, change.df) * (change.se_below or 0.0)


def _above(change: GroupChange, alpha: float) -> float:
    return change.difference + _quantile(1 - alpha, change.df) * (change.se_above or 0.0)


def _of_verdict(one: Comparison) -> Iterator[str]:
    """Hold a verdict against what `fairaudit.stats.decide` needs for it."""
    if one.verdict is None:
        return
    if one.difference is None:
        yield f"the verdict {one.verdict} without a difference"
        return
    if one.p_adjusted is not None and one.p_adjusted < (one.p_value or 0.0) - _ROUNDING:
        yield "the adjusted p-value is smaller than the p-value"
    rejects = one.p_adjusted is None or one.p_adjusted <= one.alpha
    low, high = (0.0, 0.0) if one.interval is None else (one.interval.low, one.interval.high)
    fits = {
        Verdict.AMPLIFIED: rejects and low > 0,
        Verdict.REDUCED: rejects and high < 0,
        Verdict.EQUIVALENT: one.margin is not None
        and one.interval is not None
        and abs(one.difference) < one.margin,
        Verdict.INCONCLUSIVE: not (rejects and one.p_adjusted is not None and not low <= 0 <= high),
    }
    if not fits.get(one.verdict, True):
        yield f"its interval and p-value do not give the verdict {one.verdict}"


def _of_identity(one: Comparison, result: ComparisonResult) -> Iterator[str]:
    theirs = result.provenance.candidates.get(one.candidate)
    if theirs is None or not one_model(result.provenance.baseline, theirs):
        yield "the verdict identical for two models"
    # Without items there is no difference, and no verdict.
    if one.difference is not None and abs(one.difference) > max(_SAME, 1.5 / max(one.n, 1)):
        yield f"the verdict identical for a difference of {one.difference:g}"


def _of_interval(value: float, interval: Interval, cut: Bounds = _UNCUT) -> Iterator[str]:
    """Hold an interval, which may be cut at the range of its quantity, against the value."""
    low, high = interval.low, interval.high
    # A resampled interval lies around its value, but need not hold it.
    slack = 0.0 if interval.method in _STUDENT | _WIDTHS.keys() else high - low
    if not low <= high:
        yield "the bounds of an interval are swapped"
    elif not _within(value, (low - slack, high + slack)):
        yield f"the interval [{low:g}, {high:g}] does not hold {value:g}"
    elif not (_within(low, cut) and _within(high, cut)):
        yield f"the interval [{low:g}, {high:g}] leaves the range"


def _of_error(
    value: float, interval: Interval, se: float | None, df: float | None, cut: Bounds = _UNCUT
) -> Iterator[str]:
    """Hold an interval against the standard error, as far as its method makes it of that."""
    if se is None:
        # Then the interval alone tells how far the value may be off.
        return
    expected = _quantile((1 + interval.level) / 2, df) * se
    below, above = value - interval.low, interval.high - value
    if interval.method in _STUDENT:
        ends = (below, interval.low == cut[0]), (above, interval.high == cut[1])
        near = [
            math.isclose(side, expected, rel_tol=_SLACK, abs_tol=_ROUNDING)
            or (at_the_end and side < expected)
            for side, at_the_end in ends
        ]
        fits = any(near) and all(
            one or side > expected for one, (side, _) in zip(near, ends, strict=True)
        )
    else:
        lowest, highest = _WIDTHS.get(interval.method, (0.0, math.inf))
        fits = lowest * expected <= (below + above) / 2 <= highest * expected
        fits = fits or not _USUAL_LEVELS[0] <= interval.level <= _USUAL_LEVELS[1]
    if not fits:
        yield f"the interval does not belong to the standard error {se:g}"


def _families(entries: Sequence[Estimate] | Sequence[Comparison]) -> Iterator[str]:
    """Count the members of each family: what was cut out is missed."""
    sizes = {(one.family, one.family_size) for one in entries if one.family is not None}
    members = Counter(one.family for one in entries if one.family is not None)
    for family, size in sorted(sizes, key=str):
        if size is not None and size != members[family]:
            yield f"the family '{family}' has {size} members, {members[family]} are here"


def _quantile(probability: float, df: float | None) -> float:
    return float(special.ndtri(probability) if df is None else special.stdtrit(df, probability))


def _close(value: float, expected: float, *scale: float) -> bool:
    size = max(1.0, abs(expected), *map(abs, scale))
    return abs(value - expected) <= _ROUNDING * size


def _within(value: float, bounds: Bounds) -> bool:
    low, high = bounds
    slack = _ROUNDING * max(1.0, abs(value))
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)
