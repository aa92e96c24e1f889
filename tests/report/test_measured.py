"""Every table names what was measured: sentiment is not toxicity (issue 28, Build 4)."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.comparison.figures import _plots
from fairaudit.report.comparison.panels import scales
from fairaudit.report.comparison.view import candidates
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.names import measured
from fairaudit.report.terminal import render_terminal
from fairaudit.results import AuditResult, ComparisonResult
from tests.report import audits, comparisons
from tests.report.pages import Page

SENTIMENT = {
    "name": "sentiment_difference", "suite": "bold", "protocol": "bold/vader", "axis": "gender",
}  # fmt: skip
TOXICITY = {**SENTIMENT, "name": "toxicity_difference", "protocol": "bold/toxicity"}


def compared() -> ComparisonResult:
    """Two primary comparisons of one suite and axis, by two scorers of the same texts."""
    whole = comparisons.whole_comparison(2)
    return whole.model_copy(
        update={
            "comparisons": tuple(
                comparisons.comparison(**fields, candidate=name, primary=True)
                for name in whole.candidates
                for fields in (SENTIMENT, TOXICITY)
            )
        }
    )


def audited() -> AuditResult:
    """Two primary estimates of one suite and axis."""
    names = ("stereotype_preference_rate", "mean_log_odds")
    made = [
        audits.make(f"mine/{name}", "gender", 100, 50, name=name, kind="bias",
                    value=0.1, ideal=0.0, primary=True)
        for name in names
    ]  # fmt: skip
    return audits.whole_audit().model_copy(update={"estimates": tuple(made)})


def terminal(result: AuditResult | ComparisonResult) -> str:
    stream = io.StringIO()
    Console(file=stream, width=100, color_system=None).print(render_terminal(result))
    return stream.getvalue()


SHOWN = {
    "terminal": terminal,
    "summary": render_summary,
    "page": lambda result: Page(render_html(result, {})).text,
    "notebook": lambda result: Page(result._repr_html_()).text,
    "print": str,
}


@pytest.mark.parametrize("place", SHOWN)
@pytest.mark.parametrize(
    ("make", "labels"),
    [
        (compared, ("sentiment difference", "toxicity difference")),
        (audited, ("stereotype preference rate", "mean log-odds")),
    ],
)
def test_two_metrics_of_one_suite_are_told_apart(make, labels, place):
    text = re.sub(r"\s+", " ", SHOWN[place](make())).lower()
    for label in labels:
        # Where it is printed, the middle of a long name may be left out.
        abridged = f"{re.escape(label[:6])}.{{0,24}}{re.escape(label[-3:])}"
        assert re.search(abridged if place == "print" else re.escape(label), text)


def test_an_abbreviation_keeps_its_capitals():
    """The figure of HONEST said "honest difference"."""
    honest = comparisons.result([comparisons.comparison(name="honest_difference", suite="honest",
                                                        protocol="honest/hurtlex")])  # fmt: skip
    (candidate,) = candidates(honest)
    titles = [one.title for one in _plots(candidate, scales(honest), honest)]
    assert titles == ["HONEST: HONEST difference, percentage points (hurtlex)"]
    found = comparisons.comparison(name="icat", suite="stereoset")
    assert measured(found) == "ICAT, StereoSet"
    assert measured(comparisons.comparison(suite="crows_pairs")).endswith(", CrowS-Pairs")
