"""One convention for signs: above 0 is more stereotyped, also where the value itself falls."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fairaudit.report import paired_numbers as paired
from fairaudit.report.card.update import render_card
from fairaudit.report.comparison.figures import _plots
from fairaudit.report.comparison.panels import scales
from fairaudit.report.comparison.plane import planes
from fairaudit.report.comparison.view import candidates
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import ComparisonResult
from tests.report import comparisons
from tests.report.comparisons import comparison, interval
from tests.report.pages import Page


@pytest.fixture
def falling() -> ComparisonResult:
    """Sentiment falls from +0.05 to −0.06, so the difference that is said is +0.11."""
    names = ("dp", "cda")
    made = [
        comparison(
            name="sentiment_difference", suite="toxicity", protocol="toxicity/vader-3.3.2",
            candidate=name, direction=-1, ideal=0.0, margin=0.1, value_baseline=0.05,
            value_candidate=-0.06, difference=0.11, deviation_change=0.01, se=0.03,
            interval=interval(0.05, 0.17, "bootstrap-t"),
        )
        for name in names
    ]  # fmt: skip
    changes = [one for name in names for one in comparisons.changes(name)]
    return comparisons.result(made, names, changes=changes)


def test_the_page_says_it_in_the_head_of_the_column_and_in_the_row(falling: ComparisonResult):
    html = render_html(falling, {})
    heads = html.count(f'<abbr title="{paired.CONVENTION}">Difference</abbr>')
    assert heads == html.count(">Difference</abbr></th>") > 1
    assert ">Difference</th>" not in html
    row = "+0.05 → −0.06 lower is more stereotyped"
    assert Page(html).text.count(row) == len(falling.candidates)


def test_terminal_summary_card_and_print_say_it(falling: ComparisonResult):
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(render_terminal(falling))
    assert paired.CONVENTION in " ".join(console.export_text().split())
    assert paired.CONVENTION in render_summary(falling)
    assert "signed so that above 0 is more stereotyped" in render_card(falling, candidate="dp")
    assert "Difference (+: more stereotyped)" in str(falling)


def test_figures_and_planes_say_where_less_is_more_stereotyped(falling: ComparisonResult):
    (title, *_) = [
        plot.title for one in candidates(falling) for plot in _plots(one, scales(falling), falling)
    ]
    assert title.endswith("(vader-3.3.2); lower is more stereotyped")
    (plane,) = planes(falling)
    assert plane.y_label == "Sentiment difference (lower is more stereotyped)"
    usual = planes(comparisons.whole_comparison(3))[0]
    assert "lower" not in usual.y_label
