"""Reports of an experiment with regimes: claims of each, in page, summary and terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.experiment import numbers, regimes, ways
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.experiment.figures import drawers
from fairaudit.report.figures import PATTERNS, figures
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.loading import load_result
from tests.report.experiments import hostile_regimes, in_regimes, whole_experiment
from tests.report.pages import Page

AMPLIFIES = (
    "DP amplifies bias: supported in cleaner text (all axes); the opposite is shown in more biased "
    "text (all axes)."
)


@pytest.fixture(scope="module")
def made() -> ExperimentResult:
    return in_regimes()


def test_the_headline_says_in_which_regimes_a_claim_holds(made):
    first, *others = regimes.answers(made)
    assert first == AMPLIFIES
    gradients = next(line for line in others if line.startswith("Gradients"))
    assert "supported in cleaner text (gender)" in gradients
    assert "not supported in cleaner text (race) and more biased text (race)" in gradients


def test_page_and_summary_hold_every_finding_with_its_number(made):
    page = Page(render_html(made, figures(made))).text
    summary = render_summary(made)
    assert page.index(AMPLIFIES) < page.index("Bias of base, plain and private model")
    assert f"**{AMPLIFIES}**" in summary
    for regime in made.regimes:
        assert regimes.heading_of(regime) in summary
        assert regime.meaning in page
        for found in regime.claims:
            assert f"{numbers.difference(found)} {numbers.interval(found)}" in page
            assert f"**{numbers.difference(found)}** {numbers.interval(found)}" in summary


def test_the_page_leads_to_the_report_of_each_regime(made):
    html = render_html(made, {})
    for regime in made.regimes:
        assert f'href="regimes/{regime.name}/report.html"' in html


def test_the_terminal_names_regimes_and_findings(made):
    stream = io.StringIO()
    Console(file=stream, width=80).print(render_terminal(made))
    lines = [line.rstrip() for line in stream.getvalue().split("\n")]
    text = " ".join(" ".join(lines).split())
    assert AMPLIFIES in text
    assert max(map(len, lines)) <= 80
    rows = [line for line in lines if line.startswith(("  ✓", "  ✗", "  ?", "  ⇄"))]
    assert len(rows) == sum(len(regime.claims) for regime in made.regimes)


def test_one_figure_draws_all_regimes(made):
    assert list(drawers(made)) == [ways.STEM]
    assert f"{ways.STEM}.png" in PATTERNS
    first, second = regimes.panels(made)
    assert [way.axis for way in first.ways] == ["gender", "race", "religion"]
    assert first.private.id == "dp_20"
    assert all(way.change.value > 0 for way in first.ways)
    assert all(way.change.value < 0 for way in second.ways)
    assert figures(made) == figures(made)
    drawn = drawers(made)[ways.STEM]()
    words = [text.get_text() for text in drawn.texts]
    assert "Cleaner text: privacy leaves more bias than plain fine-tuning" in words
    assert "More biased text: privacy leaves less bias than plain fine-tuning" in words


def test_an_arm_that_was_not_measured_is_not_drawn(made):
    empty = made.regimes[0].model_copy(update={"levels": ()})
    alone = made.model_copy(update={"regimes": (empty,)})
    assert drawers(alone) == {}
    assert "One training recipe in 1 regime" in Page(render_html(alone, {})).text


def test_failed_runs_stand_on_the_page_with_their_regime(made):
    run = made.regimes[1].runs[3].model_copy(update={"status": "failed", "reason": "no room"})
    other = made.regimes[1].model_copy(update={"runs": (run, *made.regimes[1].runs[:2])})
    lost = made.model_copy(update={"regimes": (made.regimes[0], other)})
    assert not lost.complete
    said = f"More biased text: {arm_of(run.arm).name}, seed {run.seed}: no room"
    assert said in Page(render_html(lost, {})).text
    assert said in render_summary(lost).replace("\\", "")


def test_it_is_saved_and_loaded(made, tmp_path):
    made.save(tmp_path)
    found = load_result(tmp_path)
    assert found == made
    frame = found.to_frame()
    assert list(frame["regime"].unique()) == ["cleaner-text", "more-biased-text"]
    assert len(frame) == sum(len(regime.levels) for regime in made.regimes)
    assert AMPLIFIES in " ".join(str(found).split())


def test_an_experiment_without_regimes_is_as_before():
    one = whole_experiment()
    assert one.regimes == ()
    assert "regime" not in one.to_frame().columns


def test_nothing_from_outside_gets_out_of_its_place():
    bad = hostile_regimes()
    html, summary = render_html(bad, figures(bad)), render_summary(bad)
    for text in (html, summary):
        assert not set("\x00\x1b\u202e") & set(text)
    assert "<script" not in html
    assert "<b onclick" not in html
    inside = ("#", "data:text/csv;")
    links = [href for href in Page(html).attributes("href") if not href.startswith(inside)]
    assert links
    assert all(re.fullmatch(r"regimes/[\w.%/-]+/report\.html", href) for href in links)
