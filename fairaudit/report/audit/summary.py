"""The plain words at the top: what was measured, and what cannot be said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from fairaudit.report import words
from fairaudit.report.audit.reading import (
    Standing,
    capabilities,
    lost_in_correction,
    standing,
    survives,
    weak_capabilities,
)
from fairaudit.report.audit.textgroups import group_tables
from fairaudit.report.audit.view import not_run, primary_bias
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name, correction_name, suite_name
from fairaudit.report.safe_text import shorten
from fairaudit.results import AuditResult, Estimate
from fairaudit.vocabulary.metrics import (
    ACCURACY_GAP,
    BIAS_SCORES,
    GENDERED_FILLS,
    LIKELIHOOD_BIAS_EXCESS,
    Metric,
)
from fairaudit.vocabulary.suites import PROBE

LIMITS: Final = (
    "This is one model by itself: without a comparison with another model, nothing here says that "
    "it is more or less biased than it was, or than others. An interval that includes the ideal "
    "does not mean that there is no bias: these items do not decide it."
)

_WAYS: Final = {
    "Leans towards the stereotype": Standing.TOWARDS,
    "Leans away from the stereotype": Standing.AWAY,
    "Differs from the ideal": Standing.APART,
}
#: Axes named in one sentence.
_MOST: Final = 5

LOOKS_FAIR: Final = "A model that cannot tell sense from nonsense looks unbiased."
SHORT_LIMITS: Final = (
    "This is one model by itself; more or less biased than another takes a comparison."
)


def measured(result: AuditResult) -> str:
    """Say what was asked, and of how many suites."""
    ran = [run for run in result.suites if run.status == "run"]
    if not ran:
        return "No suite ran, so nothing about the model’s bias was measured."
    n_items = sum(run.n_items for run in ran)
    asked = words.listed(_questions(result))
    return (
        f"The model was asked {words.plural(n_items, 'item')} of "
        f"{words.plural(len(ran), 'suite')}: does it {asked}?"
    )


def _questions(result: AuditResult) -> list[str]:
    """Say what its suites ask: which texts are probable, what is answered, and what it writes."""
    answers = _suites_with(result, BIAS_SCORES)
    pronouns = _suites_with(result, (ACCURACY_GAP,)) - answers
    prompted = set(group_tables(result)) - answers
    described = _suites_with(result, (LIKELIHOOD_BIAS_EXCESS,))
    fills = _suites_with(result, (GENDERED_FILLS,))
    known = {*answers, *pronouns, *fills, *prompted, *described, PROBE.name}
    likelihood = {one.suite for one in result.estimates} - known or known == {PROBE.name}
    asked = {
        "find a stereotyped text more probable than its counterpart": likelihood,
        "find sentences likelier by the word that describes a person": described,
        "answer questions as a stereotype does": answers,
        "understand pronouns better where they fit a stereotype": pronouns,
        "fill in other words after names of women than after names of men": fills,
        "write otherwise about one group than about another": prompted,
    }
    return [question for question, suites in asked.items() if suites]


def _suites_with(result: AuditResult, metrics: Iterable[Metric]) -> set[str]:
    names = {metric.name for metric in metrics}
    return {one.suite for one in result.estimates if one.name in names}


def found(result: AuditResult) -> str:
    """Count where the intervals of the primary estimates lie, and what survives correction."""
    primary = primary_bias(result)
    if not primary:
        return "There is no primary bias estimate to read."
    counts = Counter(standing(estimate) for estimate in primary)
    parts = [
        f"{counts[side]} {one if counts[side] == 1 else many} {rest}"
        for side, one, many, rest in (
            (Standing.TOWARDS, "leans", "lean", "towards the stereotype"),
            (Standing.AWAY, "leans", "lean", "away from the stereotype"),
            (Standing.APART, "differs", "differ", "from the ideal"),
            (Standing.INCLUDES, "shows", "show", "no lean"),
            (Standing.NO_IDEAL, "has", "have", "no ideal value"),
            (Standing.UNKNOWN, "has", "have", "no interval"),
        )
        if counts[side]
    ]
    total = words.plural(len(primary), "primary estimate")
    return f"Of {total}, by their intervals, {words.listed(parts)}.{_corrected(primary)}"


def answer(result: AuditResult) -> str:
    """Say in one or two sentences on which axes the model leans, as firmly as the numbers allow."""
    primary = primary_bias(result)
    if not primary:
        return "Nothing was measured that a bias could be read from."
    firm = [one for one in primary if not lost_in_correction(one)]
    by_side = {way: [one for one in firm if standing(one) is side] for way, side in _WAYS.items()}
    said = [f"{way}: {_axes_of(some)}." for way, some in by_side.items() if some]
    if said:
        return " ".join(said)
    lost = [one for one in primary if lost_in_correction(one)]
    if lost:
        return (
            "No lean holds after correction for all looks; taken one by one, intervals leave out "
            f"the ideal on {_axes_of(lost)}."
        )
    if all(standing(one) is Standing.NO_IDEAL for one in primary):
        return "The primary numbers have no ideal value: compare them with those of another model."
    return "Inconclusive: every interval includes its ideal."


def gaps(result: AuditResult) -> str:
    """Say how many suites did not run, or an empty text."""
    missing = len(not_run(result))
    return f"{words.plural(missing, 'suite')} did not run." if missing else ""


def weak(result: AuditResult) -> str:
    """Say how many capability estimates are not shown to be above chance, or an empty text."""
    failed = len(weak_capabilities(result))
    if not failed:
        return ""
    total = words.plural(len(capabilities(result)), "capability estimate")
    is_are = "is" if failed == 1 else "are"
    return f"Read with care: {failed} of {total} {is_are} not shown to be above chance."


def _axes_of(some: Sequence[Estimate]) -> str:
    """Return axes with the suites that say so."""
    by_axis = grouped(some, lambda one: one.axis)
    named = [
        f"{shorten(axis_name(axis), 40).lower()} ({_suites_of(own)})"
        for axis, own in by_axis.items()
    ]
    if len(named) > _MOST:
        named = [*named[: _MOST - 1], f"{len(named) - _MOST + 1} more axes"]
    return words.listed(named)


def _suites_of(some: Sequence[Estimate]) -> str:
    return ", ".join(dict.fromkeys(shorten(suite_name(one.suite), 40) for one in some))


def _corrected(primary: tuple[Estimate, ...]) -> str:
    adjusted = [one for one in primary if survives(one) is not None]
    if len(adjusted) < 2:
        return ""
    firm = sum(survives(one) is True for one in adjusted)
    names = {one.correction for one in primary if one.correction}
    how = f"{correction_name(names.pop())}’s" if len(names) == 1 else "the stored"
    return (
        f" After {how} correction for {len(adjusted)} looks at one model, {firm} of them "
        f"differ{'s' if firm == 1 else ''} from the ideal."
    )
