"""`gate`: may this model be released, by a policy that was written before the numbers were known.

One function decides for Python, command line and pytest. A policy passes when every rule passes on
every number it is about; what was not run, or cannot be told, never passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Final, assert_never

from fairaudit.errors import ResultError
from fairaudit.gating.gate_checks import Check, settled
from fairaudit.gating.gate_options import GateOptions
from fairaudit.gating.gate_privacy import max_epsilon
from fairaudit.gating.gate_reservations import held_back, lost_items, other_settings, swapped
from fairaudit.gating.gate_rules import (
    equivalent,
    max_deviation,
    max_increase,
    min_capability,
    min_items,
)
from fairaudit.gating.gate_selection import (
    Missing,
    Result,
    candidates_of,
    describe,
    headline,
    select,
    selector_of,
    suites_measured,
    suites_of,
    why_missing,
    with_candidate,
)
from fairaudit.gating.policy import (
    EquivalentToBaseline,
    MaxDeviationFromIdeal,
    MaxEpsilon,
    MaxIncreaseVsBaseline,
    MinCapability,
    MinItems,
    Policy,
    PolicySettings,
    Requires,
    Rule,
    check_suites,
    matches,
    read_policy,
)
from fairaudit.options import verb
from fairaudit.results import loading
from fairaudit.results.audit import AuditResult
from fairaudit.results.comparison import (
    Change,
    Comparison,
    ComparisonResult,
)
from fairaudit.results.consistency import refuse
from fairaudit.results.gate import GateDecision, GateResult, RuleResult
from fairaudit.results.stored_evidence import contradicts_counts
from fairaudit.results.types import Estimate
from fairaudit.stats.multiplicity import holm
from fairaudit.vocabulary.decisions import FAIL, INCONCLUSIVE, NOT_RUN, PASS

#: Schema version of comparisons from which on every primary number has an entry.
FIRST_COMPLETE_VERSION: Final = 2


@verb(GateOptions)
def gate(options: GateOptions) -> GateResult:
    """Decide whether an audit or a comparison passes a policy.

    Returns
    -------
    GateResult
        ``decision``: FAIL if any rule is shown to be broken; INCONCLUSIVE if the data cannot tell;
        NOT_RUN if something the policy asks about is missing; PASS if every rule is shown to hold.
        ``exit_code``: 0 for PASS, 1 for FAIL, else 3.

    Raises
    ------
    UsageError
        If the policy cannot be read, or names a suite that does not exist.
    ResultError
        If the folder holds no readable result, or the numbers of the result contradict each other.

    Examples
    --------
    >>> fairaudit.gate("audits/dp", policy="release.toml").exit_code  # doctest: +SKIP
    0
    """
    result, policy = options.result, options.policy
    rules = read_policy(Path(policy) if isinstance(policy, PathLike) else policy)
    found = result if isinstance(result, AuditResult | ComparisonResult) else load_result(result)
    return evaluate_gate(found, rules, allow_inconclusive=options.allow_inconclusive)


def evaluate_gate(
    result: Result, policy: Policy, *, allow_inconclusive: bool = False
) -> GateResult:
    """Apply every rule of a policy to a result; see `gate`."""
    refuse(_contradictions(result), _name_of(result))
    check_suites(policy, suites_of(result))
    checks = [list(_apply(rule, result, policy.policy)) for rule in policy.rules]
    if policy.policy.family == "policy":
        rules = _settle([check for of_rule in checks for check in of_rule], policy.alpha)
    else:
        rules = [one for of_rule in checks for one in _settle(of_rule, policy.alpha)]
    decision = min((rule.decision for rule in rules), key=lambda one: one.rank)
    return GateResult(
        decision=decision,
        exit_code=_exit_code(decision, rules, allow_inconclusive),
        policy_hash=policy.hash,
        rules=tuple(rules),
    )


def load_result(folder: str | PathLike[str]) -> Result:
    """Read whatever result a folder (or its ``result.json``) holds.

    Raises
    ------
    ResultError
        If it holds neither an audit nor a comparison, or one that is damaged or newer.
    """
    found = loading.load_result(folder)
    if not isinstance(found, AuditResult | ComparisonResult):
        raise ResultError(f"{folder}: a gate reads audits and comparisons, not {found.schema_!r}")
    return found


def _contradictions(result: Result) -> Iterator[str]:
    """Say which numbers contradict each other, those that only statistics relate included."""
    yield from result.contradictions()
    entries = result.estimates if isinstance(result, AuditResult) else result.comparisons
    for entry in entries:
        if contradicts_counts(entry):
            yield f"{selector_of(entry)}: the interval does not follow from its counts"


def _name_of(result: Result) -> str:
    if isinstance(result, AuditResult):
        return f"the audit '{result.label}'"
    return f"the comparison with '{result.baseline}'"


def _apply(rule: Rule, result: Result, settings: PolicySettings) -> Iterator[Check]:
    """All checks of one rule: one per number it finds, one per pattern that finds nothing."""
    for candidate in candidates_of(result):
        wrong_way = _swapped(result, candidate)
        if wrong_way is not None and not isinstance(rule, Requires):
            # Whatever the rule asks, it would be answered for the base instead of the model.
            about = "privacy" if isinstance(rule, MaxEpsilon) else describe(rule)
            selector = with_candidate(about, candidate)
            yield settled(rule.kind, selector, NOT_RUN, wrong_way, refused=True)
            continue
        match rule:
            case Requires():
                yield from _requires(rule, result, candidate)
            case MaxEpsilon():
                yield max_epsilon(rule, result, candidate)
            case MinCapability():
                yield from _capabilities(rule, result, candidate, settings)
            case MaxIncreaseVsBaseline() | EquivalentToBaseline():
                yield from _differences(rule, result, candidate, settings)
            case MaxDeviationFromIdeal() | MinItems():
                yield from _values(rule, result, candidate, settings)
            case _:
                assert_never(rule)


def _requires(rule: Requires, result: Result, candidate: str | None) -> Iterator[Check]:
    for pattern in rule.suite:
        selector = with_candidate(pattern, candidate)
        ran = sorted(one for one in suites_measured(result, candidate) if matches(one, pattern))
        if ran:
            yield settled(rule.kind, selector, PASS, f"{', '.join(ran)} ran")
        else:
            reason = why_missing("suite", pattern, result, candidate)
            yield settled(rule.kind, selector, NOT_RUN, reason)


def _values(
    rule: MaxDeviationFromIdeal | MinItems,
    result: Result,
    candidate: str | None,
    settings: PolicySettings,
) -> Iterator[Check]:
    """Judge values of a model by itself, or of a candidate on the items it shares."""
    entries: list[Estimate | Comparison]
    if isinstance(result, AuditResult):
        entries = [one for one in result.estimates if one.kind != "capability"]
    else:
        entries = [one for one in result.comparisons if one.candidate == candidate]
    if isinstance(rule, MaxDeviationFromIdeal):
        entries = [one for one in entries if one.ideal is not None]
    chosen = select(rule, entries, result, candidate)
    for entry in chosen.found:
        if isinstance(rule, MinItems):
            yield min_items(rule, entry)
            continue
        check = max_deviation(rule, entry, result, settings.alpha)
        if isinstance(entry, Comparison):
            check = held_back(check, lost_items(entry, settings))
        yield check
    yield from _missing(rule.kind, chosen.missing)


def _swapped(result: Result, candidate: str | None) -> str | None:
    if isinstance(result, AuditResult) or candidate is None:
        return None
    return swapped(result, candidate)


def _too_old(result: ComparisonResult) -> str | None:
    """Say why a comparison cannot show that nothing is missing from it; None if it can.

    Before version 2, a primary number that could not be compared left no trace.
    """
    if result.schema_version >= FIRST_COMPLETE_VERSION:
        return None
    return "an older version made this comparison and may have lost numbers; compare again"


def _differences(
    rule: MaxIncreaseVsBaseline | EquivalentToBaseline,
    result: Result,
    candidate: str | None,
    settings: PolicySettings,
) -> Iterator[Check]:
    if isinstance(result, AuditResult):
        reason = "an audit has no baseline; compare it with one, and gate the comparison"
        yield settled(rule.kind, describe(rule), NOT_RUN, reason)
        return
    unusable = _too_old(result)
    if unusable is not None:
        yield settled(rule.kind, with_candidate(describe(rule), candidate), NOT_RUN, unusable)
        return
    entries = [one for one in result.comparisons if one.candidate == candidate]
    chosen = select(rule, entries, result, candidate)
    for entry in chosen.found:
        if isinstance(rule, MaxIncreaseVsBaseline):
            check = max_increase(rule, entry, settings.alpha)
        else:
            check = equivalent(rule, entry, settings.alpha)
        reasons = lost_items(entry, settings), other_settings(entry, result, settings)
        yield held_back(check, chain(*reasons))
    yield from _missing(rule.kind, chosen.missing)


def _capabilities(
    rule: MinCapability, result: Result, candidate: str | None, settings: PolicySettings
) -> Iterator[Check]:
    of_change = _own_estimates(result, candidate)
    measured = [one for one, _ in of_change if one.kind == "capability"]
    changes = {one.key: change for one, change in of_change if change is not None}
    # Of perplexity less is better, and it has no ideal.
    entries = [one for one in measured if one.ideal]
    if rule.metric is None and rule.minimum is None:
        entries = [one for one in entries if one.chance is not None]
    by_default = headline(measured) if rule.axis == ("*",) else _any
    chosen = select(rule, entries, result, candidate, by_default)
    for entry in chosen.found:
        check = min_capability(rule, entry, settings.alpha)
        change = changes.get(entry.key)
        yield check if change is None else held_back(check, lost_items(change, settings))
    yield from _missing(rule.kind, chosen.missing)


def _own_estimates(result: Result, candidate: str | None) -> list[tuple[Estimate, Change | None]]:
    """Estimates of the audited model; in a comparison those of the candidate's capabilities."""
    if isinstance(result, AuditResult):
        return [(one, None) for one in result.estimates]
    return [
        (change.candidate_estimate, change)
        for change in result.changes
        if change.candidate == candidate and change.candidate_estimate is not None
    ]


def _any(one: Estimate) -> bool:
    """Take every axis that the rule names."""
    return True


def _missing(kind: str, missing: Sequence[Missing]) -> Iterator[Check]:
    for one in missing:
        yield settled(kind, one.selector, NOT_RUN, one.reason)


def _settle(checks: Sequence[Check], alpha: float) -> list[RuleResult]:
    """Correct the p-values of one family and decide each check."""
    tested = [check.p_fail for check in checks if check.p_fail is not None]
    adjusted = iter(holm(tested))
    return [
        _decided(check, None if check.p_fail is None else next(adjusted), alpha) for check in checks
    ]


def _decided(check: Check, p_adjusted: float | None, alpha: float) -> RuleResult:
    decision = check.settled or INCONCLUSIVE
    if p_adjusted is not None:
        decision = FAIL if p_adjusted <= alpha else PASS if check.passes else INCONCLUSIVE
    return RuleResult(
        rule=check.rule,
        selector=check.selector,
        decision=decision,
        value=check.value,
        bound=check.bound,
        interval=check.interval,
        n=check.n,
        p_adjusted=p_adjusted,
        reason=check.words[decision] + _corrected_away(check, p_adjusted, alpha),
        refused=check.refused,
    )


def _corrected_away(check: Check, p_adjusted: float | None, alpha: float) -> str:
    """Say so where a number fails by itself, but not among all that the policy asks about."""
    if check.p_fail is None or p_adjusted is None or not check.p_fail <= alpha < p_adjusted:
        return ""
    return f"; alone it would fail (p {check.p_fail:.2g}, among all numbers {p_adjusted:.2g})"


def _exit_code(
    decision: GateDecision, rules: Sequence[RuleResult], allow_inconclusive: bool
) -> int:
    evaluated = any(rule.decision != NOT_RUN for rule in rules)
    # Few items are a reason to be undecided. A comparison at fault is to be made again.
    at_fault = any(rule.refused for rule in rules)
    forgiven = allow_inconclusive and evaluated and not at_fault and decision != FAIL
    return 0 if forgiven else decision.exit_code
