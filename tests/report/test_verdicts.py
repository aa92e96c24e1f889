from __future__ import annotations

import re

import pytest

from fairaudit.gating.gate import gate
from fairaudit.report import deciding, verdicts, words
from fairaudit.report import paired_numbers as paired
from fairaudit.report.interval_svg import strip
from fairaudit.report.marks import Tone
from fairaudit.report.names import CAUTIONS
from fairaudit.report.scale import Scale
from fairaudit.report.verdicts import brief, cautions, sentences, settled, word_of
from fairaudit.results import Comparison
from fairaudit.vocabulary.units import Unit
from fairaudit.vocabulary.verdicts import Verdict
from tests.report.comparisons import comparison, interval, result

_CASES = {
    "amplified": comparison(),
    "reduced": comparison(
        verdict="reduced",
        value_candidate=0.451,
        difference=-0.08,
        deviation_change=0.018,
        interval=interval(-0.129, -0.031),
    ),
    "equivalent": comparison(
        verdict="equivalent",
        value_candidate=0.541,
        difference=0.01,
        interval=interval(-0.02, 0.04),
        p_adjusted=1.0,
    ),
    "inconclusive": comparison(
        verdict="inconclusive",
        value_candidate=0.571,
        difference=0.04,
        interval=interval(-0.014, 0.094),
        p_adjusted=0.6,
        mde=0.062,
    ),
    "not_interpretable": comparison(verdict="not_interpretable"),
    "identical": comparison(verdict="identical", difference=0.0, interval=None),
    None: comparison(verdict=None, primary=False, correction="bh"),
}


def _text(found: Comparison) -> str:
    return " ".join(sentences(found))


def test_every_verdict_of_the_schema_has_words():
    assert set(Verdict) == set(_CASES) - {None}
    words = [*(one.word for one in Verdict), verdicts.EXPLORATORY, verdicts.MISSING]
    assert len({word.mark for word in words}) == len({word.label for word in words}) == 8


@pytest.mark.parametrize("found", _CASES.values(), ids=map(str, _CASES))
def test_value_difference_interval_and_n_are_always_said(found: Comparison):
    first = sentences(found)[0]
    assert paired.baseline_value(found) in first
    assert paired.candidate_value(found) in first
    assert paired.difference(found) in first
    assert "262 items" in first
    assert paired.interval(found) in first or "without an interval" in first
    assert word_of(found).limit in sentences(found)


@pytest.mark.parametrize("found", _CASES.values(), ids=map(str, _CASES))
def test_nothing_is_promised(found: Comparison):
    every = [f"{_text(one)} {brief(one)}" for one in (found, _with_every_caution(found))]
    for text in every:
        assert not re.search(r"unbiased|compliant|no bias|significant|safe\b|fair\b(?!\.)", text)
        assert "no difference" not in text
        assert "not found" not in text
        assert not re.search(r"\bnan\b|None|_", text)


def test_amplified():
    text = _text(_CASES["amplified"])
    assert "53.1 % → 61.1 %, a difference of +8.0 points towards the stereotype" in text
    assert "95 % interval [+3.1, +12.9] (Tango score, by item), 90 % [" in text
    assert "], on 262 items." in text
    assert "leans further towards the stereotype" in text
    assert "above 0, also after correction (Holm, 13 comparisons, adjusted p = 0.018)" in text
    assert "does not say how much it matters" in text
    assert brief(_CASES["amplified"]) == "more stereotyped than the baseline"


def test_amplified_towards_the_ideal_says_so():
    found = comparison(value_baseline=0.4, value_candidate=0.48, deviation_change=-0.08)
    assert "nevertheless nearer to the ideal of 50 %, by 8.0 points" in _text(found)
    assert "nevertheless" not in _text(_CASES["amplified"])


def test_reduced():
    text = _text(_CASES["reduced"])
    assert "difference of −8.0 points (away from the stereotype)" in text
    assert "The interval lies below 0" in text
    assert "further from the ideal of 50 %, by 1.8 points: it went past it" in text
    assert "does not say that little is left" in text


def test_equivalent():
    text = _text(_CASES["equivalent"])
    assert "The 90 % interval lies inside ±5 points." in text
    assert "does not say that nothing changed below the margin" in text
    assert brief(_CASES["equivalent"]) == "the same within ±5 points"


def test_inconclusive():
    expected = (
        "an increase of up to 8.5 points is not excluded; detectable at 80 % power: 6.2 points"
    )
    assert brief(_CASES["inconclusive"]) == expected
    assert expected[1:] in _text(_CASES["inconclusive"])
    assert "does not say that nothing changed" in _text(_CASES["inconclusive"])


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.01, 0.09, "an increase of up to 8.4 points is not excluded (the"),
        (-0.09, -0.01, "an increase of 5 points or more is excluded (the"),
    ],
)
def test_correction_can_undo_what_one_look_shows(low: float, high: float, expected: str):
    moved = {"difference": (low + high) / 2, "interval": interval(low, high), "se": 0.0204}
    text = brief(comparison(verdict="inconclusive", mde=None, **moved))
    assert text.startswith(expected)
    assert text.endswith("unadjusted interval leaves out 0, the corrected test does not)")


def test_report_and_gate_say_one_bound():
    """The page draws 95 %, the gate decides at 90 %: both are said."""
    found = _CASES["inconclusive"].model_copy(update={"deviation_change": 0.04})
    within, used = deciding.inner(found), deciding.deciding(found)
    assert within is not None
    assert found.interval is not None
    assert found.interval.low < within.low < within.high < found.interval.high
    assert used == within
    rule = {"kind": "max_increase_vs_baseline", "margin": 0.05}
    (check,) = gate(result([found]), {"rules": [rule]}).rules
    assert check.interval is not None
    assert (check.interval.low, check.interval.high) == (used.low, used.high)
    assert words.size(check.interval.high, Unit.POINTS) in brief(found)


def test_bounds_of_gates_allow_for_clusters_unlike_those_seen():
    """A narrow interval of few clusters is no bound: the page said 0.8, the gate 9.5 points."""
    narrow = comparison(
        verdict="inconclusive",
        difference=0.0,
        interval=interval(-0.008, 0.008, "cr2", "cluster"),
        se=0.004,
        n=810,
        n_clusters=30,
        reach=1.0,
        mde=None,
    )
    said = brief(narrow)
    assert said.startswith("an increase of up to 9.5 points is not excluded")
    assert said.endswith("allowing for clusters unlike these 30")
    assert deciding.allows_for_unseen(narrow)
    assert deciding.increase_excluded(narrow) is False


def test_an_equivalent_difference_is_drawn_within_its_band():
    """The interval that decides keeps within the margin, where that of one look does not."""
    found = comparison(verdict="equivalent", difference=0.012, se=0.021, p_adjusted=1.0,
                       interval=interval(-0.029, 0.053))  # fmt: skip
    mark = verdicts.mark_of(found)
    assert mark.inner is not None
    assert mark.band is not None
    assert mark.inner.high < mark.band[1] < 0.053
    drawn = strip(mark, Scale(-0.1, 0.1, 0.05))
    assert drawn.index('class="bar thin"') < drawn.index('class="bar"')


def test_how_many_times_as_many_items_would_decide():
    found = comparison(verdict="inconclusive", difference=0.02, se=0.03,
                       interval=interval(-0.0388, 0.0788))  # fmt: skip
    # (1.645 · 0.03 / 0.03)² = 2.7 for the margin, (1.96 · 0.03 / 0.02)² = 8.6 to leave out 0.
    assert deciding.times_as_many(found) == 3
    assert deciding.times_as_many(comparison(verdict="inconclusive", interval=None)) is None


def test_inconclusive_without_an_interval():
    found = comparison(verdict="inconclusive", interval=None, reason="3 clusters are too few")
    assert brief(found) == "nothing can be decided without an interval: 3 clusters are too few"
    assert "+8.0 points towards the stereotype without an interval (3 clusters" in _text(found)


def test_not_interpretable_identical_and_exploratory():
    assert "says nothing about bias, for or against" in _text(_CASES["not_interpretable"])
    assert "a dull model looks fair" in _text(_CASES["not_interpretable"])
    assert "same model, so there is nothing to compare" in _text(_CASES["identical"])
    assert "how biased that model is" in _text(_CASES["identical"])
    assert "a lead to follow" in _text(_CASES[None])
    assert "not a finding" in _text(_CASES[None])
    assert word_of(_CASES[None]).label == "no verdict"


def test_a_missing_difference():
    gone = {"difference": None, "interval": None, "value_candidate": None, "verdict": None}
    found = comparison(**gone, reason="no item in common", n=0)
    assert word_of(found).label == "no value"
    assert "no value (no item in common)" in _text(found)
    assert "Missing is not zero" in _text(found)


def _with_every_caution(found: Comparison) -> Comparison:
    return found.model_copy(update={"cautions": tuple(CAUTIONS), "n_skipped": 12})


@pytest.mark.parametrize("caution", CAUTIONS)
@pytest.mark.parametrize("found", _CASES.values(), ids=map(str, _CASES))
def test_every_caution_is_a_sentence(found: Comparison, caution: str):
    (said,) = cautions(found.model_copy(update={"cautions": (caution,)}))
    assert said in _text(found.model_copy(update={"cautions": (caution,)}))
    assert said.lower().startswith(CAUTIONS[caution].label)
    assert CAUTIONS[caution].meaning in said
    assert said.endswith(".")


def test_skipped_items_are_counted():
    assert "Skipped items (12 items): " in _text(_with_every_caution(comparison()))


def test_a_caution_we_do_not_know_stands_for_itself():
    assert cautions(comparison(cautions=("odd_thing",))) == ("Odd thing: no explanation recorded.",)


def test_boxes_are_ticked_only_where_no_worse_is_shown():
    ticked = {str(name) for name, found in _CASES.items() if settled(found)}
    assert ticked == {"reduced", "equivalent", "identical"}
    assert not settled(_CASES["reduced"].model_copy(update={"cautions": ("overshot",)}))


def test_a_quantity_without_a_side_is_only_higher_or_lower():
    found = comparison(direction=0, name="mean_log_odds", ideal=None, deviation_change=None)
    assert brief(found) == "higher than the baseline"
    assert "stereotype" not in brief(found)
    assert "+0.080 nats, 95 % interval [+0.031, +0.129]" in _text(found)
    assert "The candidate's value is higher" in _text(found)


def test_margins_and_marks():
    mark = verdicts.mark_of(_CASES["equivalent"])
    assert mark.tone is Tone.WITHIN
    assert mark.band == (-0.05, 0.05)
    assert verdicts.mark_of(comparison(margin=None)).band is None
    assert paired.margin(comparison()) == "±5.0"
    assert paired.detectable(comparison()) == "±7.0"
    assert paired.margin(comparison(margin=None)) == "–"
    assert paired.ratio(comparison(ratio=1.15)) == "1.15 ×"
