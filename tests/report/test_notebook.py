"""Results in a notebook: what they show by themselves, and figures on demand."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from fairaudit.errors import UsageError
from fairaudit.gating.gate import gate
from fairaudit.report.document import Table, View, plain, seen
from fairaudit.report.documents.of_result import document_of
from fairaudit.report.figures import figures
from fairaudit.results import AuditResult, GateResult
from tests.diagnostics import test_report as diagnoses
from tests.report import audits, comparisons, experiments
from tests.report.pages import Page
from tests.report.plant import planted


def _gate() -> GateResult:
    rule = {"kind": "max_increase_vs_baseline", "suite": "*", "margin": 0.02}
    missing = {"kind": "min_items", "suite": "seat", "minimum": 10}
    return gate(comparisons.whole_comparison(9), {"rules": [rule, missing]})


_RESULTS = {
    "audit": audits.whole_audit,
    "comparison": comparisons.whole_comparison,
    "ten": lambda: comparisons.whole_comparison(9),
    "experiment": experiments.complete,
    "diagnosis": diagnoses.result,
    "empty": audits.empty_audit,
    "gate": _gate,
}
_TAGS = {"div", "p", "strong", "br", "code", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("kind", _RESULTS)
def test_what_a_notebook_shows_is_whole_and_harmless(kind: str):
    shown = planted(_RESULTS[kind]())._repr_html_()
    page = Page(shown)
    assert {tag for tag, _ in page.tags} <= _TAGS
    assert not [attrs for _, attrs in page.tags if attrs]
    assert len(shown) < 40_000


@pytest.mark.parametrize("kind", _RESULTS)
def test_printed_results_fit_one_screen(kind: str):
    """Issue 28.8: they had up to 128,893 characters, and notebooks stored them beside the HTML."""
    result = planted(_RESULTS[kind]())
    for shown in (repr(result), str(result), f"{result}"):
        lines = shown.splitlines()
        assert 2 <= len(lines) <= 22
        assert max(map(len, lines)) <= 120
    assert lines[0].startswith(type(result).__name__)


def test_a_printed_comparison_says_what_its_page_says():
    result = comparisons.whole_comparison()
    assert "Worse on gender" in str(result)
    (row,) = [line for line in str(result).splitlines() if "+9.8 points" in line]
    assert "▲ amplified" in row
    assert "[+6.7, +12.8]" in row


@pytest.mark.parametrize("kind", ["audit", "comparison", "ten"])
def test_printing_abridges_names_and_never_numbers(kind: str):
    result = _RESULTS[kind]()
    table = next(block for block in seen(document_of(result).head, View.SCREEN)
                 if isinstance(block, Table))  # fmt: skip
    shown = [line for line in str(result).splitlines() if "  " in line][1:]
    for entry, line in zip(table.entries, shown, strict=False):
        for column in table.columns[:-1]:
            assert column.style == "name" or plain(column.cell(entry)) in line


def test_a_gate_shows_the_worst_checks_first():
    shown = Page(_gate()._repr_html_()).text
    assert "Release gate: FAIL" in shown
    printed = str(_gate()).splitlines()
    assert printed[0] == "GateResult: Release gate: FAIL"
    assert printed[3].startswith("FAIL")
    assert printed[-1].endswith("more: see explain()")


def test_an_audit_shows_its_answer_and_its_primary_estimates(audit: AuditResult):
    text = Page(audit._repr_html_()).text
    assert "5 lean towards the stereotype" in text
    assert "61.9 % [51.3, 72.6] 960" in text


def test_a_comparison_shows_its_verdicts():
    text = Page(comparisons.whole_comparison()._repr_html_()).text
    assert "Worse on gender" in text
    assert "+9.8 points [+6.7, +12.8] 960 ▲ amplified" in text
    long = Page(comparisons.whole_comparison(9)._repr_html_()).text
    assert "and 87 more: see to_frame()" in long


@pytest.mark.parametrize("kind", ["audit", "comparison", "experiment", "diagnosis"])
def test_every_figure_of_the_folder_can_be_drawn_alone(kind: str, tmp_path: Path):
    result = _RESULTS[kind]()
    drawn = figures(result)
    first = result.plot()
    assert first.name == next(iter(drawn))
    assert first._repr_png_() == drawn[first.name]
    assert first.save(tmp_path / "figure.png").read_bytes() == drawn[first.name]
    with Image.open(io.BytesIO(result.plot(list(drawn)[-1])._repr_png_())) as picture:
        assert picture.format == "PNG"
    assert first.figure.axes


def test_figures_that_there_are_not(audit: AuditResult, empty: AuditResult):
    with pytest.raises(UsageError, match="there are preference, log_odds, capability, groups"):
        audit.plot("nothing")
    with pytest.raises(UsageError, match="nothing to draw"):
        empty.plot()
