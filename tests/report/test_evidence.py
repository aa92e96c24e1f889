from __future__ import annotations

from fairaudit.report.frameworks import Evidence, asked_by, evidence
from fairaudit.report.html import render_html
from fairaudit.results import AuditResult, SuiteRun
from fairaudit.suites import PROBE, SUITES
from tests.report import audits, comparisons
from tests.report.pages import Page


def _run(suite: str, *tags: str, ran: bool = True) -> SuiteRun:
    return SuiteRun(suite=suite, status="run" if ran else "not_run", evidence=tags)


def test_tags_gather_their_suites():
    runs = (
        _run("one", "NIST AI RMF MEASURE 2.11", "NIST AI RMF MEASURE 2.2"),
        _run("two", "NIST AI RMF MEASURE 2.11", ran=False),
        _run("three"),
    )
    second, eleventh = evidence(runs)
    assert second == Evidence("NIST AI RMF MEASURE 2.2", "", ("one",), ())
    assert (eleventh.ran, eleventh.missing) == (("one",), ("two",))
    assert evidence(()) == ()


def test_a_number_is_not_taken_for_its_beginning():
    assert "bias" in asked_by("NIST AI RMF MEASURE 2.11")
    assert "metrics" in asked_by("NIST AI RMF MEASURE 2.1")
    assert asked_by("NIST AI RMF MEASURE 2.111") == asked_by("EU AI Act Annex XII") == ""


def test_every_tag_of_our_suites_is_explained():
    tags = {tag for suite in (*SUITES, PROBE) for tag in suite.card.evidence}
    assert {tag.partition(" Annex")[0].partition(" MEASURE")[0] for tag in tags} == {
        "EU AI Act",
        "NIST AI RMF",
    }
    assert not [tag for tag in tags if not asked_by(tag)]


def test_the_table_of_an_audit(audit: AuditResult):
    text = Page(render_html(audit, {})).text
    assert "EU AI Act Annex XI 2(c)" in text
    assert "Embedded templates, CrowS-Pairs, StereoSet" in text
    assert "the difference from the base model is the evidence" in text


def test_the_table_of_a_comparison():
    html = render_html(comparisons.whole_comparison(), {})
    assert 'href="#evidence"' in html
    assert "NIST AI RMF MEASURE 2.11" in Page(html).text


def test_no_table_without_tags():
    assert "evidence-title" not in render_html(audits.empty_audit(), {})
