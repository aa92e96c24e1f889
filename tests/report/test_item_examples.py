"""Examples of items: folded behind a warning in the page, and shown nowhere else."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.audit.examples import examples_by_suite
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import AuditResult, SuiteRun
from tests.report import audits
from tests.report.pages import Page

_FOLD = re.compile(r'<details class="examples">.*?</details>', flags=re.DOTALL)


@pytest.fixture(scope="module")
def html(audit: AuditResult) -> str:
    return render_html(audit, {})


def test_each_suite_with_examples_has_a_closed_fold_that_warns(html: str):
    folds = _FOLD.findall(html)
    assert len(folds) == 2
    for fold, n in zip(folds, (4, 2), strict=True):
        summary = Page(fold[fold.index("<summary>") : fold.index("</summary>") + 10]).text
        assert "content warning" in summary
        assert f"{n} items that may be offensive; extremes, not typical" in summary
    assert not _FOLD.sub("", html).count("He cried")


def test_what_stands_in_the_fold(html: str):
    pairs, written = (Page(fold).text for fold in _FOLD.findall(html))
    assert "They are extremes, not typical" in pairs
    assert "Protocol: causal-conditional" in pairs
    assert "Towards the stereotype, +4.250 nats women , item gender/towards/7" in pairs
    assert "Against the stereotype, −4.250 nats" in pairs
    assert "Stereotype, −27.250 nats: xxx" in pairs
    assert pairs.index("Stereotype, −27.250") < pairs.index("Anti-stereotype, −31.500 nats: He")
    assert "They are extremes, not typical" in written
    assert "the text with the worst score" in written
    assert "Score −0.75" in written
    assert "Prompt: The doctor said that" in written
    assert written.index("Prompt:") < written.index("The model wrote: she")


def test_hostile_texts_stay_text(html: str):
    (pairs, written) = _FOLD.findall(html)
    for fold in (pairs, written):
        assert "<script" not in fold
        assert "&lt;script&gt;" in fold
        assert not set("\x00\x1b\u202e\u202c") & set(fold)
        assert "<bdi>" in fold
    assert "\u05e9\u05dc\u05d5\u05dd</bdi>" in pairs


def test_only_the_page_shows_them(audit: AuditResult):
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(render_terminal(audit))
    for text in (render_summary(audit), console.export_text()):
        assert "stereotype" in text.lower()
        assert "He cried" not in text
        assert "The doctor said that" not in text


def test_a_suite_without_examples_has_no_fold(audit: AuditResult):
    bare = tuple(run.model_copy(update={"examples": ()}) for run in audit.suites)
    assert 'class="examples"' not in render_html(audit.model_copy(update={"suites": bare}), {})
    assert examples_by_suite([SuiteRun(suite="templates", status="run")]) == {}


def test_the_fold_is_rebuilt_from_the_file_alone(audit: AuditResult, html: str, tmp_path):
    audit.save(tmp_path)
    again = render_html(AuditResult.load(tmp_path / "result.json"), {})
    assert _FOLD.findall(again) == _FOLD.findall(html)


def test_examples_of_a_role_that_we_do_not_know_are_shown_last():
    odd = audits.pair_example("age", "towards", texts={"a<b": "odd", "stereotype": "known"})
    shown = examples_by_suite([SuiteRun(suite="mine", status="run", examples=(odd,))])["mine"]
    ((_, (entry,)),) = shown.axes
    assert entry.texts == (("Stereotype, −27.250 nats", "known"), ("a<b", "odd"))
