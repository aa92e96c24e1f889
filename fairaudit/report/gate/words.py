"""The numbers of a gate in words: fractions, as the policy writes them."""

from __future__ import annotations

from typing import Final

from fairaudit.report.words import MISSING, level_name, plural
from fairaudit.results.gate import GateResult, RuleResult

LEGEND: Final = (
    "Limits and values are fractions, as in the policy. A rule passes when the bound of its number "
    "keeps the limit, not when a test finds no difference."
)

_SIDES: Final = {
    "max_deviation_from_ideal": "at most {} from the ideal",
    "max_increase_vs_baseline": "less than {}",
    "equivalent_to_baseline": "within ±{}",
    "min_items": "at least {}",
    "min_capability": "more than {}",
    "max_epsilon": "at most {}",
}


def limit_of(rule: RuleResult) -> str:
    """Return the limit in words: ``at least 100``, or a dash."""
    if rule.bound is None:
        return MISSING
    return _SIDES.get(rule.rule, "{}").format(_number(rule.bound))


def number_of(rule: RuleResult) -> str:
    """Return value and bounds: ``0.031 [0.01, 0.05] (90 %)``, only the value, or a dash."""
    if rule.value is None:
        return MISSING
    if rule.interval is None:
        return _number(rule.value)
    low, high = _number(rule.interval.low), _number(rule.interval.high)
    return f"{_number(rule.value)} [{low}, {high}] ({level_name(rule.interval.level)})"


def counted(result: GateResult) -> str:
    """Return how many checks came to which decision: ``9 checks, 2 FAIL, 7 PASS``."""
    parts = (f"{count} {decision}" for decision, count in result.counts.items())
    return ", ".join((plural(len(result.rules), "check"), *parts))


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
