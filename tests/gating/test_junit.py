"""JUnit XML as a CI system reads it, by a parser of somebody else."""

from __future__ import annotations

import pytest
from junitparser import Error, Failure, JUnitXml, Properties, Skipped

import fairaudit
from fairaudit.report.junit import render_junit
from fairaudit.results import GateResult, RuleResult
from tests.gating import cases
from tests.gating.results import audit, few_clusters, policy, rate

HOSTILE = "a\x00b\x1b[31m <script>&\"' \ufffe\ud800 ü 🎉"


@pytest.fixture
def gated() -> GateResult:
    result = audit(rate(0.5), rate(0.75, axis="race"), few_clusters())
    rules = (cases.DEVIATION, cases.RAN, cases.MISSED, cases.EPSILON)
    return fairaudit.gate(result, policy(*rules))


def parsed(tmp_path, text: str) -> JUnitXml:
    path = tmp_path / "junit.xml"
    path.write_text(text, encoding="utf-8")
    return JUnitXml.fromfile(str(path))


def outcomes(xml: JUnitXml) -> dict[str, list[type]]:
    return {case.name: [type(one) for one in case.result] for suite in xml for case in suite}


def test_each_decision_has_its_outcome(gated, tmp_path):
    xml = parsed(tmp_path, render_junit(gated))
    assert [suite.name for suite in xml] == ["templates", "stereoset", "privacy"]
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (6, 1, 1, 2)
    found = outcomes(xml)
    where = "max_deviation_from_ideal: templates/causal-conditional | {} | - | " + (
        "stereotype_preference_rate"
    )
    assert found[where.format("gender")] == []
    assert found[where.format("race")] == [Failure]
    assert found[where.format("religion")] == [Error]
    assert found["requires: stereoset"] == [Skipped]
    assert found["max_epsilon: privacy"] == [Skipped]
    for suite in xml:
        assert suite.tests == len(list(suite))


def test_inconclusive_is_skipped_where_it_is_allowed(gated, tmp_path):
    xml = parsed(tmp_path, render_junit(gated, allow_inconclusive=True))
    assert (xml.failures, xml.errors, xml.skipped) == (1, 0, 3)


def test_numbers_are_properties_and_the_reason_is_the_message(gated, tmp_path):
    xml = parsed(tmp_path, render_junit(gated))
    case = next(one for one in next(iter(xml)) if "race" in one.name)
    properties = {one.name: one.value for one in case.child(Properties)}
    rule = next(rule for rule in gated.rules if "race" in rule.selector)
    assert float(properties["estimate"]) == 0.75
    assert float(properties["interval_low"]) == rule.interval.low
    assert float(properties["interval_high"]) == rule.interval.high
    assert float(properties["p_adjusted"]) == rule.p_adjusted
    assert (properties["n"], properties["bound"]) == ("1000", "0.1")
    assert case.result[0].message == rule.reason
    assert case.result[0].type == "FAIL"


def test_what_xml_forbids_is_gone(tmp_path):
    hostile = RuleResult(
        rule="requires", selector=f"{HOSTILE}/x | all | - | y", decision="FAIL", reason=HOSTILE
    )
    gated = GateResult(decision="FAIL", exit_code=1, policy_hash="", rules=(hostile,))
    xml = parsed(tmp_path, render_junit(gated))
    case = next(iter(next(iter(xml))))
    assert case.result[0].message == "ab[31m <script>&\"'  ü 🎉"
