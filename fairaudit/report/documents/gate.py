"""A gate as a document: rule by rule, every check with its number and the reason."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from fairaudit.report import words
from fairaudit.report.document import (
    Column,
    Content,
    Document,
    Group,
    Heading,
    Paragraph,
    Span,
    Table,
    View,
)
from fairaudit.results.gate import GateDecision, GateResult, RuleResult
from fairaudit.vocabulary.units import Unit

LEGEND: Final = (
    "Limits and values are fractions, as in the policy; in brackets the bounds that must keep the "
    "limit. A check passes because its bounds do, never because a test found no difference."
)

LIMITS: Final = {
    "max_deviation_from_ideal": "at most {} from the ideal",
    "max_increase_vs_baseline": "less than {} towards the stereotype",
    "equivalent_to_baseline": "within ±{}",
    "min_items": "at least {}",
    "min_capability": "more than {}",
    "max_epsilon": "at most {}",
}


def gate_document(result: GateResult) -> Document:
    """Build the document of a gate, in the order of the policy."""
    worst = sorted(result.rules, key=lambda one: one.decision.rank)
    decision, counted = _decision(result.decision), counts(result)
    told = View.SUMMARY | View.SCREEN
    head = (
        Heading(("Release gate: ", decision), told),
        Paragraph(f"{counted}.", views=told),
        Table(_LINES, _by_rule(result), views=View.TERMINAL),
        Table(_CHECKLIST, result.rules, listed=True, views=View.SUMMARY),
        Table(_WORST, worst, views=View.SCREEN),
        Paragraph((decision, f": {counted}"), views=View.TERMINAL),
        Paragraph(LEGEND, "intro", View.SHORT),
    )
    return Document("Release gate", head, whole="explain()")


def limit_of(rule: RuleResult) -> str:
    """Return the limit in words: ``at least 100``; empty where there is none."""
    limit = words.quantity(rule.bound, Unit.FRACTION)
    return "" if rule.bound is None else LIMITS.get(rule.rule, "{}").format(limit)


def counts(result: GateResult) -> str:
    """Return how many checks came to which decision: ``9 checks, 2 FAIL, 7 PASS``."""
    parts = (f"{count} {decision}" for decision, count in result.counts.items())
    return ", ".join((words.plural(len(result.rules), "check"), *parts))


def _by_rule(result: GateResult) -> list[Group]:
    kinds = groupby(result.rules, lambda one: (one.rule, limit_of(one)))
    return [
        Group("", list(checks), (Span(rule, "strong"), f"  {limit}"))
        for (rule, limit), checks in kinds
    ]


def _decision(decision: GateDecision) -> Span:
    return Span(decision, decision.lower())


def _boxed(rule: RuleResult) -> Content:
    box = Span("x" if rule.decision == GateDecision.PASS else " ", "box")
    return box, " ", Span(_decision(rule.decision), "strong"), " ", rule.rule


def _whole(rule: RuleResult) -> Content:
    """Return the value and its bounds, as far as there are any."""
    if rule.value is None and rule.interval is not None:
        return words.bounds(rule.interval, Unit.FRACTION)
    return "" if rule.value is None else words.quantity(rule.value, Unit.FRACTION, rule.interval)


def _number(rule: RuleResult) -> Content:
    value = "" if rule.value is None else words.quantity(rule.value, Unit.FRACTION)
    bounds = "" if rule.interval is None else words.bounds(rule.interval, Unit.FRACTION)
    return value, Span("", "break"), Span(bounds, "aside")


_LINES: Final = (
    Column("", lambda one: _decision(one.decision)),
    Column("", _number),
    Column("", lambda one: (one.selector, Span("", "break"), Span(one.reason, "aside")), "wrap"),
)
_CHECKLIST: Final = (
    Column("", _boxed),
    Column("", limit_of),
    Column("", lambda one: one.selector),
    Column("", _whole),
    Column("", lambda one: one.reason),
)
_WORST: Final = (
    Column("Decision", lambda one: _decision(one.decision), "name"),
    Column("Rule", lambda one: f"{one.rule} {limit_of(one)}".rstrip(), "name"),
    Column("Number", lambda one: one.selector, "name"),
    Column("Value", _whole),
    Column("Why", lambda one: one.reason),
)
