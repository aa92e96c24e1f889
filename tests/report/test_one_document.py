"""One document for every view: a number that a short view shows stands in the page too."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.card.text import BEGIN
from fairaudit.report.card.update import render_card
from fairaudit.report.documents.of_result import Result, document_of
from fairaudit.report.documents.prose import prose
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import AuditResult, ComparisonResult
from tests.diagnostics import test_report as diagnoses
from tests.report import audits, comparisons, experiments, maps, test_measured
from tests.report.pages import Page

RECORDED = Path(__file__).resolve().parents[1] / "recorded"
RESULTS = {
    "audit": audits.whole_audit,
    "audit, long names": lambda: audits.whole_audit(audits.LONG),
    "audit, guessing": lambda: audits.guessing_about_religion(audits.whole_audit()),
    "audit, two metrics": test_measured.audited,
    "audit, nothing": audits.empty_audit,
    "recorded audit": lambda: AuditResult.load(RECORDED / "audit-version-1.json"),
    "comparison": comparisons.whole_comparison,
    "comparison of three": lambda: comparisons.whole_comparison(3),
    "comparison of nine": lambda: comparisons.whole_comparison(9),
    "comparison, undecided": comparisons.undecided,
    "comparison, half missing": comparisons.half_missing,
    "comparison, two metrics": test_measured.compared,
    "recorded comparison": lambda: ComparisonResult.load(RECORDED / "comparison-version-1.json"),
    "diagnosis": diagnoses.result,
    "diagnosis of one": lambda: diagnoses.result(steps=(None,)),
    "diagnosis of two": lambda: diagnoses.result(steps=(None, None), public=False),
    "experiment": experiments.complete,
    "experiment of one seed": lambda: experiments.whole_experiment(1),
    "experiment of the base": lambda: experiments.whole_experiment(arms=("base",)),
    "experiment, many arms": experiments.many_arms,
    "experiment, failures": experiments.with_failures,
    "experiment in regimes": experiments.in_regimes,
    "experiment, hostile": experiments.hostile,
    "regimes, hostile": experiments.hostile_regimes,
    "map": maps.whole_map,
    "map, hostile": maps.hostile_map,
}
_NUMBER = re.compile(r"[−+±<>]?\d[\d,]*(?:\.\d+)?(?:e[−+]?\d+)?")


def numbers(text: str) -> set[str]:
    return {found.rstrip(",") for found in _NUMBER.findall(text)}


def terminal(result: Result) -> str:
    stream = io.StringIO()
    Console(file=stream, width=400, color_system=None).print(render_terminal(result))
    return stream.getvalue()


def summary(result: Result) -> str:
    return re.sub(r"\]\([^)]*\)|</?\w+>", "", render_summary(result)).replace("\\", "")


@pytest.fixture(scope="module", params=RESULTS)
def result(request: pytest.FixtureRequest) -> Result:
    return RESULTS[request.param]()


@pytest.fixture(scope="module")
def page(result: Result) -> set[str]:
    return numbers(Page(render_html(result, {})).text)


@pytest.mark.parametrize("view", [terminal, summary, str])
def test_every_number_of_a_short_view_stands_in_the_page(view, result: Result, page: set[str]):
    shown = re.sub(r"and [\d,]+ more", "", view(result))
    assert not numbers(shown) - page


def test_every_number_of_a_card_stands_in_the_page(result: Result, page: set[str]):
    if not isinstance(result, AuditResult | ComparisonResult):
        return
    names = result.candidates if isinstance(result, ComparisonResult) else (None,)
    for name in names[:3]:
        body = render_card(result, candidate=name).split(BEGIN)[1].split("<sub>")[0]
        # A blob id is shortened there.
        shown = re.sub(r"`[^`]*`|<!-- -->|\\", "", body)
        assert not numbers(shown) - page


def test_the_walk_finds_a_number_that_differs():
    assert numbers("61.9 % [51.3, 72.6], n 1,508") == {"61.9", "51.3", "72.6", "1,508"}
    assert numbers("−4.37e−05") - numbers("−4.4e−05")


def tables(blocks: Sequence[doc.Block]) -> Iterator[doc.Table]:
    for block in blocks:
        if isinstance(block, doc.Table):
            yield block
        elif isinstance(block, doc.Section | doc.Folded | doc.Box | doc.Notice):
            yield from tables(block.blocks)


def typed(content: doc.Content) -> bool:
    """Whether the first number of a cell knows its value; a missing one only says why."""
    for run in doc.runs(content):
        if isinstance(run, words.Number) or doc.plain(run).startswith(words.MISSING):
            return True
        if any(character.isdigit() for character in doc.plain(run)):
            return isinstance(run, doc.Span) and typed(run.content)
    return True


def test_numbers_of_tables_are_typed(result: Result):
    document = document_of(result)
    found = [table for part in (document.head, document.sections) for table in tables(part)]
    for table in found:
        for _, entry in table.rows:
            cells = table.cells(entry) if entry is not None else ()
            for column, cell in zip(table.columns, cells, strict=False):
                assert column.style != "num" or typed(cell), (column.head, doc.plain(cell))
    assert found


@pytest.mark.parametrize("kind", ["audit", "comparison", "diagnostics", "experiment", "map"])
def test_every_fixed_word_of_a_page_is_shown(kind: str):
    """No introduction is left over in the file of a page's words."""
    folder = Path(doc.__file__).parent / "documents"
    code = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    for key, _ in prose(kind).of("intro"):
        assert f'"{key}"' in code
