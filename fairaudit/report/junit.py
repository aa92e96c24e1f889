"""A gate as JUnit XML: what test dashboards and CI systems read.

A suite of the audit is a ``<testsuite>``, a check a ``<testcase>``. FAIL is a ``<failure>``,
INCONCLUSIVE an ``<error>`` (``<skipped>`` where undecided is allowed), NOT_RUN is ``<skipped>``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

from fairaudit.results.gate import GateDecision, GateResult, RuleResult

#: Everything that XML 1.0 does not allow, not even as a character reference.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTS: Final = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(result: GateResult, *, allow_inconclusive: bool = False) -> str:
    """Render a gate as JUnit XML.

    Parameters
    ----------
    result : GateResult
        The decision, check by check.
    allow_inconclusive : bool
        Report INCONCLUSIVE as skipped rather than as an error; not where a check is refused.

    Returns
    -------
    str
        An XML document; characters that XML forbids are gone from labels and reasons.
    """
    outcomes = {one: one.junit for one in GateDecision}
    if allow_inconclusive:
        outcomes[GateDecision.INCONCLUSIVE] = GateDecision.NOT_RUN.junit
    root = ElementTree.Element("testsuites", name="fairaudit gate")
    by_suite: dict[str, list[RuleResult]] = {}
    for rule in result.rules:
        by_suite.setdefault(suite_of(rule), []).append(rule)
    for suite, rules in by_suite.items():
        element = ElementTree.SubElement(root, "testsuite", name=_legal(suite))
        for rule in rules:
            at_fault = rule.refused and rule.decision != GateDecision.FAIL
            outcome = GateDecision.INCONCLUSIVE.junit if at_fault else outcomes[rule.decision]
            element.append(_case(rule, suite, outcome))
        _count(element)
    _count(root)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def suite_of(rule: RuleResult) -> str:
    """Return the suite that a check is about, as its selector says; globs as they are."""
    first = rule.selector.partition(" | ")[0]
    return first.partition("/")[0].partition(" (")[0]


def _case(rule: RuleResult, suite: str, outcome: str | None) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_legal(f"fairaudit.{suite}"),
        name=_legal(f"{rule.rule}: {rule.selector}"),
        time="0",
    )
    properties = ElementTree.SubElement(case, "properties")
    for name, value in _properties(rule):
        ElementTree.SubElement(properties, "property", name=name, value=_legal(str(value)))
    if outcome is not None:
        ElementTree.SubElement(case, outcome, message=_legal(rule.reason), type=rule.decision)
    return case


def _properties(rule: RuleResult) -> Iterator[tuple[str, object]]:
    """Everything a dashboard may want to plot; what is missing is left out."""
    fields: dict[str, object] = {
        "decision": rule.decision,
        "reason": rule.reason,
        "estimate": rule.value,
        "bound": rule.bound,
        "n": rule.n,
        "p_adjusted": rule.p_adjusted,
    }
    if rule.interval is not None:
        fields |= {
            "interval_low": rule.interval.low,
            "interval_high": rule.interval.high,
            "interval_level": rule.interval.level,
            "interval_method": rule.interval.method,
        }
    return ((name, value) for name, value in fields.items() if value is not None)


def _count(element: ElementTree.Element) -> None:
    element.set("tests", str(len(list(element.iter("testcase")))))
    for attribute, tag in _COUNTS.items():
        element.set(attribute, str(len(list(element.iter(tag)))))
    element.set("time", "0")


def _legal(text: str) -> str:
    return _FORBIDDEN.sub("", text)
