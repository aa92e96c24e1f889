"""The plain words at the top: worse or not, on which axis, how sure, and what now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.comparison.view import Candidate, candidates, gaps, primary
from fairaudit.report.deciding import times_as_many
from fairaudit.report.names import axis_name, correction_name, metric_of, small, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import Agreement, Comparison, ComparisonResult
from fairaudit.vocabulary.cautions import NOT_MOVED, OVERSHOT
from fairaudit.vocabulary.units import Unit
from fairaudit.vocabulary.verdicts import EXPLORATORY, MISSING, Verdict

#: Candidates by name, and numbers of one step; beyond them the tables speak.
_NAMED: Final = 6
_NUMBERED: Final = 4
_ALPHA: Final = 0.05
_FAMILIES: Final = (
    "Families of metrics ask differently, so they may disagree; neither is the truth. Where they "
    "do, a bias depends on how it is asked, and no single number should decide."
)


def measured(result: ComparisonResult) -> str:
    """Say what was compared with what, and how."""
    first = primary(result)
    suites = words.plural(len({found.suite for found in first}), "suite")
    whom = "The candidate was" if len(result.candidates) == 1 else "Each candidate was"
    return (
        f"{whom} compared with the baseline item by item, on the items of {suites} that both "
        "scored: does it lean further towards stereotypes than before?"
    )


def answer(found: Candidate) -> str:
    """Say in one or two sentences what became of a candidate: findings first, then what is open."""
    shown = measured_of(found)
    if not shown:
        return "Nothing was compared on which a verdict could rest."
    if all(one.verdict == Verdict.IDENTICAL for one in shown):
        return "The same model as the baseline: there is nothing to compare."
    total = words.plural(len(shown), "primary comparison")
    worse = [one for one in shown if one.verdict == Verdict.AMPLIFIED]
    less = [one for one in shown if one.verdict == Verdict.REDUCED]
    open_ = list(filter(verdicts.is_open, shown))
    reduced = f" {_reduced(less)}" if less else ""
    if worse:
        still = f" Undecided: {axes_of(open_)}." if open_ else ""
        said = f"Worse on {axes_of(worse)}: bias amplified in {len(worse)} of {total}."
        return f"{said}{reduced}{still}"
    if not open_:
        if len(less) == len(shown):
            return _reduced(less, f" in all of {total}")
        return f"Shown to be no worse, within the margin, in all of {total}.{reduced}"
    if len(open_) == len(shown):
        return f"Undecided: none of {total} shows whether it is worse."
    undecided = f"{axes_of(open_)} undecided ({len(open_)} of {total})"
    return (
        f"{_reduced(less)} {_capital(undecided)}." if less else f"No increase shown; {undecided}."
    )


def _reduced(less: Sequence[Comparison], where: str = "") -> str:
    """Say on which axes bias was reduced, by how much at most, and where it went past the ideal."""
    largest = max(less, key=lambda one: abs(one.difference or 0.0))
    by = words.size(largest.difference or 0.0, paired.unit_of(largest))
    past = [one for one in less if OVERSHOT.name in one.cautions]
    beyond = f", perhaps past the ideal to the other side on {axes_of(past)}" if past else ""
    most = "by" if len(less) == 1 else "by up to"
    return f"Bias reduced on {axes_of(less)}{where}, {most} {by}{beyond}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def risen(found: Candidate) -> tuple[Comparison, ...]:
    """Return the comparisons outside the declared ones that rise after correction."""
    return tuple(one for one in found.rest if _changed_by(one) > 0)


def _changed_by(found: Comparison) -> float:
    """Return the change towards the stereotype that is left after correction, else 0."""
    shown = found.p_adjusted is not None and found.p_adjusted < found.alpha
    change = found.difference if shown and found.direction else None
    return change or 0.0


def outside(found: Candidate) -> str:
    """Say how many comparisons outside the declared ones rise after correction; else nothing."""
    up = risen(found)
    if not up:
        return ""
    down = sum(_changed_by(one) < 0 for one in found.rest)
    rates = [one for one in up if paired.unit_of(one) is Unit.POINTS]
    largest = max(rates or up, key=lambda one: one.difference or 0.0)
    who = correction_name(up[0].correction) if up[0].correction else "correction"
    n = f"{words.count(len(up))} of {words.plural(len(found.rest), 'exploratory comparison')}"
    verb = "rises" if len(up) == 1 else "rise"
    fall = f", {words.count(down)} {'falls' if down == 1 else 'fall'}" if down else ""
    return (
        f"Outside the declared comparisons {n} {verb}{fall} after correction ({who}); the largest: "
        f"{_where(largest)}. {_pooled(up, largest)}These are leads, not verdicts."
    )


def _pooled(up: Sequence[Comparison], largest: Comparison) -> str:
    """Name the value over all axes that rests on most items, where it rises too."""
    pooled = [one for one in up if one.axis == "all" and one.group is None]
    most = max(pooled, key=lambda one: (paired.unit_of(one) is Unit.POINTS, one.n), default=None)
    if most is None or largest.axis == "all":
        return ""
    return f"Over all axes: {_where(most)}. "


def _where(found: Comparison) -> str:
    group = f", {shorten(found.group, 40)}" if found.group else ""
    where = f"{small(metric_of(found).label)}, {axis_name(found.axis).lower()}{group}"
    protocol = shorten(f"{suite_name(found.suite)}, {variant(found.protocol)}", 60)
    return f"{where} ({protocol}) {paired.with_interval(found)}"


def measured_of(found: Candidate) -> list[Comparison]:
    """Return the primary comparisons that have a value; the others are named as not compared."""
    return [one for one in found.primary if one.difference is not None]


def counted(shown: Sequence[Comparison]) -> str:
    """Count the verdicts, with the axes of each."""
    counts = Counter(verdicts.word_of(found).label for found in shown)
    order = [*verdicts.WORDS, MISSING, EXPLORATORY]
    parts = [
        f"{counts[word.label]} {word.label} ({_axes_with(shown, word.label)})"
        for word in order
        if counts[word.label]
    ]
    return f"{words.listed(parts)}." if parts else ""


def overall(result: ComparisonResult) -> str:
    """Return the answer about all candidates, and how many axes it does not cover."""
    lost = dict.fromkeys(gap.axis for gap in gaps(result) if gap.axis and gap.whole_axis)
    if not lost:
        return _about_all(result)
    total = words.plural(len(lost), "axis was", "axes were")
    partly = lost.keys() & {one.axis for one in primary(result) if one.difference is not None}
    how = " by every protocol" if partly else ""
    return f"{_about_all(result)} {total} not compared{how}: {_listed_axes(lost)}."


def _about_all(result: ComparisonResult) -> str:
    every = candidates(result)
    if len(every) == 1:
        return answer(every[0])
    worse = [one for one in every if _with(one, Verdict.AMPLIFIED)]
    less = [one for one in every if one not in worse and _with(one, Verdict.REDUCED)]
    settled = [one for one in every if one not in (*worse, *less) and _is_settled(one)]
    others = [one for one in every if one not in (*worse, *less, *settled)]
    whose: dict[str, list[tuple[Candidate, list[Comparison]]]] = {
        "Bias amplified": [(one, _with(one, Verdict.AMPLIFIED)) for one in worse],
        "Bias reduced": [(one, _with(one, Verdict.REDUCED)) for one in less],
        "Shown to be no worse, within the margin, wherever compared": [(o, []) for o in settled],
        "No increase shown, not decided everywhere": [(o, []) for o in others],
    }
    return " ".join(f"{said}: {_whose(some, every)}." for said, some in whose.items() if some)


def _with(found: Candidate, verdict: Verdict) -> list[Comparison]:
    return [one for one in found.primary if one.verdict == verdict]


def _whose(some: Sequence[tuple[Candidate, list[Comparison]]], every: Sequence[Candidate]) -> str:
    """Name candidates, each with its own axes: ``2 of 3 candidates, a on race and b on gender``."""
    named = [
        f"{shorten(one.name, 40)}{f' (on {axes_of(own)})' if own else ''}" for one, own in some
    ]
    if len(named) > _NAMED:
        named = [*named[: _NAMED - 1], f"{len(named) - _NAMED + 1} more"]
    counted = words.plural(len(every), "candidate")
    share = f"all {counted}" if len(some) == len(every) else f"{len(some)} of {counted}"
    return f"{share}: {words.listed(named)}"


def _is_settled(one: Candidate) -> bool:
    shown = measured_of(one)
    return bool(shown) and all(map(verdicts.settled, shown))


def next_steps(result: ComparisonResult) -> Iterator[str]:
    """Yield what to do now, the most pressing first."""
    every = candidates(result)
    for verdict, step in _STEPS.items():
        whose = [(one, own) for one in every if (own := _with(one, verdict))]
        if whose:
            yield step.format(axes=_axes_by_candidate(whose, every))
    yield from _deciding(every)
    still = [one for one in every if NOT_MOVED.name in one.cautions]
    if still:
        yield (
            f"Hardly moved from the baseline: {_names(still)}. Such a verdict says nothing about "
            "the way a model was trained."
        )
    parts = [gap for gap in gaps(result) if gap.axis is not None]
    whole = len(gaps(result)) - len(parts)
    if parts:
        total = words.plural(len(parts), "part of a protocol", "parts of protocols")
        yield (
            f"Not compared: {total}, for want of scores on both sides. Audit both on the same "
            "axes, with the same limit of items."
        )
    if whole:
        total = words.plural(whole, "suite or protocol", "suites or protocols")
        yield f"Not compared: {total}. Nothing is known about what they ask."


def _axes_by_candidate(
    whose: Sequence[tuple[Candidate, list[Comparison]]], every: Sequence[Candidate]
) -> str:
    if len(every) == 1:
        return axes_of(whose[0][1])
    named = [f"{shorten(one.name, 40)}: {axes_of(own)}" for one, own in whose[:_NAMED]]
    more = [f"{len(whose) - _NAMED} more candidates"] if len(whose) > _NAMED else []
    return "; ".join([*named, *more])


def _deciding(every: Sequence[Candidate]) -> Iterator[str]:
    """Yield how many more items would decide what is undecided, as far as that can be said."""
    open_ = [(one, found) for one in every for found in one.primary if _is_undecided(found)]
    if not open_:
        return
    known = [(one, found, times) for one, found in open_ if (times := times_as_many(found))]
    known.sort(key=lambda entry: entry[2])
    told = [_times(*entry, alone=len(every) == 1) for entry in known[:_NUMBERED]]
    if told:
        more = len(known) - len(told)
        rest = f"; more for {words.plural(more, 'other comparison')}" if more else ""
        yield (
            "To decide, audit more items, or further suites where these have no more. If the "
            f"differences stay as they are, it takes: {'; '.join(told)}"
            f"{rest}. Do not widen the margin after having looked."
        )
    known_ones = [found for _, found, _ in known]
    without = [found for _, found in open_ if found not in known_ones]
    if without:
        yield (
            f"More items of the same kind would hardly decide {axes_of(without)}: add further "
            "suites there. Do not widen the margin after having looked."
        )


def _is_undecided(found: Comparison) -> bool:
    return found.verdict == Verdict.INCONCLUSIVE and verdicts.is_open(found)


def _times(candidate: Candidate, found: Comparison, times: int, *, alone: bool) -> str:
    """Return ``about 3 times as many gender items (765; CrowS-Pairs) would decide``."""
    whose = "" if alone else f"{shorten(candidate.name, 30)}: "
    axis, n = axis_name(found.axis).lower(), words.count(times * found.n)
    kind = "" if found.n_clusters in (0, found.n) else ", in as many more clusters"
    where = shorten(suite_name(found.suite), 30)
    return f"{whose}{times} times as many {axis} items in {where} ({n}{kind})"


_STEPS: Final = {
    Verdict.AMPLIFIED: (
        "Hold the release until someone has judged what was amplified ({axes}). The exploratory "
        "tables show in which groups; the capability beside them shows what was gained."
    ),
    Verdict.NOT_INTERPRETABLE: (
        "Not interpretable ({axes}): a more capable model is needed, not more items."
    ),
}


def disagreements(result: ComparisonResult) -> tuple[Agreement, ...]:
    """Pairs of families that contradict each other in a verdict, or are shown to rank oppositely.

    A correlation below 0 that chance explains is none: its test must leave out 0.
    """
    return tuple(one for one in result.agreement if one.opposed or _ranks_oppositely(one))


def _ranks_oppositely(found: Agreement) -> bool:
    shown = found.p_value is not None and found.p_value < _ALPHA
    return shown and found.value is not None and found.value < 0


def disagreement_words(result: ComparisonResult) -> str:
    """Say that families disagree and what follows, or an empty text."""
    opposed = list(dict.fromkeys(cell for one in result.agreement for cell in one.opposed))
    if not disagreements(result):
        return ""
    where = [shorten(cell, 60) for cell in opposed[:6]]
    more = len(opposed) - len(where)
    if more:
        where.append(f"{more} more")
    head = f"Families disagree on {words.listed(where)}." if where else "Families disagree."
    return f"{head} {_FAMILIES}"


def axes_of(shown: Sequence[Comparison]) -> str:
    """Return the axes of comparisons, each once; of many only the first."""
    return _listed_axes(one.axis for one in shown)


def _listed_axes(axes: Iterable[str]) -> str:
    names = [name.lower() for name in dict.fromkeys(map(axis_name, axes))]
    if len(names) > 6:
        names = [*names[:5], f"{len(names) - 5} more axes"]
    return words.listed([shorten(name, 40) for name in names])


def _names(some: Sequence[Candidate]) -> str:
    names = [shorten(one.name, 40) for one in some]
    return words.listed(names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"])


def _axes_with(shown: Sequence[Comparison], name: str) -> str:
    return axes_of([found for found in shown if verdicts.word_of(found).label == name])
