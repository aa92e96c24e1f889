from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.audit.terminal import render_table
from fairaudit.report.escape import code, escape
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import AuditResult
from tests.report import audits


def test_one_row_per_primary_estimate_that_links_into_the_report(audit: AuditResult):
    text = render_summary(audit)
    targets = re.findall(r"\]\(report\.html#([a-z0-9-]+)\)", text)
    assert len(targets) == 19
    html = render_html(audit, {})
    assert all(f'id="{target}"' in html for target in targets)
    assert "**61.9 %** [51.3, 72.6] · n 960" in text
    assert "- [ ]" not in text


def test_summary_tells_what_is_missing(audit: AuditResult, empty: AuditResult):
    text = render_summary(audit)
    assert "**CrowS-Pairs, Névéol revision**: the file could not be fetched" in text
    assert "– (no item was scored" in text
    assert "without an interval (3 clusters: fewer than the 10 an interval needs)" in text
    assert "3 of 12 capability estimates are not shown to be above chance" in text
    assert "skipped items" in text
    assert text.count("leans towards the stereotype, but not after correction") == 4
    assert "not interpretable" not in text
    guessing = render_summary(audits.guessing_about_religion(audit))
    assert "**not interpretable: capability not shown to be above chance**" in guessing
    assert "**StereoSet**: no data" in render_summary(empty)


def test_summary_of_hostile_text(hostile: AuditResult):
    text = render_summary(hostile)
    outside = re.sub(r"(`+) .*? \1", "", text)
    assert "<script" not in outside
    assert "@you" not in outside
    assert not re.search(r"(?<!\\)\]\(http", outside)
    assert "http://" not in outside
    assert "\x1b" not in text
    assert text == render_summary(hostile)


def test_escape_and_code():
    assert escape("a|b_c*[d](http://e) www.f #1") == (
        "a\\|b\\_c\\*\\[d\\](http:\\//e) www\\.f #<!-- -->1"
    )
    assert code("a`b") == "`` a`b ``"
    assert code("plain") == "`plain`"
    assert code("two\nlines") == "`two lines`"


def _printed(result: AuditResult, width: int) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, force_terminal=True, color_system=None).print(
        render_terminal(result)
    )
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_fits(hostile: AuditResult, width: int):
    text = _printed(hostile, width)
    assert max(len(line) for line in text.splitlines()) <= width
    assert re.search(r"Gender +61\.9 % +\[51\.3, 72\.6\] +50 % +960 +△", text)
    assert re.search(r"Gender +62\.9 % +\[57\.0, 68\.7\] +50 % +262 +▲", text)
    assert re.search(r"Perplexity +114\.3 +\[101\.2, 129\.0\]", text)
    assert re.search(r"Disability +– +– +50 % +0", text)
    assert "…" not in text.replace(text.splitlines()[0], "")
    assert "Névéol revision: the file could not be fetched" in text
    assert "no item was scored" in re.sub(r"\s+", " ", text)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_terminal_reads_no_markup(audit: AuditResult):
    text = _printed(audit.model_copy(update={"label": "[red]x[/red] :smile:"}), 80)
    assert text.startswith("[red]x[/red] :smile:")


def test_terminal_without_estimates(empty: AuditResult):
    text = _printed(empty, 80)
    assert "no primary estimate" in text
    assert "StereoSet: no data" in text
    assert render_table(empty).row_count == 1
