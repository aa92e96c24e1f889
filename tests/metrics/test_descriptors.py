"""Likelihood bias: worked by hand, of a random scorer, and where a bias is planted."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.items import Answer, Item, Skipped
from fairaudit.metrics.descriptors import (
    compare_descriptors,
    descriptor_estimates,
    descriptor_measurements,
)
from fairaudit.suites.holistic_bias import SUITE, Descriptor, Noun, sample

CAUSAL = next(one for one in SUITE.protocols if one.model_kind == "causal")
NOUNS = [Noun(f"noun{n}", f"nouns{n}", "neutral") for n in range(20)]
TEMPLATES = [f"Template {n} about {{noun_phrase}}." for n in range(21)]
SHARE, EXCESS = "likelihood_bias", "likelihood_bias_excess"


def words(n, axis):
    return [Descriptor(f"{axis}{place}", "a") for place in range(n)]


def items_of(**axes):
    return sample({axis: words(n, axis) for axis, n in axes.items()}, NOUNS, TEMPLATES)


def table_of(items: tuple[Item, ...], score: Callable[[Item, str], float | None]):
    """Score table of a suite whose sentences a function scores; None: skipped."""
    rows = []
    for one in items:
        for role in one.texts:
            found = score(one, role)
            answer = Skipped("too long") if found is None else Answer((found,))
            rows += item_rows(one, CAUSAL, role, answer)
    return score_table(rows)


def at_random(seed, words=0.0, nouns=0.0, planted=()):
    """Scorer with noise of its own, and effects of words and of nouns; planted words are rarer."""
    rng = np.random.default_rng(seed)
    effects: dict[str, float] = {}

    def score(item, role):
        word, noun = str(item.facts["descriptor"]), item.texts[role].split()[-1]
        known = [
            effects.setdefault(name, size * float(rng.normal()))
            for name, size in ((word, words), (noun, nouns))
        ]
        return sum(known) + float(rng.normal()) - 3.0 * (word in planted)

    return score


def estimates(items, score, seed=0):
    found = descriptor_estimates(table_of(items, score), seed)
    return {(one.axis, one.name): one for one in found}


def test_a_block_worked_by_hand():
    """Two descriptors between each other, one that lies apart from both: 2 of 3 pairs differ."""
    low = np.arange(8.0)
    found = compare_descriptors(np.array([low, low + 0.5, low + 100]))
    pairs = zip(found.first.tolist(), found.second.tolist(), found.differ.tolist(), strict=True)
    assert list(pairs) == [(0, 1, False), (0, 2, True), (1, 2, True)]


def test_chance_is_the_share_over_all_permutations():
    """Of two descriptors and eight nouns there are 2⁸ ways to permute within nouns."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(1, 8)) / 2 + rng.normal(size=(2, 8)) + np.array([[0.0], [1.0]])
    ways = np.array(list(itertools.product([False, True], repeat=8)))
    first, second = (np.where(ways, scores[one], scores[1 - one]) for one in (0, 1))
    exact = np.mean(mannwhitneyu(first, second, axis=1).pvalue < 0.05)
    assert exact == 14 / 256
    assert compare_descriptors(scores).by_chance == pytest.approx(exact, abs=0.025)
    # Nouns far apart: no exchange within a noun can matter.
    apart = np.array([np.arange(8.0) * 100, np.arange(8.0) * 100 + 1])
    assert compare_descriptors(apart).by_chance == 0


def test_a_random_scorer_has_no_bias_beyond_chance():
    """Share near 0.05, and nearly every interval of the excess covers 0."""
    items = items_of(age=30, gender=40, race=20)
    shares, covered = [], []
    for seed in range(12):
        found = estimates(items, at_random(seed))
        shares.append(found["all", SHARE].value)
        pooled = found["all", EXCESS].interval
        covered.append(pooled.low <= 0 <= pooled.high)
    # 12 × 189 pairs: a standard error of half a point.
    assert np.mean(shares) == pytest.approx(0.05, abs=0.015)
    assert np.mean(covered) >= 0.75


def test_a_scorer_that_minds_nouns_only_has_no_bias_either():
    """Its bare share is far below 0.05, which is no merit: permuted descriptors have the same."""
    found = estimates(items_of(age=30), at_random(1, nouns=3.0))
    assert found["age", SHARE].value < 0.03
    assert found["age", EXCESS].value == pytest.approx(0, abs=0.03)


def test_a_planted_bias_is_found():
    """A third of the words are rarer: of pairs, 2 · ⅓ · ⅔ are of one such word and another."""
    planted = {f"race{n}" for n in range(0, 30, 3)}
    found = estimates(items_of(race=30, age=30), at_random(2, planted=planted))
    excess = found["race", EXCESS]
    assert excess.interval.low > 0.2
    assert excess.value == pytest.approx(4 / 9, abs=0.12)
    assert excess.p_value < 0.001
    assert excess.primary
    assert not found["race", SHARE].primary
    assert excess.interval.resampling_unit == "template"
    assert excess.n_clusters == 21
    other = found["age", EXCESS]
    assert other.interval is None or other.interval.low < 0.05


def test_without_a_pair_that_differs_there_is_no_interval():
    found = estimates(items_of(age=9), lambda item, role: float(role[-1]))
    excess = found["age", EXCESS]
    assert excess.value == 0
    assert excess.interval is None
    assert "no pair of descriptors differs" in excess.reason or "same value" in excess.reason
    # No pair of 63 is no proof that there is none.
    assert found["age", SHARE].interval.high > 0.1


def test_a_descriptor_with_a_missing_score_is_counted_and_left_out():
    items = items_of(age=9)
    scorer = at_random(3)

    def score(item, role):
        lost = item.facts["descriptor"] == "age4" and role == "noun_2"
        return None if lost else scorer(item, role)

    lost = sum(item.facts["descriptor"] == "age4" for item in items)
    found = estimates(items, score)["age", EXCESS]
    assert found.n_skipped == lost
    assert found.n == 63 - 2 * lost
    assert "skipped_items" in found.cautions
    nothing = estimates(items, lambda item, role: None)["age", EXCESS]
    assert nothing.value is None
    assert nothing.n_skipped == 63


def test_made_up_words_are_a_control():
    items = items_of(age=9, nonce=9)
    found = estimates(items, at_random(4, words=5.0))
    assert found["nonce", EXCESS].kind == "control"
    assert not found["nonce", EXCESS].primary
    assert found["all", EXCESS].n == found["age", EXCESS].n
    assert found["all", EXCESS].value == found["age", EXCESS].value


def test_the_order_of_rows_does_not_matter():
    table = table_of(items_of(age=20), at_random(5, words=1.0))
    shuffled = table.sample(frac=1, random_state=0)
    assert descriptor_estimates(table, 0) == descriptor_estimates(shuffled, 0)


def test_measurement_and_estimate_are_of_one_value():
    table = table_of(items_of(age=20), at_random(6, words=1.0))
    made = {(one.axis, one.name): one.value for one in descriptor_estimates(table, 0)}
    for one in descriptor_measurements(table):
        expected = made[one.where.axis, one.metric.name]
        assert np.mean(one.sample.values) == pytest.approx(expected, abs=1e-12)
        assert len(set(one.sample.keys)) == len(one.sample.keys)
