"""The known world: what it implies, and that an ideal reader finds exactly that."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_plan import load_plan
from fairaudit.experiments.world import (
    AXES,
    COVERED,
    UNCOVERED,
    Mixture,
    implied,
    load_words,
    population,
    sentences,
)
from fairaudit.items import LogLikelihood
from fairaudit.metrics.sentence_pairs import pair_estimates
from fairaudit.suites.custom import _pair_protocols
from tests.experiments.ideal_reader import IdealReader

MIXTURES = {
    "unbiased": Mixture(),
    "biased": Mixture(mu=0.7, tau=0.5, seed=3),
    "per axis": Mixture(mu={"gender": 1.0, "race": -0.4}, tau=1.2, seed=1),
    "unequal shares": Mixture(mu=0.2, share={"gender": 0.3, "religion": 0.8}, plain=0.4),
}


#: What base and text of every built-in regime are drawn from.
REGIMES = {
    f"{plan}, {name}, {part}": text.mixture(0)
    for plan in ("demo", "regimes")
    for name, own in load_plan(plan).regimes().items()
    for part, text in (("base", own.base.text), ("text", own.text.world))
}


@pytest.fixture(scope="module")
def items():
    return list(population())


@pytest.mark.parametrize("name", [*MIXTURES, *REGIMES])
def test_an_ideal_reader_gets_exactly_the_implied_values(items, name):
    """Through the protocol and the metrics that also score models; covered and uncovered alike."""
    mixture = {**MIXTURES, **REGIMES}[name]
    reader, protocol = IdealReader(mixture), _pair_protocols("world")[0]
    rows = [
        row
        for item in items
        for role in item.texts
        for row in item_rows(item, protocol, role, reader.answer(protocol.request(item, role)))
    ]
    found = {(e.axis, e.group, e.name): e for e in pair_estimates(score_table(rows), 0)}
    for axis in AXES:
        expected = implied(mixture, axis)
        for group in (None, COVERED, UNCOVERED):
            rate = found[axis, group, "stereotype_preference_rate"]
            odds = found[axis, group, "mean_log_odds"]
            assert rate.value == pytest.approx(expected.stereotype_preference_rate, abs=1e-12)
            assert odds.value == pytest.approx(expected.mean_log_odds, abs=1e-9)
            assert rate.n_clusters == len(load_words().axes[axis].concepts)


def test_the_reader_gives_a_probability_distribution(items):
    reader = IdealReader(MIXTURES["unequal shares"])
    assert reader.log_prefix("") == pytest.approx(0.0, abs=1e-12)
    assert reader.log_probability("No such sentence.") == -math.inf
    drawn = Counter(sentences(MIXTURES["unequal shares"], 4000, seed=0))
    mass = sum(math.exp(reader.log_probability(sentence)) for sentence in drawn)
    assert 0 < mass < 1
    assert all(reader.log_probability(sentence) > -math.inf for sentence in drawn)


def test_what_is_drawn_is_what_the_reader_expects():
    """The share of each beginning among 20,000 sentences lies within 5 standard errors."""
    mixture, n = MIXTURES["biased"], 20_000
    reader, drawn = IdealReader(mixture), sentences(MIXTURES["biased"], 20_000, seed=1)
    for beginning in ("On Monday the ", "By the river the nurse", "The weather in", "On "):
        p = math.exp(reader.log_prefix(beginning))
        share = sum(sentence.startswith(beginning) for sentence in drawn) / n
        assert abs(share - p) < 5 * math.sqrt(p * (1 - p) / n) + 1e-9


def test_conditioning_on_a_context_is_bayes(items):
    reader = IdealReader(MIXTURES["biased"])
    text = items[0].texts["stereotype"]
    head, tail = text[:30], text[30:]
    conditional = reader.answer(LogLikelihood(tail, context=head)).total
    assert conditional == pytest.approx(reader.log_probability(text) - reader.log_prefix(head))


def test_no_sentence_can_be_read_in_two_ways():
    """Then a pair's difference is the log-odds of one concept, not of several."""
    words = load_words()
    for axis in AXES:
        texts = [concept.text for concept in words.axes[axis].concepts]
        assert len(set(texts)) == len(texts) >= 60
    every = [concept.text for axis in AXES for concept in words.axes[axis].concepts]
    assert len(set(every)) == len(every)


def test_at_least_two_fifths_of_the_terms_are_unknown_to_the_lexicon(items):
    for axis in AXES:
        groups = Counter(item.group for item in items if item.axis == axis)
        assert groups[UNCOVERED] / sum(groups.values()) >= 0.4


def test_the_text_has_variety():
    drawn = sentences(Mixture(), 10_000, seed=0)
    assert len(set(drawn)) > 9_000
    assert drawn == sentences(Mixture(), 10_000, seed=0)
    assert drawn != sentences(Mixture(), 10_000, seed=1)


def test_mixtures_with_one_seed_differ_in_what_was_set_only():
    first, second = Mixture(mu=0.0, seed=2), Mixture(mu=0.5, seed=2)
    for axis in AXES:
        np.testing.assert_allclose(second.log_odds(axis) - first.log_odds(axis), 0.5)


def test_a_larger_share_of_a_group_raises_its_odds_and_lowers_the_others():
    change = Mixture(share={"gender": 0.75}).log_odds("gender") - Mixture().log_odds("gender")
    sides = np.array([concept.stereotyped for concept in load_words().axes["gender"].concepts])
    np.testing.assert_allclose(change, np.where(sides == 1, math.log(3), -math.log(3)))


@pytest.mark.parametrize(
    "options",
    [{"tau": -1.0}, {"share": {"gender": 1.0}}, {"share": {"age": 0.5}}, {"plain": 1.0}],
)
def test_an_impossible_mixture_is_refused(options):
    with pytest.raises(UsageError):
        Mixture(**options)
