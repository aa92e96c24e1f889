"""A gate as a document: what does not pass first, every check with its number and the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.report import words
from fairaudit.report.document import (
    Block,
    Column,
    Content,
    Document,
    Folded,
    Heading,
    Items,
    Notice,
    Paragraph,
    Span,
    Table,
    View,
)
from fairaudit.report.gate_words import (
    bounds_of,
    limit_of,
    reason_of,
    rule_name,
    selected,
    value_of,
)
from fairaudit.results.gate import GateDecision, GateResult, RuleResult

LEGEND: Final = (
    "In brackets stand the bounds that must keep the limit. A check passes because its bounds do, "
    "never because a test found no difference. gate.json holds the same as fractions, by id."
)
#: Checks of a banner by name; the others are counted.
_NAMED: Final = 6
#: Checks that pass, on a line each, in a terminal.
_PASSED: Final = 12


def gate_document(result: GateResult) -> Document:
    """Build the document of a gate: what does not pass first, what passes folded."""
    open_, passed = _parted(result)
    decision, counted = _decision(result.decision), counts(result)
    told = View.SUMMARY | View.SCREEN
    head: list[Block] = [
        Heading(("Release gate: ", decision), told),
        Paragraph(f"{counted}.", views=told),
    ]
    if open_:
        head.append(Table(_LINES, open_, views=View.TERMINAL))
        head.append(Table(_CHECKLIST, open_, listed=True, views=View.SUMMARY))
    if passed:
        said = f"{words.plural(len(passed), 'check passes', 'checks pass')}:"
        head.append(Paragraph((Span(said, "strong"),), views=View.TERMINAL))
        lines = [_in_short(one) for one in passed[:_PASSED]]
        more = len(passed) - len(lines)
        rest = [f"and {more} more: see gate.json"] if more else []
        head.append(Items([*lines, *rest], "aside", View.TERMINAL))
        inside = Table(_CHECKLIST, passed, listed=True, views=View.SUMMARY)
        head.append(Folded(said.rstrip(":"), (inside,), views=View.SUMMARY))
    head += [
        Table(_WORST, [*open_, *passed], views=View.SCREEN),
        Paragraph((decision, f": {counted}"), views=View.TERMINAL),
        Paragraph(LEGEND, "intro", View.SHORT),
    ]
    return Document("Release gate", tuple(head), whole="explain()")


def gate_banner(result: GateResult) -> Iterator[Block]:
    """Yield the decision of a gate, for the top of the report of what it judged."""
    open_, passed = _parted(result)
    views = View.PAGE | View.SUMMARY
    blocks: list[Block] = [
        Paragraph((Span(("Release gate: ", _decision(result.decision)), "strong"),
                   f" – {counts(result)}."), views=views)
    ]  # fmt: skip
    if open_:
        lines = [_line(one) for one in open_[:_NAMED]]
        more = len(open_) - len(lines)
        blocks.append(Items([*lines, *([f"and {more} more"] if more else [])], views=views))
    if passed:
        said = words.plural(len(passed), "check passes", "checks pass")
        blocks.append(Folded(said, (Items([_line(one) for one in passed]),)))
    style = "notice" if result.decision == GateDecision.PASS else "warning"
    yield Notice(blocks, "Release gate", style, views)


def counts(result: GateResult) -> str:
    """Return how many checks came to which decision: ``9 checks, 2 FAIL, 7 PASS``."""
    parts = (f"{count} {decision}" for decision, count in result.counts.items())
    return ", ".join((words.plural(len(result.rules), "check"), *parts))


def _parted(result: GateResult) -> tuple[list[RuleResult], list[RuleResult]]:
    """Return what does not pass, the worst first, and what does."""
    passed = [one for one in result.rules if one.decision == GateDecision.PASS]
    others = [one for one in result.rules if one.decision != GateDecision.PASS]
    return sorted(others, key=lambda one: one.decision.rank), passed


def _decision(decision: GateDecision) -> Span:
    return Span(decision, decision.lower())


def _line(rule: RuleResult) -> Content:
    """Return a check on one line: decision, rule with its limit, number, bounds, and why."""
    number = " ".join(filter(None, (value_of(rule), bounds_of(rule))))
    parts = (rule_name(rule), limit_of(rule))
    head = f" {', '.join(filter(None, parts))} – {selected(rule).named}"
    return _decision(rule.decision), head, f" {number}" if number else "", f": {reason_of(rule)}"


def _in_short(rule: RuleResult) -> Content:
    number = " ".join(filter(None, (value_of(rule), bounds_of(rule))))
    return f"{rule_name(rule)}: {selected(rule).named}" + (f", {number}" if number else "")


def _boxed(rule: RuleResult) -> Content:
    box = Span("x" if rule.decision == GateDecision.PASS else " ", "box")
    return box, " ", Span(_decision(rule.decision), "strong"), " ", rule_name(rule)


def _whole(rule: RuleResult) -> Content:
    """Return the value and its bounds, as far as there are any."""
    value, bounds = value_of(rule), bounds_of(rule)
    return value, " " if value and bounds else "", bounds


def _number(rule: RuleResult) -> Content:
    return value_of(rule), Span("", "break"), Span(bounds_of(rule), "aside")


def _why(rule: RuleResult) -> Content:
    named = ", ".join(filter(None, (rule_name(rule), limit_of(rule))))
    return (
        selected(rule).named,
        Span("", "break"),
        Span(named, "strong"),
        Span("", "break"),
        Span(reason_of(rule), "aside"),
    )


_LINES: Final = (
    Column("", lambda one: _decision(one.decision)),
    Column("", _number),
    Column("", _why, "wrap"),
)
_CHECKLIST: Final = (
    Column("", _boxed),
    Column("", limit_of),
    Column("", lambda one: selected(one).named),
    Column("", _whole),
    Column("", reason_of),
)
_WORST: Final = (
    Column("Decision", lambda one: _decision(one.decision), "name"),
    Column("Rule", lambda one: f"{rule_name(one)} {limit_of(one)}".rstrip(), "name"),
    Column("Number", lambda one: selected(one).named, "name"),
    Column("Value", _whole),
    Column("Why", reason_of),
)
