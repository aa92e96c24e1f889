from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.report import names, words
from fairaudit.report.names import Unit
from fairaudit.report.safe_text import clean, shorten
from fairaudit.results import Estimate
from tests.report import audits


def test_every_name_of_the_schema_has_words():
    schema = (
        "stereotype_preference_rate, stereotype_score, anti_stereotype_score, metric_score, "
        "language_modeling_score, icat, mean_log_odds, bias_score_ambiguous, "
        "bias_score_disambiguated, accuracy, accuracy_gap, occupation_correlation, "
        "toxicity_mean, toxicity_difference, toxicity_ratio, expected_max_toxicity, "
        "regard_difference, honest_score, effect_size_d, perplexity, token_accuracy"
    )
    cautions = (
        "not_moved, distance_unknown, capability_unknown, overshot, nonzero, few_clusters, "
        "single_seed, high_tie_share, skipped_items, contaminated"
    )
    assert set(schema.split(", ")) <= set(names.METRICS)
    assert set(cautions.split(", ")) <= set(names.CAUTIONS)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.4712, Unit.PERCENT, "47.1"),
        (0.0, Unit.PERCENT, "0.0"),
        (0.0001, Unit.PERCENT, "<0.1"),
        (0.9999, Unit.PERCENT, ">99.9"),
        (1.0, Unit.PERCENT, "100.0"),
        (-0.05, Unit.POINTS, "−5.0"),
        (0.1234, Unit.SIGNED_NATS, "+0.123"),
        (-0.00001, Unit.SIGNED_NATS, "0.000"),
        (-0.5, Unit.SIGNED_NUMBER, "−0.50"),
        (0.25, Unit.NATS, "0.250"),
        (3.14159, Unit.NUMBER, "3.14"),
        (114.31, Unit.NUMBER, "114.3"),
        (50257.2, Unit.NUMBER, "50,257"),
        (1.5e12, Unit.NUMBER, "1.50e+12"),
        (0.07176, Unit.FRACTION, "0.07176"),
        (10000.0, Unit.FRACTION, "10,000"),
        (0.0123, Unit.SIZE, "0.0123"),
        (-4.37e-05, Unit.SIGNED_SIZE, "−4.37e−05"),
        (0.0, Unit.SIGNED_SIZE, "0"),
        (-0.25, Unit.COSINE, "−0.250"),
    ],
)
def test_numbers(value: float, unit: Unit, text: str):
    assert words.number(value, unit) == text


def test_a_number_is_its_text_and_knows_its_value():
    shown = words.quantity(0.471, Unit.PERCENT, audits.interval(0.44, 0.502))
    assert shown == "47.1 % [44.0, 50.2]"
    assert (shown.value, shown.unit) == (0.471, Unit.PERCENT)
    assert shown.interval is not None
    assert words.bounds(None, Unit.PERCENT) == words.MISSING
    assert words.p_of(0.0001).value == 0.0001
    assert words.count(1508).value == 1508


def _rate(**fields: object) -> Estimate:
    given_fields = {"name": "stereotype_preference_rate", "kind": "bias", "ideal": 0.5, **fields}
    return audits.make("templates/causal-sum", "race", 10, 5, **given_fields)


def test_value_with_interval():
    found = _rate(value=0.471, interval=audits.interval(0.44, 0.502), mde=0.041)
    assert words.with_interval(found) == "47.1 % [44.0, 50.2]"
    assert words.reference(found.ideal, found) == "50 %"
    assert words.detectable(found) == "±4.1"


def test_missing_is_a_dash_and_never_zero():
    found = _rate(value=None, reason="no item was scored")
    assert words.with_interval(found) == words.interval_of(found) == "–"
    assert words.p_of(None) == words.detectable(found) == words.reference(None, found) == "–"
    assert words.with_interval(_rate(value=0.0)) == "0.0 %"


def test_unknown_names_stand_for_themselves():
    own = audits.make("mine/ask", "left_handed", 5, 5, name="my_rate", kind="bias", value=0.25)
    assert names.metric_of(own).label == "My rate"
    assert words.value_of(own) == "0.25"
    share = own.model_copy(update={"range": (0.0, 1.0)})
    assert words.value_of(share) == "25.0 %"
    assert names.axis_name("left_handed") == "Left handed"
    assert names.suite_name("mine") == "mine"
    assert names.caution_of("odd_thing").label == "odd thing"
    assert names.protocol_meaning("mine/ask") == ""
    assert names.protocol_meaning("stereoset/overall-recorded") == "scores recorded elsewhere"


def test_p_values():
    assert words.p_of(0.0001) == "<0.001"
    assert words.p_of(0.0314) == "0.031"


@given(st.text())
def test_clean_text_cannot_drive_a_screen(text: str):
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert not any(character in cleaned for character in "\x00\x07\x1b\n\r\u202e\u2028\x9b")
    cleaned.encode("utf-8")


def test_shorten_keeps_both_ends():
    assert shorten("abcdefghij", 5) == "ab…ij"
    assert shorten("abc", 5) == "abc"
    assert len(shorten(audits.LONG, 30)) == 30
