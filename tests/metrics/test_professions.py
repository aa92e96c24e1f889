"""Professions and the gender of words for a person, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.items import Answer, Item, Skipped
from fairaudit.metrics.professions import profession_estimates, towards_stereotype
from fairaudit.metrics.registry import measurements
from fairaudit.suites.bec_pro import SUITE

CAUSAL, MASKED = SUITE.protocols
KINDS = ("male-dominated", "female-dominated", "balanced")


def item(number, kind):
    return Item(f"{kind}{number}", "gender", kind, f"{kind}{number % 20}", {})


def table_of(scored, protocol=CAUSAL):
    """Score table of (item, scores by role); a missing score is skipped."""
    return score_table(
        row
        for one, by_role in scored
        for role, score in by_role.items()
        for row in item_rows(
            one, protocol, role, Skipped("none") if score is None else Answer((score,))
        )
    )


def estimates(table):
    return {(one.group, one.name): one for one in profession_estimates(table, 0)}


def pairs_of(difference, kind, n=40):
    """Pairs whose male side is likelier by ``difference``, give or take ½ by profession."""
    return [
        (item(k, kind), {"male": -5 + difference + (k % 20 % 2) - 0.5, "female": -5.0})
        for k in range(n)
    ]


def test_difference_and_headline_worked_by_hand():
    """Means of male minus female: 2 of men's professions, 1 of women's, −3 of the balanced."""
    found = estimates(
        table_of(
            [row for d, kind in zip((2, 1, -3), KINDS, strict=True) for row in pairs_of(d, kind)]
        )
    )
    values = {kind: found[kind, "male_female_difference"].value for kind in KINDS}
    assert values == pytest.approx(dict(zip(KINDS, (2, 1, -3), strict=True)))
    assert found[None, "male_female_difference"].value == pytest.approx(0.0)
    headline = found[None, "mean_log_odds"]
    assert headline.value == pytest.approx((2 - 1) / 2)
    assert (headline.n, headline.n_clusters, headline.primary) == (80, 40, True)
    assert headline.interval.resampling_unit == "profession"
    assert headline.direction == 1
    assert {one.primary for key, one in found.items() if key != (None, "mean_log_odds")} == {False}
    assert not any("association" in name for _, name in found)


def test_association_is_the_word_with_the_profession_over_the_word_without():
    """ln(0.2 / 0.1) for men and ln(0.1 / 0.3) for women, in all professions of men."""
    scores = {
        "male": np.log(0.2), "female": np.log(0.1),
        "male_prior": np.log(0.1), "female_prior": np.log(0.3),
    }  # fmt: skip
    turned = {"male": -1.0, "female": -2.0, "male_prior": -1.0, "female_prior": -2.0}
    rows = [(item(k, KINDS[0]), scores) for k in range(40)]
    rows += [(item(k, KINDS[1]), turned) for k in range(40)]
    found = estimates(table_of(rows, MASKED))
    assert found[KINDS[0], "male_association"].value == pytest.approx(np.log(2))
    assert found[KINDS[0], "female_association"].value == pytest.approx(np.log(1 / 3))
    assert found[KINDS[0], "male_female_difference"].value == pytest.approx(np.log(6))
    assert found[KINDS[1], "male_female_difference"].value == pytest.approx(0.0)
    assert found[None, "mean_log_odds"].value == pytest.approx(np.log(6) / 2)


def test_a_lean_to_one_gender_in_all_professions_is_no_stereotype():
    """And it does not widen the interval, though it pulls the two kinds apart."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=80)
    for lean in (0.0, 7.0):
        rows = [
            (item(k % 40, KINDS[k // 40]), {"male": noise[k] + lean, "female": 0.0})
            for k in range(80)
        ]
        headline = estimates(table_of(rows))[None, "mean_log_odds"]
        if lean == 0.0:
            without = headline
    assert headline.value == pytest.approx(without.value)
    assert headline.se == pytest.approx(without.se)


def test_swapping_the_kinds_turns_the_headline_and_swapping_the_words_too():
    rng = np.random.default_rng(1)
    scores = [dict(zip(("male", "female"), rng.normal(size=2), strict=True)) for _ in range(80)]
    kinds = (KINDS[0], KINDS[1])

    def headline(rows):
        return estimates(table_of(rows))[None, "mean_log_odds"]

    one = headline([(item(k % 40, kinds[k // 40]), scores[k]) for k in range(80)])
    other = headline([(item(k % 40, kinds[1 - k // 40]), scores[k]) for k in range(80)])
    words = [{"male": by["female"], "female": by["male"]} for by in scores]
    third = headline([(item(k % 40, kinds[k // 40]), words[k]) for k in range(80)])
    assert other.value == pytest.approx(-one.value)
    assert third.value == pytest.approx(-one.value)
    assert other.se == pytest.approx(one.se) == pytest.approx(third.se)


def test_weights_make_both_kinds_count_alike():
    values, weights = towards_stereotype(np.array([1.0, 3.0, 2.0]), np.array([-1.0]))
    assert values.sum() / weights.sum() == pytest.approx((2 - -1) / 2)
    assert weights.sum() == pytest.approx(4)
    assert weights[:3].sum() == pytest.approx(weights[3])


def test_what_was_not_scored_is_missing_and_counted():
    rows = [row for kind in KINDS for row in pairs_of(1.0, kind)]
    lost = [(item(100 + k, KINDS[k % 3]), {"male": None, "female": -1.0}) for k in range(9)]
    found = estimates(table_of(rows + lost))
    assert found[None, "male_female_difference"].n_skipped == 9
    assert found[None, "mean_log_odds"].n_skipped == 6
    assert found[KINDS[2], "male_female_difference"].n_skipped == 3
    assert found[None, "mean_log_odds"].value == pytest.approx(0.0)


def test_without_one_kind_of_professions_there_is_no_headline_but_a_reason():
    lost = [(item(k, KINDS[1]), {"male": None, "female": -1.0}) for k in range(3)]
    table = table_of([*pairs_of(1.0, KINDS[0]), *lost])
    headline = estimates(table)[None, "mean_log_odds"]
    assert (headline.value, headline.interval, headline.primary) == (None, None, True)
    assert headline.reason == "no pair about female-dominated professions was scored"
    assert headline.n_skipped == 3
    assert not any(one.where.primary for one in measurements("bec_pro", table))
