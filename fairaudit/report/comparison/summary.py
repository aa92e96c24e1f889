"""The plain words at the top: worse or not, on which axis, how sure, and what now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fairaudit.report import verdicts, words
from fairaudit.report.comparison.view import Candidate, candidates, gaps, primary
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.results import Agreement, Comparison, ComparisonResult
from fairaudit.vocabulary.cautions import NOT_MOVED
from fairaudit.vocabulary.verdicts import EXPLORATORY, MISSING, Verdict

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
    """Say in one sentence whether a candidate is worse than the baseline."""
    shown = measured_of(found)
    if not shown:
        return "Nothing was compared on which a verdict could rest."
    worse = [one for one in shown if one.verdict == Verdict.AMPLIFIED]
    open_ = [one for one in shown if one.verdict != Verdict.AMPLIFIED and not verdicts.settled(one)]
    total = words.plural(len(shown), "primary comparison")
    if all(one.verdict == Verdict.IDENTICAL for one in shown):
        return "The same model as the baseline: there is nothing to compare."
    if worse:
        return f"Worse on {axes_of(worse)}: bias amplified in {len(worse)} of {total}."
    if not open_:
        return f"Shown to be no worse, within the margin, in all of {total}."
    if len(open_) == len(shown):
        return f"Undecided: none of {total} can tell whether it is worse."
    return f"Nothing amplified, yet {len(open_)} of {total} cannot tell."


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
    worse = [one for one in every if any(c.verdict == Verdict.AMPLIFIED for c in one.primary)]
    settled = [one for one in every if _is_settled(one)]
    others = [one for one in every if one not in worse and one not in settled]
    amplified = [one for some in worse for one in some.primary if one.verdict == Verdict.AMPLIFIED]
    where = axes_of(amplified) if amplified else ""
    return " ".join(
        f"{said}: {_share(some, every)}{f', on {where}' if some is worse else ''}."
        for said, some in (
            ("Bias amplified", worse),
            ("Shown to be no worse, within the margin, wherever compared", settled),
            ("Nothing amplified, yet not decided everywhere", others),
        )
        if some
    )


def _is_settled(one: Candidate) -> bool:
    shown = measured_of(one)
    return bool(shown) and all(map(verdicts.settled, shown))


def next_steps(result: ComparisonResult) -> Iterator[str]:
    """Yield what to do now, the most pressing first."""
    every = candidates(result)
    shown = [found for one in every for found in one.primary]
    by_verdict = {
        verdict: [one for one in shown if one.verdict == verdict and not verdicts.settled(one)]
        for verdict in _STEPS
    }
    for verdict, step in _STEPS.items():
        if by_verdict[verdict]:
            yield step.format(axes=axes_of(by_verdict[verdict]))
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


_STEPS: Final = {
    Verdict.AMPLIFIED: (
        "Hold the release until someone has judged what was amplified ({axes}): the exploratory "
        "tables show in which groups, the changes beside them at what gain in capability."
    ),
    Verdict.NOT_INTERPRETABLE: (
        "Not interpretable ({axes}): a more capable model is needed, not more items."
    ),
    Verdict.INCONCLUSIVE: (
        "To decide what is inconclusive ({axes}), audit more items or further suites: beside "
        "each stands what these items would have found with 80 % power. Do not widen the margin "
        "after having looked."
    ),
}


def disagreements(result: ComparisonResult) -> tuple[Agreement, ...]:
    """Pairs of families that contradict each other in a verdict, or rank oppositely."""
    return tuple(one for one in result.agreement if one.opposed or (one.value or 0) < 0)


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


def _share(some: Sequence[Candidate], every: Sequence[Candidate]) -> str:
    if len(some) == len(every):
        return "both candidates" if len(every) == 2 else f"all {len(every)} candidates"
    return f"{len(some)} of {len(every)} candidates ({_names(some)})"


def _names(some: Sequence[Candidate]) -> str:
    names = [shorten(one.name, 40) for one in some]
    return words.listed(names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} more"])


def _axes_with(shown: Sequence[Comparison], name: str) -> str:
    return axes_of([found for found in shown if verdicts.word_of(found).label == name])
