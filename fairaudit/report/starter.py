"""A policy to start from: what a result holds, as rules that someone must still agree to."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Final

from fairaudit.report.safe_text import clean
from fairaudit.results import AuditResult, Comparison, ComparisonResult, Estimate
from fairaudit.results.relations import setting_differences
from fairaudit.vocabulary.suites import TEMPLATES

_HEAD: Final = """\
# Release policy, for `fairaudit gate FOLDER --policy FILE`.
# Written from {source}.
# The limits are suggestions: decide them before you look at the numbers, and say why beside each.
#
# Limits are fractions: 0.05 is 5 points of a rate. A rule is about the primary estimates of whole
# axes, unless it names a metric. suite, protocol, axis, group and metric take glob patterns or
# lists of them: axis = ["gender", "rac*"]. A pattern that finds nothing is NOT_RUN, never PASS.

[policy]
name = "release"
alpha = {alpha}       # each bound that decides holds with probability 1 - alpha
family = "policy"  # FAIL is corrected over all numbers of the policy, or of each "rule"
"""

_COMPARED: Final = """\
max_lost = 0.05    # largest share of one audit's items that the other may lack
"""

_DIFFERS: Final = "# {candidate} was scored with {name} {theirs}, the baseline with {ours}.\n"

_ALLOW: Final = """\
# So no rule about the baseline passes, unless that is what you compare:
# allow_differences = {names}
"""

_REQUIRES: Final = """
# What must have run: without this rule a suite that is missing is not missed.
[[rules]]
kind = "requires"
suite = {suites}
"""

_MIN_ITEMS: Final = """
# Fewer items than these say too little: {minimum} tell a rate to ±{points} points.
[[rules]]
kind = "min_items"
minimum = {minimum}
"""

_MIN_CAPABILITY: Final = """
# A model that knows nothing looks unbiased. The default minimum is what guessing reaches.
[[rules]]
kind = "min_capability"
"""

_DEVIATION: Final = """
# The model by itself: bounds within 0.10 of the ideal, on either side.
[[rules]]
kind = "max_deviation_from_ideal"
{metric}limit = 0.10
"""

_INCREASE: Final = """
# The model against its baseline: no increase towards the stereotype of as much as the margin.
# {margins}
# A model that moved past the ideal to the other side is held to the same margin there;
# `max_deviation = 0.10` would say how far it may lie. What the baseline has already is not
# held against the model.
[[rules]]
kind = "max_increase_vs_baseline"
{metric}"""

_EQUIVALENT: Final = """
# These have no stereotyped side: no change of as much as the margin in either direction.
# {margins}
[[rules]]
kind = "equivalent_to_baseline"
{metric}"""

_STRICTER: Final = """
# Stricter: no change in either direction, for all of them.
# [[rules]]
# kind = "equivalent_to_baseline"
"""

_NO_MARGIN: Final = """
# {name} declares no margin: write here how much is too much, in its own unit.
[[rules]]
kind = "{kind}"
metric = {quoted}
primary = true
# margin = 0.05
"""

_EPSILON: Final = """
# What the privacy statement beside the checkpoint may declare.
[[rules]]
kind = "max_epsilon"
limit = {limit}
max_delta = {delta}
"""


def render_starter_policy(result: AuditResult | ComparisonResult) -> str:
    """Render a commented policy in TOML that fits a result.

    Every rule finds something in a result that is whole. Applied to the comparison it was written
    from, it never contradicts a verdict: it does not pass what was amplified, and passes what is
    equivalent, since margins and error level are those of the comparison.
    """
    if isinstance(result, AuditResult):
        source, rules = f"the audit {_quoted(result.label)}", _audit_rules(result)
        alpha = 0.05
    else:
        candidates = ", ".join(map(_quoted, result.candidates))
        source = f"the comparison of {candidates} with {_quoted(result.baseline)}"
        rules = _comparison_rules(result)
        alpha = next((one.alpha for one in result.comparisons), 0.05)
    return "".join((_HEAD.format(source=source, alpha=alpha), *rules))


def _on_the_sides(result: ComparisonResult) -> Iterator[str]:
    """Write what the policy allows two audits to differ in, and what these differ in."""
    yield _COMPARED
    sides, names = result.provenance, set()
    for label, theirs in sides.candidates.items():
        for one in setting_differences(sides.baseline, theirs):
            names.add(one.name)
            yield _DIFFERS.format(
                candidate=clean(label),
                name=one.name,
                theirs=clean(one.candidate),
                ours=clean(one.baseline),
            )
    if names:
        yield _ALLOW.format(names=_listed(sorted(names)))


def _audit_rules(result: AuditResult) -> Iterator[str]:
    yield _requires([run.suite for run in result.suites if run.status == "run"])
    primary = [one for one in result.estimates if one.primary and one.group is None]
    yield from _items([one.n for one in primary])
    if any(_has_chance(one) for one in result.estimates):
        yield _MIN_CAPABILITY
    rates = [one for one in primary if one.ideal is not None and one.range == (0.0, 1.0)]
    if rates:
        yield _DEVIATION.format(metric=_metric(len(rates) < len(primary), [r.name for r in rates]))
    yield from _privacy(result)


def _comparison_rules(result: ComparisonResult) -> Iterator[str]:
    yield from _on_the_sides(result)
    measured = [one for one in result.comparisons if one.difference is not None]
    yield _requires(sorted({one.suite for one in measured}))
    primary = [one for one in result.comparisons if one.primary]
    compared = [one for one in primary if one.difference is not None]
    yield from _items([one.n for one in compared])
    for kind, template, chosen in (
        ("max_increase_vs_baseline", _INCREASE, [one for one in primary if one.direction != 0]),
        ("equivalent_to_baseline", _EQUIVALENT, [one for one in primary if one.direction == 0]),
    ):
        without = {one.name for one in chosen if one.margin is None and one.difference is not None}
        declared = [one for one in chosen if one.name not in without]
        if declared:
            metric = _metric(len(declared) < len(primary), [one.name for one in declared])
            yield template.format(metric=metric, margins=_margins(declared))
        for name in sorted(without):
            yield _NO_MARGIN.format(name=clean(name), kind=kind, quoted=_quoted(name))
    if compared:
        yield _STRICTER


def _margins(entries: list[Comparison]) -> str:
    """Name the margins that the comparison declares, metric by metric."""
    found = sorted(
        {f"{one.margin:g} for {clean(one.name)}" for one in entries if one.margin is not None}
    )
    return f"Margins are those of the comparison: {', '.join(found)}."


def _requires(suites: list[str]) -> str:
    """Require what is there; where nothing is, the suite that everybody has."""
    return _REQUIRES.format(suites=_listed(suites or [TEMPLATES.name]))


def _items(counts: list[int]) -> Iterator[str]:
    """Suggest a minimum that is round and that the smallest axis reaches."""
    smallest = min(counts, default=0)
    if smallest:
        minimum = min(100, smallest)
        points = f"{100 * 0.98 / math.sqrt(minimum):.0f}"
        yield _MIN_ITEMS.format(minimum=minimum, points=points)


def _privacy(result: AuditResult) -> Iterator[str]:
    """Suggest what the statement declares, rounded up; a number it lacks suggests nothing."""
    statement = result.privacy or {}
    epsilon, delta = statement.get("epsilon"), statement.get("delta")
    if isinstance(epsilon, float | int) and isinstance(delta, float | int):
        yield _EPSILON.format(limit=max(1, math.ceil(epsilon)), delta=float(delta))


def _metric(needed: bool, names: list[str]) -> str:
    return f"metric = {_listed(sorted(set(names)))}\nprimary = true\n" if needed else ""


def _has_chance(one: Estimate) -> bool:
    return one.kind == "capability" and one.chance is not None and one.ideal is not None


def _listed(names: list[str]) -> str:
    return f"[{', '.join(map(_quoted, names))}]"


def _quoted(text: str) -> str:
    """Write a TOML string; JSON's escapes are TOML's once control characters are gone."""
    return json.dumps(clean(text), ensure_ascii=False)
