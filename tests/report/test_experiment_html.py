from __future__ import annotations

import re

import pytest

from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, training
from fairaudit.report.experiment.charts import charts, planes
from fairaudit.report.experiment.twins import pairs
from fairaudit.report.html import render_html
from fairaudit.results.experiment import ExperimentResult
from tests.report import experiments
from tests.report.experiments import complete, many_arms, whole_experiment, with_failures
from tests.report.pages import Page


@pytest.fixture(scope="module")
def whole() -> ExperimentResult:
    return complete()


@pytest.fixture(scope="module")
def text(whole: ExperimentResult) -> str:
    return Page(render_html(whole, {})).text


def _flat(words: str) -> str:
    return re.sub(r"\s+", " ", words)


def test_the_answers_stand_first(text: str):
    top = text[text.index("full 13 arms · 5 seeds · 3 axes · 2026-11-24") :]
    assert top.index("DP amplifies bias: supported on all 3 axes") < 100
    assert top.index("Explained by under-training, as far as") < top.index("Claims Each claim")
    assert top.index("Not looked at: Toxicity of continuations") < top.index("Claims Each claim")


def test_every_finding_is_said_with_its_number_seeds_and_words(whole: ExperimentResult, text: str):
    for found in whole.claims:
        shown = f"{numbers.difference(found)} {numbers.interval(found)} 5 seeds"
        assert shown in text
        assert _flat(findings.brief(found)) in text
        assert _flat(" ".join(findings.sentences(found))) in text


def test_every_level_and_every_reading_is_shown(whole: ExperimentResult, text: str):
    for level in whole.levels:
        assert numbers.level(level) in text
    for reading in training.readings(whole):
        assert _flat(reading.words) in text
    assert "DP, ε = 3 perplexity 2.71 against 2.31 and 2.71 Gender" in text


def test_what_twins_give_back_on_covered_and_uncovered_terms(whole: ExperimentResult, text: str):
    found = {(pair.with_twins.id, pair.axis, pair.part): pair for pair in pairs(whole)}
    assert {arm for arm, _, _ in found} == {
        "cda",
        "dp_cda_3",
        "dp_cda_separate_3",
        "dp_cda_row_3",
    }
    removed = found["dp_cda_3", "gender", None].change
    claim = next(one for one in whole.claims if one.claim == "cda_removes_amplification")
    assert removed is not None
    assert removed.value == -(claim.value or 0)
    assert removed.interval is not None
    assert claim.interval is not None
    assert (removed.interval.low, removed.interval.high) == (
        -claim.interval.high,
        -claim.interval.low,
    )
    assert found["cda", "gender", "uncovered"].change is not None
    assert found["dp_cda_row_3", "gender", None].change is None
    assert "CDA beside Plain" in text
    assert "terms not in the lexicon" in text


def test_failed_runs_are_named_with_their_reason():
    text = Page(render_html(with_failures(), {})).text
    assert "6 runs failed , the rest went on" in text
    assert "DP, ε = 3, seed 2: the loss became infinite" in text
    assert "0 of 5 seed 0 failed: the loss became infinite" in text
    assert "and 2 more" in text


def test_one_seed_is_undecided_and_draws_no_interval():
    made = whole_experiment(1)
    text = Page(render_html(made, {})).text
    assert "DP amplifies bias: undecided on all 3 axes" in text
    assert "1 of the 3 seeds that decide anything" in text
    (chart, *_) = charts(made)
    assert all(row.mark.interval is None and not row.mark.singles for row in chart.rows)
    assert all(span.low == span.high for row in chart.rows for span in row.mark.spans)


def test_charts_of_one_metric_share_a_scale_that_holds_every_seed(whole: ExperimentResult):
    found = charts(whole)
    assert [chart.axis for chart in found] == ["gender", "race", "religion"]
    assert len({chart.scale for chart in found}) == 1
    for chart in found:
        for row in chart.rows:
            assert all(0 < chart.scale.place(value) < 1 for value in row.level.by_seed)
    assert [row.arm.id for row in found[0].rows][:2] == ["base", "plain"]


def test_planes_only_with_room_for_their_names(whole: ExperimentResult):
    assert [plane.title for plane in planes(whole)] == ["Gender", "Race", "Religion"]
    assert len(planes(whole)[0].points) == 13
    assert planes(many_arms()) == ()
    bare = whole.model_copy(
        update={"runs": tuple(run.model_copy(update={"perplexity": None}) for run in whole.runs)}
    )
    assert planes(bare) == ()


def test_missing_parts_and_nothing_at_all_are_said():
    text = Page(render_html(whole_experiment(arms=("base",)), {})).text
    assert "No claim was judged" in text
    assert "Claim “Gradients converge unequally” no gradients were looked at" in text
    assert "What CDA gives back Each arm" not in text


def test_the_plan_is_provenance(text: str):
    assert "Plan: [claims] metric mean_log_odds margin 0.2" in text
    assert "world.sentences 6000" in text
    assert "torch 2.13.0" in text


@pytest.mark.parametrize("make", [complete, with_failures, experiments.hostile, many_arms])
def test_a_page_is_whole_light_and_asks_for_nothing(make):
    html = render_html(make(), {})
    page = Page(html)
    assert len(html.encode("utf-8")) < 1_000_000
    assert html == render_html(make(), {})
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    links = [link for link in page.attributes("href") if not link.startswith("data:text/csv;")]
    assert {link[1:] for link in links} <= set(ids)
    assert not page.attributes("src")
    assert "default-src 'none'" in html


def test_hostile_text_stays_text():
    html = render_html(experiments.hostile(), {})
    page = Page(html)
    assert "<script" not in html
    assert not page.attributes("onclick")
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert '<script>alert("x")</script>' in page.text
