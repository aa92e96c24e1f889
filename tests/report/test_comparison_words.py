from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from fairaudit.report.card.update import render_card
from fairaudit.report.comparison import summary, view
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.report.verdicts import brief
from fairaudit.results import Agreement, ComparisonResult
from tests.report import comparisons
from tests.report.comparisons import (
    comparison,
    half_missing,
    interval,
    result,
    undecided,
    whole_comparison,
)
from tests.report.pages import Page


def _answer(*entries: dict[str, object]) -> str:
    made = [comparison(axis=f"axis{i}", **fields) for i, fields in enumerate(entries)]
    return summary.overall(result(made))


def test_the_answer_in_one_sentence():
    worse, same = {"verdict": "amplified"}, {"verdict": "equivalent"}
    open_, twin = {"verdict": "inconclusive"}, {"verdict": "identical"}
    assert _answer(worse, same, open_) == (
        "Worse on axis0: bias amplified in 1 of 3 primary comparisons. Undecided: axis2."
    )
    assert _answer(same, same) == (
        "Shown to be no worse, within the margin, in all of 2 primary comparisons."
    )
    assert _answer(open_, open_) == (
        "Undecided: none of 2 primary comparisons shows whether it is worse."
    )
    assert _answer(same, open_) == (
        "No increase shown; axis1 undecided (1 of 2 primary comparisons)."
    )
    assert _answer(twin, twin).startswith("The same model as the baseline")
    assert _answer({"primary": False, "verdict": None}).startswith("Nothing was compared")


def test_a_reduction_is_a_finding():
    """Three rows reduced by 21 points, past the ideal, were called undecided."""
    less = {"verdict": "reduced", "difference": -0.21}
    past = {**less, "cautions": ("overshot",)}
    assert _answer(past, past, past) == (
        "Bias reduced on axis0, axis1 and axis2 in all of 3 primary comparisons, by up to 21.0 "
        "points, perhaps past the ideal to the other side on axis0, axis1 and axis2."
    )
    assert _answer(less, {"verdict": "inconclusive"}) == (
        "Bias reduced on axis0, by 21.0 points. Axis1 undecided (1 of 2 primary comparisons)."
    )
    assert "Bias reduced on axis1, by 21.0 points." in _answer({"verdict": "amplified"}, less)
    made = [comparison(candidate="a", **past), comparison(candidate="b", verdict="equivalent")]
    assert summary.overall(result(made, ("a", "b"))).startswith(
        "Bias reduced: 1 of 2 candidates: a (on gender)."
    )


def test_each_candidate_stands_with_its_own_axes():
    """One candidate is worse on race only; the headline pooled the axes of both."""
    made = [
        comparison(candidate="a", axis="race"),
        comparison(candidate="b", axis="race"),
        comparison(candidate="b", axis="profession"),
    ]
    both = result(made, ("a", "b"))
    named = "a (on race) and b (on race and profession)"
    assert summary.overall(both) == f"Bias amplified: all 2 candidates: {named}."
    assert next(summary.next_steps(both)).startswith(
        "Hold the release until someone has judged what was amplified (a: race; b: race and"
    )


def test_several_candidates_are_sorted_into_kinds():
    made = [
        comparison(candidate="a"),
        comparison(candidate="b", verdict="equivalent"),
        comparison(candidate="c", verdict="inconclusive"),
    ]
    assert summary.overall(result(made, ("a", "b", "c"))) == (
        "Bias amplified: 1 of 3 candidates: a (on gender). Shown to be no worse, within the "
        "margin, wherever compared: 1 of 3 candidates: b. No increase shown, not decided "
        "everywhere: 1 of 3 candidates: c."
    )


def _with_leads() -> ComparisonResult:
    open_ = comparison(verdict="inconclusive", difference=0.01, interval=interval(-0.05, 0.07))
    lead = {"primary": False, "correction": "bh", "verdict": "amplified", "axis": "race"}
    large = {"difference": 0.093, "interval": interval(0.042, 0.145)}
    made = [
        comparison(**lead, group="one"),
        comparison(**lead, group="two", **large),
        comparison(**lead, group="three", p_adjusted=0.3),
        comparison(**lead, group="four", difference=-0.05, interval=interval(-0.08, -0.02)),
    ]
    return result([open_, *made])


def test_what_rises_outside_the_declared_comparisons_is_said_everywhere():
    """13 of 26 exploratory rows rose, and headline, terminal, summary and card were silent."""
    found = _with_leads()
    said = (
        "Outside the declared comparisons 2 of 4 exploratory comparisons rise, 1 falls after "
        "correction (Benjamini and Hochberg); the largest: stereotype preference rate, race, two "
        "(CrowS-Pairs, causal-sum) +9.3 points [+4.2, +14.5]."
    )
    (candidate,) = view.candidates(found)
    assert summary.outside(candidate).startswith(said)
    flat = " ".join(Page(render_html(found, {})).text.split())
    start = flat.index("primary comparison")
    assert flat.index(said) < flat.index("Verdicts", start)
    printed = " ".join(_printed(found, 100).split())
    assert said in printed
    for text in (render_summary(found), render_card(found, candidate=candidate.name)):
        assert "2 of 4 exploratory comparisons rise" in text
    assert "exploratory comparisons rise" in repr(found)
    calm = result([comparison()])
    assert summary.outside(view.candidates(calm)[0]) == ""


def test_what_now():
    steps = list(summary.next_steps(whole_comparison(2)))
    assert steps[0].startswith("Hold the release until someone has judged what was amplified")
    assert any(re.search(r"dp-eps8: 2 times as many gender items in CrowS-Pairs \(524\)", step)
               for step in steps)  # fmt: skip
    assert any("Hardly moved from the baseline: dp-eps8" in step for step in steps)
    assert "1 suite or protocol" in steps[-1]
    assert list(summary.next_steps(result([comparison(verdict="equivalent")]))) == []


@pytest.mark.parametrize(("p", "disagrees"), [(0.7, False), (0.01, True)])
def test_a_correlation_that_chance_explains_is_no_disagreement(p: float, disagrees: bool):
    """Families were said to disagree at r = −0.14 with n = 9."""
    weak = Agreement(family_a="a", family_b="b", value=-0.14, p_value=p, n=9)
    found = result([comparison()]).model_copy(update={"agreement": (weak,)})
    assert bool(summary.disagreement_words(found)) is disagrees


def test_families_disagree():
    said = summary.disagreement_words(whole_comparison(1))
    assert said.startswith("Families disagree on plain, gender. ")
    calm = whole_comparison(1).model_copy(update={"agreement": ()})
    assert summary.disagreement_words(calm) == ""


def test_candidates_and_their_axes():
    (found,) = view.candidates(whole_comparison(1))
    assert [axis[0].axis for axis in found.axes][:3] == ["gender", "race", "religion"]
    assert len(found.primary) == 13
    assert [one[0].suite for one in found.protocols] == ["templates", "crows_pairs", "stereoset"]
    assert sum(block.size for block in found.exploratory) == 18
    assert [one.name for one in found.beside] == [
        "mean_abs_log_prob_change",
        "perplexity_ratio",
        "perplexity",
        "token_accuracy",
        "language_modeling_score",
        "icat",
    ]


def test_only_changes_of_protocols_with_verdicts_stand_beside_them():
    changes = [one for one in comparisons.changes("dp") if one.suite != "probe"]
    (found,) = view.candidates(result([comparison()], changes=changes))
    assert found.beside == ()
    assert len(found.changes) == 2


def test_cautions_of_a_whole_model_are_said_once():
    found = view.candidates(whole_comparison(2))[1]
    judged = [one for one in found.primary if "single_seed" in one.cautions]
    assert "not_moved" in judged[0].cautions
    made = [one.model_copy(update={"cautions": ("not_moved", "nonzero")}) for one in judged]
    (candidate,) = view.candidates(result(made, ("dp-eps8",)))
    assert candidate.cautions == ("not_moved",)
    assert candidate.own_cautions(candidate.primary[0]) == ("nonzero",)


def test_the_same_gap_of_all_candidates_is_named_once():
    (gap,) = view.gaps(whole_comparison(3))
    assert (gap.what, gap.candidates) == ("bbq", ())
    odd = whole_comparison(2)
    kept = odd.model_copy(update={"not_compared": odd.not_compared[:1]})
    assert view.gaps(kept)[0].candidates == ("plain",)


def test_crowded_groups_stay_in_the_result():
    crowded = view.candidates(whole_comparison(9, groups=60))
    assert sum(block.size for one in crowded for block in one.exploratory) == 9 * 6
    assert crowded[0].n_left_out == 180
    assert view.candidates(whole_comparison(1, groups=60))[0].n_left_out == 0


def test_one_line_per_check_with_a_box_and_a_link():
    text = render_summary(whole_comparison(2), "https://ci.example/report.html")
    lines = [line for line in text.splitlines() if line.startswith("- [")]
    assert len(lines) == 26
    links = [re.search(r"\]\(https://ci\.example/report\.html#([a-z0-9-]+)\)", x) for x in lines]
    assert len({link[1] for link in links if link}) == 26
    assert lines[0].startswith(
        "- [ ] ▲ **amplified** · [Gender · stereotype preference rate, Embedded templates]("
    )
    assert "**+9.8 points** [+6.7, +12.8] · more stereotyped than the baseline · n 960" in lines[0]
    ticked = {line.split("**")[1] for line in lines if line.startswith("- [x]")}
    assert ticked == {"reduced", "equivalent", "inconclusive"}
    excluded = [line for line in lines if line.startswith("- [x] ? **inconclusive**")]
    assert all("an increase of 5 points or more is excluded" in line for line in excluded)
    assert re.search(
        r"an increase of up to \d\.\d points is not excluded; detectable at 80 % power: \d", text
    )


def test_summary_of_what_is_missing():
    text = render_summary(half_missing())
    assert text.count("not run for the baseline") == 4
    assert "Not compared: 4 suites or protocols." in text
    assert "undecided (3 of 5" in render_summary(undecided())
    assert not re.search(r"\bnan\b|None\b|unbiased|compliant", text)


@pytest.fixture(scope="module")
def hostile() -> ComparisonResult:
    return comparisons.hostile()


def test_hostile_labels_stay_text_in_markdown(hostile: ComparisonResult):
    text = render_summary(hostile)
    outside = re.sub(r"(`+) .*? \1|`[^`\n]*`", "", text)
    assert "<script" not in outside
    assert "@you" not in outside
    assert not {"\x1b", "\u202e"} & set(text)
    assert max(map(len, text.splitlines())) < 1500
    assert text == render_summary(hostile)


def _printed(found: ComparisonResult, width: int) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    console.print(render_terminal(found))
    return stream.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_fits(hostile: ComparisonResult, width: int):
    text = _printed(hostile, width)
    assert max(map(len, text.splitlines())) <= width
    assert not {"\x1b", "\u202e"} & set(text)
    assert re.search(r"▲ amplified +\+9\.8 points +\[\+6\.7, \+12\.8\] +960 +stereotype pref", text)


def test_terminal_says_what_the_summary_says():
    made = whole_comparison(2)
    text = re.sub(r"\s+", " ", _printed(made, 100))
    flat = render_summary(made)
    for found in made.comparisons:
        if found.primary and found.verdict == "inconclusive":
            assert brief(found) in text
            assert brief(found) in flat
    assert summary.answer(view.candidates(made)[0]) in text
    assert "Not moved: The model hardly moved" in text
    assert "BBQ: not run for the baseline" in text
    assert re.search(r"plain +2 +0 +3 +6 +1 +0 +1", text)


def test_terminal_without_verdicts():
    text = _printed(result([comparison(primary=False, verdict=None)]), 80)
    assert "no primary comparison" in text
    assert comparisons.BASE in text
