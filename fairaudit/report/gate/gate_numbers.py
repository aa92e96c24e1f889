"""The numbers of a gate in words: fractions, as the policy writes them."""

from __future__ import annotations

from typing import Final

from fairaudit.report.words import plural
from fairaudit.results.gate import GateResult, RuleResult

LEGEND: Final = (
    "Limits and values are fractions, as in the policy; in brackets the bounds that must keep the "
    "limit. A check passes because its bounds do, never because a test found no difference."
)

_LIMITS: Final = {
    "max_deviation_from_ideal": "at most {} from the ideal",
    "max_increase_vs_baseline": "less than {} towards the stereotype",
    "equivalent_to_baseline": "within ±{}",
    "min_items": "at least {}",
    "min_capability": "more than {}",
    "max_epsilon": "at most {}",
}


def limit_of(rule: RuleResult) -> str:
    """Return the limit in words: ``at least 100``; empty where there is none."""
    return "" if rule.bound is None else _LIMITS.get(rule.rule, "{}").format(_number(rule.bound))


def value_of(rule: RuleResult) -> str:
    """Return the value; empty where there is none."""
    return "" if rule.value is None else _number(rule.value)


def bounds_of(rule: RuleResult) -> str:
    """Return the one-sided bounds: ``[0.474, 0.526]``; empty where there are none."""
    if rule.interval is None:
        return ""
    return f"[{_number(rule.interval.low)}, {_number(rule.interval.high)}]"


def counted(result: GateResult) -> str:
    """Return how many checks came to which decision: ``9 checks, 2 FAIL, 7 PASS``."""
    parts = (f"{count} {decision}" for decision, count in result.counts.items())
    return ", ".join((plural(len(result.rules), "check"), *parts))


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
