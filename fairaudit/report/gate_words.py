"""A gate's checks in words: names instead of ids, points instead of fractions, one phrase a bound.

``gate.json`` keeps fractions and selectors, as policies write them; people read this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fairaudit.report import words
from fairaudit.report.names import METRICS, axis_name, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.gate import GateResult, RuleResult
from fairaudit.results.types import Estimate
from fairaudit.vocabulary.decisions import FAIL, INCONCLUSIVE, PASS
from fairaudit.vocabulary.metrics import Metric
from fairaudit.vocabulary.suites import title_of
from fairaudit.vocabulary.units import Unit

_INCREASE, _SAME = "max_increase_vs_baseline", "equivalent_to_baseline"
_DEVIATION, _CAPABLE = "max_deviation_from_ideal", "min_capability"
#: Every kind of rule in words.
NAMES: Final = {
    _INCREASE: "No increase",
    _SAME: "No change",
    _DEVIATION: "Near the ideal",
    _CAPABLE: "Capable",
    "min_items": "Enough items",
    "max_epsilon": "Privacy",
    "requires": "Suites that must run",
}
_LIMITS: Final = {
    _DEVIATION: "at most {} from the ideal",
    _INCREASE: "less than {} towards the stereotype",
    _SAME: "within ±{}",
    "min_items": "at least {}",
    _CAPABLE: "more than {}",
    "max_epsilon": "at most {}",
}
_BETWEEN: Final = " | "


@dataclass(frozen=True, slots=True)
class Selected:
    """What a check is about, taken apart; ``metric`` None: patterns that found nothing."""

    named: str
    metric: Metric | None
    candidate: str | None


def selected(rule: RuleResult) -> Selected:
    """Take a selector apart: ``protocol | axis | group | name``, with a candidate or without."""
    parts = rule.selector.split(_BETWEEN)
    if len(parts) not in (4, 5) or "/" not in parts[0] or parts[3] not in METRICS:
        return Selected(shorten(rule.selector, 120), None, None)
    protocol, axis, group, name = parts[:4]
    metric, whose = METRICS[name], parts[4] if len(parts) == 5 else None
    place = axis_name(axis) + ("" if group == "-" else f", {group}")
    where = f"{suite_name(protocol.partition('/')[0])}, {variant(protocol)}"
    said = f"{place}: {metric.label[:1].lower()}{metric.label[1:]} ({where})"
    return Selected(shorten(said if whose is None else f"{whose}, {said}", 160), metric, whose)


def rule_name(rule: RuleResult) -> str:
    """Return a kind of rule in words."""
    return NAMES.get(rule.rule, rule.rule.replace("_", " "))


def limit_of(rule: RuleResult) -> str:
    """Return the limit in words: ``at least 100``; empty where there is none."""
    if rule.bound is None:
        return ""
    limit = words.level_of(rule.bound, _unit(rule, of_value=rule.rule == _CAPABLE))
    return _LIMITS.get(rule.rule, "{}").format(limit)


def value_of(rule: RuleResult) -> words.Number:
    """Return the value that was held against the limit, or an empty text."""
    if rule.value is None:
        return words.Number("", None)
    if rule.rule == "min_items":
        return words.count(round(rule.value))
    return words.quantity(rule.value, _unit(rule, of_value=rule.rule not in (_INCREASE, _SAME)))


def bounds_of(rule: RuleResult) -> words.Number:
    """Return the bounds that decide, or an empty text."""
    if rule.interval is None:
        return words.Number("", None)
    unit = _unit(rule, of_value=rule.rule not in (_INCREASE, _SAME))
    return words.bounds(rule.interval, unit)


def reason_of(rule: RuleResult) -> str:
    """Return why a check came to its decision, by the phrase that reports use for the bound."""
    within, limit, unit = rule.interval, rule.bound, _unit(rule)
    if rule.rule == _INCREASE and within is not None and limit is not None:
        least = words.level_of(limit, unit)
        if rule.decision == PASS:
            return f"an increase of {least} or more is excluded"
        if rule.decision == INCONCLUSIVE and within.high >= limit:
            return f"an increase of up to {words.size(within.high, unit)} is not excluded"
        if rule.decision == FAIL and within.low > limit:
            return f"an increase of more than {least} is shown"
    if rule.rule == _SAME and within is not None and limit is not None:
        margin = words.level_of(limit, unit)
        if rule.decision == PASS:
            return f"the same within ±{margin}"
        if rule.decision == INCONCLUSIVE and not -limit < within.low <= within.high < limit:
            largest = words.size(max(abs(within.low), abs(within.high)), unit)
            return f"a change of up to {largest} is not excluded"
    if rule.rule == _DEVIATION and within is not None and limit is not None:
        near = f"within {words.level_of(limit, unit)} of the ideal"
        if rule.decision == PASS:
            return f"its bounds keep {near}"
        if rule.decision == INCONCLUSIVE and "baseline" not in rule.reason:
            return f"its bounds do not keep {near}"
    return _called(rule.reason)


def _called(reason: str) -> str:
    """Return a reason that begins with the id of one of our suites with its name there."""
    suite, rest = reason.partition(" ")[::2]
    return f"{title_of(suite)} {rest}" if rest and title_of(suite) else reason


def _unit(rule: RuleResult, *, of_value: bool = False) -> Unit:
    """Return the unit of a check's numbers: of a value itself, or of a difference."""
    metric = selected(rule).metric
    if metric is None or rule.rule in ("min_items", "max_epsilon"):
        return Unit.FRACTION
    return metric.unit if of_value else metric.unit.difference


def is_about(decided: GateResult, result: AuditResult | ComparisonResult) -> bool:
    """Whether every number that a gate judged stands in a result."""
    known = dict(_numbers(result))
    return all(
        rule.value in known.get(rule.selector, ())
        for rule in decided.rules
        if rule.value is not None and selected(rule).metric is not None
    )


def _numbers(
    result: AuditResult | ComparisonResult,
) -> Iterator[tuple[str, tuple[float | None, ...]]]:
    """Yield each selector with the numbers that a rule may judge there."""
    if isinstance(result, AuditResult):
        for one in result.estimates:
            yield _selector(one), (one.value, one.n)
        return
    for found in result.comparisons:
        numbers = (found.difference, found.value_candidate, found.n)
        yield f"{_selector(found)}{_BETWEEN}{found.candidate}", numbers
    for change in result.changes:
        own = change.candidate_estimate
        if own is not None:
            yield f"{_selector(own)}{_BETWEEN}{change.candidate}", (own.value, own.n)


def _selector(entry: Estimate | ComparisonResult | object) -> str:
    parts = (getattr(entry, name) for name in ("protocol", "axis", "group", "name"))
    return _BETWEEN.join(part or "-" for part in parts)
