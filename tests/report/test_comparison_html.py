from __future__ import annotations

import itertools
import re

import pytest

from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison import view
from fairaudit.report.comparison.plane import planes, spread
from fairaudit.report.html import render_html
from fairaudit.report.verdicts import sentences
from fairaudit.results import ComparisonResult
from tests.report import comparisons
from tests.report.comparisons import comparison, half_missing, result, undecided, whole_comparison
from tests.report.pages import Page


@pytest.fixture(scope="module")
def two() -> ComparisonResult:
    return whole_comparison()


@pytest.fixture(scope="module")
def text(two: ComparisonResult) -> str:
    return Page(render_html(two, {})).text


def _flat(words: str) -> str:
    return re.sub(r"\s+", " ", words)


def test_the_answer_stands_first(text: str):
    start = text[text.index("plain compared with distilgpt2 13 primary") :]
    assert start.index("Worse on gender and race") < 100
    assert text.index("1 suite or protocol could not be compared.") < text.index("What now", 500)


def test_every_verdict_is_said_with_its_number_and_words(two: ComparisonResult, text: str):
    for found in two.comparisons:
        if found.primary:
            assert paired.difference(found) in text
            assert _flat(" ".join(sentences(found))) in text


def test_every_number_of_a_verdict_is_in_the_tables(two: ComparisonResult, text: str):
    row = "Gender stereotype preference rate, Embedded templates ▲ amplified adj. p <0.001 of 31"
    numbers = "56.4 % → 66.1 % +9.8 points 90 % [+7.2, +12.3] 95 % [+6.7, +12.8] no at most +12.3"
    assert row in text
    assert numbers in text
    assert "95 % interval [+6.7, +12.8] (CR2 t, by cluster)" in text
    for found in (*two.comparisons, *two.changes):
        assert paired.baseline_value(found) in text
        assert paired.candidate_value(found) in text
        assert paired.interval(found) in text


def test_missing_values_show_their_reason(text: str):
    assert "no value: no item was scored: <script>" in text
    assert "no interval: 3 clusters: fewer than the 10 an interval needs" in text
    assert "ICAT has a kink" in text
    assert "2 common cells: a rank correlation needs 3" in text


def test_changes_stand_beside_the_verdicts(text: str):
    start = text.index("13 primary comparisons")
    beside = text.index("Distance moved 0.300 nats")
    assert text.index("Verdicts", start) < beside < text.index("What now", start)
    assert "114.3 → 98.2" in text


def test_families_that_disagree_are_named(text: str):
    assert "Families disagree on plain, gender." in text
    assert "Embedded templates, causal-conditional: stereotype preference rate" in text
    calm = whole_comparison().model_copy(update={"agreement": ()})
    assert "disagree on" not in Page(render_html(calm, {})).text


def test_provenance_of_both_sides_and_limits(text: str):
    assert text.count("c0ffee" * 10) == 2
    assert text.count("ab12" * 16) == 2
    assert "Baseline: distilgpt2" in text
    assert "Margin as each metric declares" in text
    assert "a difference of 0 from a biased model is a biased model" in text
    assert "Nothing here is a privacy guarantee" in text


@pytest.mark.parametrize("candidates", [3, 9])
def test_an_overview_of_several_candidates(candidates: int):
    made = whole_comparison(candidates)
    html = render_html(made, {})
    page = Page(html)
    table = html[html.index('<table class="matrix">') :]
    table = table[: table.index("</table>")]
    links = re.findall(r'href="#([a-z0-9-]+)"', table)
    ids = set(page.attributes("id"))
    assert len(links) == candidates * 14
    assert set(links) <= ids
    assert set(view.anchors(made).values()) <= ids
    assert "Each model at its bias" in Page(render_html(made, {"plane": b"x"})).text
    assert len(planes(made)) == 6
    assert len(html.encode()) < 1_000_000


def test_many_candidates_are_folded_and_few_are_not():
    folded = [Page(render_html(whole_comparison(n), {})) for n in (3, 9)]
    many = [
        sum(
            "candidate" in (attrs.get("class") or "")
            for tag, attrs in page.tags
            if tag == "details"
        )
        for page in folded
    ]
    assert many == [0, 9]


def test_cautions_of_a_whole_model_are_prominent():
    entries = [
        comparison(cautions=("not_moved", "single_seed", "nonzero"), axis=axis)
        for axis in ("gender", "race")
    ]
    text = Page(render_html(result(entries), {})).text
    assert text.count("Not moved: The model hardly moved") == 1 + 2
    assert "Hardly moved from the baseline: dp." in text


def test_half_missing_and_undecided():
    text = Page(render_html(half_missing(), {})).text
    assert "4 suites or protocols could not be compared." in text
    assert "BBQ, StereoSet, CrowS-Pairs, WinoBias: nothing is known" in text
    text = Page(render_html(undecided(), {})).text
    assert "No increase shown; religion, age and disability undecided (3 of 5 primary" in text
    assert "it takes: 2 times as many religion items in CrowS-Pairs (210)" in text
    assert "Hold the release" not in text


def test_without_any_verdict():
    bare = result([comparison(primary=False, verdict=None)])
    text = Page(render_html(bare, {})).text
    assert "Nothing was compared on which a verdict could rest." in text


def test_hostile_labels_stay_text_and_short():
    html = render_html(comparisons.hostile(), {})
    assert "<script" not in html
    assert "<b onclick" not in html
    assert not set("\x00\x1b\u202e") & set(html)
    assert "x" * 1000 not in html
    assert len(html.encode()) < 400_000


def test_a_crowded_comparison_stays_under_two_megabytes():
    html = render_html(whole_comparison(9, groups=60), {})
    assert len(html.encode()) < 2_000_000
    assert "180 comparisons of single groups are left out" in Page(html).text
    just_below = render_html(whole_comparison(9, groups=42), {})
    assert len(just_below.encode()) < 2_000_000
    assert "are left out" not in Page(just_below).text


def test_same_result_same_bytes(two: ComparisonResult):
    assert render_html(two, {}) == render_html(whole_comparison(), {})


def test_planes_need_several_candidates_and_a_capability():
    assert planes(whole_comparison(1)) == ()
    bare = whole_comparison(3).model_copy(update={"changes": ()})
    assert planes(bare) == ()
    first = planes(whole_comparison(3))[0]
    assert [point.name for point in first.points] == [
        "distilgpt2",
        "plain",
        "dp-eps8",
        "dp-eps3-cda",
    ]
    assert first.points[0].is_baseline
    assert first.x_label == "Token accuracy"
    own = planes(whole_comparison(3))[2]
    assert (own.x_label, own.title) == ("Language-modelling score", "Gender · StereoSet")


@pytest.mark.parametrize("wanted", [[5.0] * 20, [float(i) for i in range(20)], [0.0, 300.0]])
def test_labels_never_overlap(wanted: list[float]):
    places = sorted(spread(wanted, 12, 0, 260))
    assert all(after - before >= 12 - 1e-9 for before, after in itertools.pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 260
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    kept = spread(wanted, 12, 0, 260)
    assert [kept[i] for i in order] == sorted(kept)
