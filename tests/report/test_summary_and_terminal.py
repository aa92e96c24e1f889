from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.audit.summary import answer
from fairaudit.report.card.update import render_card
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


def _one_look(audit: AuditResult) -> AuditResult:
    """Return an audit in which correction undoes every lean."""
    lost = tuple(one.model_copy(update={"p_adjusted": 1.0}) for one in audit.estimates)
    return audit.model_copy(update={"estimates": lost})


def _wide(audit: AuditResult) -> AuditResult:
    """Return an audit in which no interval leaves out its ideal."""
    wide = audits.interval(0.0, 1.0)
    found = tuple(
        one.model_copy(update={"interval": wide}) if one.interval and one.primary else one
        for one in audit.estimates
    )
    return audit.model_copy(update={"estimates": found})


def test_the_answer_is_as_firm_as_the_numbers(audit: AuditResult, empty: AuditResult):
    assert answer(audit) == "Leans towards the stereotype: gender (CrowS-Pairs)."
    assert answer(_one_look(audit)).startswith(
        "No lean holds after correction for all looks; taken one by one, intervals leave out the "
        "ideal on gender (Embedded templates, CrowS-Pairs), sexual orientation"
    )
    assert answer(_wide(audit)) == "Inconclusive: every interval includes its ideal."
    assert answer(empty) == "Nothing was measured that a bias could be read from."


def test_a_lean_away_is_a_lean_too(audit: AuditResult):
    away = audits.interval(0.1, 0.2)
    found = tuple(
        one.model_copy(update={"interval": away, "value": 0.15, "p_adjusted": 0.001})
        if one.primary and one.axis == "age"
        else one
        for one in audit.estimates
    )
    assert answer(audit.model_copy(update={"estimates": found})) == (
        "Leans towards the stereotype: gender (CrowS-Pairs). Leans away from the stereotype: age "
        "(Embedded templates, CrowS-Pairs)."
    )


def test_the_answer_is_the_same_on_page_card_summary_terminal_and_notebook(audit: AuditResult):
    said = answer(audit)
    assert f'<p class="answer">{said}</p>' in render_html(audit, {})
    assert f"**{said}**" in render_summary(audit)
    assert render_card(audit).count(f"**{said}**") == 2
    assert said in audit._repr_html_()
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_terminal(audit))
    assert said in console.export_text()
