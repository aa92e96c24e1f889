"""Which stored numbers a rule is about, and which of its patterns find none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from fairaudit.gating.policy import Selector, matches, near
from fairaudit.results.audit import AuditResult
from fairaudit.results.capability import weakness_of
from fairaudit.results.comparison import Comparison, ComparisonResult, NotCompared, Paired
from fairaudit.results.types import Estimate
from fairaudit.vocabulary.suites import PROBE

Result = AuditResult | ComparisonResult
EntryT = TypeVar("EntryT", bound=Estimate | Comparison)


@dataclass(frozen=True, slots=True)
class Selection(Generic[EntryT]):
    """What a rule found, and why some of its patterns found nothing."""

    found: tuple[EntryT, ...]
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """A pattern that found nothing."""

    selector: str
    reason: str


def candidates_of(result: Result) -> tuple[str | None, ...]:
    """Labels to which each rule is applied; None stands for the only model of an audit."""
    return result.candidates if isinstance(result, ComparisonResult) else (None,)


def suites_of(result: Result) -> set[str]:
    """Names of all suites that a result speaks of, run or not."""
    if isinstance(result, AuditResult):
        return {run.suite for run in result.suites} | {one.suite for one in result.estimates}
    compared = {entry.suite for entry in (*result.comparisons, *result.changes)}
    return compared.union(
        suite for label in result.candidates for suite, _ in _not_compared(result, label)
    )


def suites_run(result: Result, candidate: str | None) -> set[str]:
    """Names of the suites that ran, for one candidate of a comparison.

    The probe text, which no audit lists, is among them where it was scored.
    """
    if isinstance(result, AuditResult):
        ran = {run.suite for run in result.suites if run.status == "run"}
        return ran | {one.suite for one in result.estimates if one.suite == PROBE.name}
    return {entry.suite for entry in _entries(result, candidate)}


def suites_measured(result: Result, candidate: str | None) -> set[str]:
    """Names of the suites that ran and gave a number that verdicts rest on.

    Of a suite without primary numbers, such as the probe text, any number will do.
    """
    by_suite: dict[str, list[Estimate | Paired]] = {}
    for entry in _entries(result, candidate):
        by_suite.setdefault(entry.suite, []).append(entry)
    return {
        suite
        for suite in suites_run(result, candidate) & by_suite.keys()
        if any(map(_has_value, list(filter(_is_primary, by_suite[suite])) or by_suite[suite]))
    }


def select(
    rule: Selector,
    entries: Sequence[EntryT],
    result: Result,
    candidate: str | None,
    by_default: Callable[[EntryT], bool] = lambda entry: entry.primary,
) -> Selection[EntryT]:
    """Find the numbers of a rule among ``entries``.

    Parameters
    ----------
    rule : Selector
        Patterns of suite, protocol, axis, group and metric.
    entries : sequence
        What the rule's kind can be applied to.
    result, candidate
        Where the entries come from, for the reasons and for what could not be compared.
    by_default : callable
        What a rule without ``metric`` is about: primary numbers.
    """
    fitting = [entry for entry in entries if _fits(rule, entry, by_default)]
    chosen = tuple(entry for entry in fitting if not _is_lost(entry))
    where = with_candidate(describe(rule), candidate)
    lost = [Missing(selector_of(entry), _why_lost(entry)) for entry in fitting if _is_lost(entry)]
    places = {(entry.protocol, entry.axis) for entry in fitting if _is_lost(entry)}
    gaps = [
        gap
        for gap in _gaps(result, candidate)
        if gap.axis is not None
        and (gap.protocol, gap.axis) not in places
        and _is_missed(rule, gap, entries)
    ]
    unfound = (
        why_missing(name, pattern, result, candidate)
        for name, pattern in _unfound(rule, fitting)
        if name != "axis" or not any(matches(gap.axis or "", pattern) for gap in gaps)
    )
    reasons = dict.fromkeys((*unfound, *(_in_words(gap) for gap in gaps)))
    missing = (*lost, *(Missing(where, reason) for reason in reasons))
    if not chosen and not missing:
        missing = (Missing(where, _nothing(rule)),)
    return Selection(chosen, missing)


def _is_lost(entry: Estimate | Comparison) -> bool:
    """Whether a primary number has an entry only to say that it was not compared."""
    return isinstance(entry, Comparison) and entry.difference is None


def _why_lost(entry: Estimate | Comparison) -> str:
    reason = entry.reason or "no reason recorded"
    return f"{entry.protocol} | {entry.axis} was not compared: {reason}"


def headline(capabilities: Iterable[Estimate]) -> Callable[[Estimate], bool]:
    """Tell the capabilities that stand for a protocol: pooled, or by axis where nothing is."""
    pooled = {(one.protocol, one.name) for one in capabilities if one.axis == "all"}
    return lambda one: one.axis == "all" or (one.protocol, one.name) not in pooled


def incapable(estimate: Estimate, result: AuditResult) -> str | None:
    """Say which capability, not shown to be above chance, makes a bias unreadable; None: none."""
    one = weakness_of(estimate, result.estimates)
    if one is None:
        return None
    return f"{one.name} of {one.protocol} ({one.axis}) is not shown to be above chance"


def selector_of(entry: Estimate | Comparison) -> str:
    """``protocol | axis | group | name``, with the candidate of a comparison."""
    parts = (entry.protocol, entry.axis, entry.group or "-", entry.name)
    candidate = None if isinstance(entry, Estimate) else entry.candidate
    return with_candidate(" | ".join(parts), candidate)


def with_candidate(selector: str, candidate: str | None) -> str:
    """Add the label of a candidate, if there is one."""
    return selector if candidate is None else f"{selector} | {candidate}"


def describe(rule: Selector) -> str:
    """Write the patterns of a rule like a selector: what it looked for."""
    parts = (rule.suite, rule.axis, rule.group or ("-",), rule.metric or ("primary",))
    suite, *rest = (",".join(part) for part in parts)
    protocol = "" if rule.protocol == ("*",) else f" ({','.join(rule.protocol)})"
    return " | ".join((suite + protocol, *rest))


def why_missing(name: str, pattern: str, result: Result, candidate: str | None) -> str:
    """Say why a pattern found nothing: a suite that did not run, or a name that is not there."""
    if name == "suite":
        return _why_no_suite(pattern, result, candidate)
    present = {getattr(entry, _FIELDS[name]) for entry in _entries(result, candidate)} - {None}
    if any(matches(one, pattern) for one in present):
        return f"no number for the {name} '{pattern}' among those that the rule looks at"
    hint = near(pattern, sorted(present)) if present else ""
    return f"no number for the {name} '{pattern}'{hint}"


_FIELDS: Final = {"suite": "suite", "protocol": "protocol", "axis": "axis", "group": "group",
                  "metric": "name"}  # fmt: skip


def _fits(rule: Selector, entry: EntryT, by_default: Callable[[EntryT], bool]) -> bool:
    named = rule.metric is None or _matches(entry.name, rule.metric)
    chosen_by_name = rule.metric is not None and not rule.primary
    wanted = named and (chosen_by_name or by_default(entry))
    whole = entry.group is None if rule.group is None else _matches(entry.group, rule.group)
    return (
        wanted
        and whole
        and _matches(entry.suite, rule.suite)
        and _matches(entry.protocol, rule.protocol)
        and _matches(entry.axis, rule.axis)
    )


def _matches(value: str | None, patterns: Iterable[str]) -> bool:
    return value is not None and any(matches(value, pattern) for pattern in patterns)


def _unfound(rule: Selector, chosen: Sequence[Estimate | Comparison]) -> Iterator[tuple[str, str]]:
    """Patterns that no chosen entry matches; the suite alone where that is missing."""
    for name, field in _FIELDS.items():
        patterns: tuple[str, ...] = getattr(rule, name) or ()
        present = {getattr(entry, field) for entry in chosen}
        for pattern in patterns:
            if pattern != "*" and not any(_matches(value, (pattern,)) for value in present):
                yield name, pattern


def _nothing(rule: Selector) -> str:
    what = "primary estimate" if rule.metric is None else "such estimate"
    return f"there is no {what} to judge"


def _why_no_suite(pattern: str, result: Result, candidate: str | None) -> str:
    if isinstance(result, AuditResult):
        for run in result.suites:
            if matches(run.suite, pattern) and run.status == "not_run":
                return f"{run.suite} did not run: {run.reason or 'no reason recorded'}"
    else:
        for suite, reason in _not_compared(result, candidate):
            if matches(suite, pattern):
                return f"{suite} was not compared: {reason}"
    empty = suites_run(result, candidate) - suites_measured(result, candidate)
    for suite in sorted(empty):
        if matches(suite, pattern):
            return f"{suite} ran and measured nothing: no number that verdicts rest on has a value"
    if any(matches(name, pattern) for name in suites_run(result, candidate)):
        return f"no number of '{pattern}' among those that the rule looks at"
    kind = "audit" if isinstance(result, AuditResult) else "comparison"
    return f"'{pattern}' did not run: it is not part of this {kind}"


def _entries(result: Result, candidate: str | None) -> list[Estimate | Paired]:
    if isinstance(result, AuditResult):
        return list(result.estimates)
    entries = (*result.comparisons, *result.changes)
    return [entry for entry in entries if entry.candidate == candidate]


def _not_compared(result: ComparisonResult, candidate: str | None) -> Iterator[tuple[str, str]]:
    """Suites that a candidate was not compared on, wholly or by a protocol, with the reason."""
    for gap in _gaps(result, candidate):
        if gap.axis is None and gap.suite is not None:
            yield gap.suite, gap.reason


def _gaps(result: Result, candidate: str | None) -> Iterator[NotCompared]:
    """Everything that a candidate was not compared on."""
    if isinstance(result, ComparisonResult):
        yield from (gap for gap in result.not_compared if gap.candidate == candidate)


def _in_words(gap: NotCompared) -> str:
    return f"{gap.what} was not compared: {gap.reason}"


def _is_missed(rule: Selector, gap: NotCompared, entries: Sequence[Estimate | Comparison]) -> bool:
    """Whether a gap lies among what a rule is about, so that the rule cannot pass.

    A rule is about the protocols whose numbers it would judge on some axis. Primary numbers have
    entries of their own; that a suite without them is there is for
    `fairaudit.gating.policy.Requires` to ask.
    """
    anywhere = rule.model_copy(update={"axis": ("*",), "group": ("*",) if rule.group else None})
    judged = [one for one in entries if _fits(anywhere, one, _is_primary)]
    if gap.protocol not in {one.protocol for one in judged} or not _matches(gap.axis, rule.axis):
        return False
    if rule.group is None and gap.group is not None:
        # A number about all groups is another number where one of them is missing.
        return gap.metric is None and any(
            _is_about_groups(one) and (one.protocol, one.axis) == (gap.protocol, gap.axis)
            for one in judged
        )
    named = gap.metric is None or _matches(gap.metric, rule.metric or ())
    return named and (rule.group is None or _covers(rule.group, gap.group))


def _is_about_groups(entry: Estimate | Comparison) -> bool:
    return isinstance(entry, Comparison) and bool(entry.group_changes or entry.bounds)


def _covers(patterns: Iterable[str], group: str | None) -> bool:
    return group is None or _matches(group, patterns)


def _is_primary(entry: Estimate | Paired) -> bool:
    return isinstance(entry, Estimate | Comparison) and entry.primary


def _has_value(entry: Estimate | Paired) -> bool:
    value = entry.value if isinstance(entry, Estimate) else entry.difference
    return value is not None and entry.n > 0
