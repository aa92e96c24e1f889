"""The decision of a gate where people read: names, points, one phrase a bound, and on the page."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import fairaudit
from fairaudit.cli import app as program
from fairaudit.gating.gate import gate
from fairaudit.report.card.update import render_card
from fairaudit.report.deciding import deciding, increase_said
from fairaudit.report.files import write_report
from fairaudit.report.gate_words import is_about, limit_of, reason_of, selected
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import ComparisonResult, GateResult
from fairaudit.results.gate import RuleResult
from tests.report.comparisons import comparison, interval, result
from tests.report.pages import Page

_POLICY = """
[policy]
alpha = 0.05
[[rules]]
kind = "max_increase_vs_baseline"
margin = 0.05
[[rules]]
kind = "min_items"
minimum = 100
"""


def _two() -> ComparisonResult:
    open_ = comparison(verdict="inconclusive", value_candidate=0.541, difference=0.01,
                       deviation_change=0.01, interval=interval(-0.0488, 0.0688), se=0.03,
                       p_value=0.74, p_adjusted=1.0)  # fmt: skip
    kept = open_.model_copy(
        update={"axis": "race", "se": 0.01, "interval": interval(-0.0096, 0.0296)}
    )
    return result([kept, open_])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = _two()
    made.save(tmp_path / "compared")
    write_report(made, tmp_path / "compared")
    (tmp_path / "release.toml").write_text(_POLICY)
    return tmp_path / "compared"


def _gate(folder: Path) -> str:
    policy = str(folder.parent / "release.toml")
    asked = ["gate", str(folder), "--policy", policy]
    done = CliRunner().invoke(program.app, asked, env={"COLUMNS": "200"})
    assert done.exit_code == 3, done.output
    return done.output


def test_what_does_not_pass_comes_first_with_names_and_points(folder: Path):
    said = " ".join(_gate(folder).split())
    open_ = said.index("Gender: stereotype preference rate (CrowS-Pairs, causal-sum)")
    assert open_ < said.index("3 checks pass:") < said.index("Race: stereotype preference rate")
    assert "No increase, less than 5 points towards the stereotype" in said
    assert "an increase of up to 5.9 points is not excluded" in said
    assert "+1.0 points" in said
    assert "max_increase" not in said
    assert "crows_pairs/" not in said


def test_the_decision_stands_on_the_page_and_goes_with_it(folder: Path):
    before = (folder / "report.html").read_text()
    assert "Release gate" not in before
    _gate(folder)
    text = Page((folder / "report.html").read_text()).text
    assert "Release gate: INCONCLUSIVE – 4 checks, 1 INCONCLUSIVE, 3 PASS." in text
    start = text.index("2 primary comparisons")
    assert text.index("Release gate") < text.index("Verdicts", start)
    summary = (folder / "summary.md").read_text()
    assert "Release gate: INCONCLUSIVE" in summary
    assert "3 checks pass" in text
    (folder / "gate.json").unlink()
    write_report(_two(), folder)
    assert (folder / "report.html").read_text() == before


def test_report_and_gate_call_a_bound_by_one_phrase():
    made = _two()
    decided = gate(made, {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.05}]})
    said = {one.axis: increase_said(one) for one in made.comparisons}
    told = [reason_of(check) for check in decided.rules]
    assert told == [said["race"], said["gender"]]
    assert told[0] == "an increase of 5 points or more is excluded"
    used = deciding(made.comparisons[1])
    assert used is not None
    assert re.search(r"up to 5\.9 points", told[1])


def test_a_bound_is_told_alike_on_page_terminal_summary_card_and_by_the_gate():
    """ "Compatible with up to 5.5 points" stood against "PASS, at most 4.5"."""
    made = _two()
    decided = gate(made, {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.05}]})
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(render_terminal(made))
    told = {
        "page": Page(render_html(made, {})).text,
        "terminal": console.export_text(),
        "summary": render_summary(made),
        "card": render_card(made, candidate="dp"),
        "gate": render_summary(decided),
    }
    for one in made.comparisons:
        for place, text in told.items():
            assert increase_said(one) in " ".join(text.split()).lower(), place


def test_what_fails_stands_above_what_passes_in_the_step_summary():
    rules = tuple(
        RuleResult(rule="min_items", selector=f"s{place}", decision=one, bound=5, reason="r")
        for place, one in enumerate(("PASS", "INCONCLUSIVE", "FAIL"))
    )
    found = GateResult(decision="FAIL", exit_code=1, policy_hash="ab", rules=rules)
    for text in (render_summary(found), str(found)):
        told = text.partition("check")[2].partition("PASS")[2]
        assert told.index("FAIL") < told.index("INCONCLUSIVE") < told.index("PASS")
    summary = render_summary(found)
    assert summary.index("<details>") < summary.index("**PASS**")


def test_a_decision_about_another_result_is_not_shown(folder: Path):
    other = result([comparison()])
    decided = gate(other, {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.05}]})
    assert is_about(decided, other)
    assert not is_about(decided, _two())
    decided.save(folder)
    write_report(_two(), folder)
    assert "Release gate" not in (folder / "report.html").read_text()


def test_a_selector_that_found_nothing_stays_as_the_policy_wrote_it():
    decided = gate(_two(), {"rules": [{"kind": "min_items", "minimum": 5, "axis": "nat*"}]})
    (missing,) = decided.rules
    assert missing.decision == "NOT_RUN"
    assert selected(missing).named == missing.selector
    assert limit_of(missing) == ""
    assert "no number for the axis" in render_summary(decided)


def test_a_gate_shows_itself_in_a_notebook():
    decided = fairaudit.gate(_two(), {"rules": [{"kind": "min_items", "minimum": 100}]})
    assert "Release gate: PASS" in Page(decided._repr_html_()).text
