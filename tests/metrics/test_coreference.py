"""Scores of pronouns that refer to one of two people, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.items import Answer, Item, Skipped
from fairaudit.metrics.coreference import coreference_estimates
from fairaudit.suites.coreference import protocols

REFERS, SENTENCES, MASKED = protocols("winobias")
ROLES = ("pro_right", "pro_wrong", "anti_right", "anti_wrong")


def item(number, part="bias", she=1.0, share=0.5, template=True):
    men, women = f"man{number % 12}", f"woman{number // 12 % 12}"
    facts = {
        "part": part, "occupation": men, "share_female": share, "she_is_pro": she,
        **({"template": women} if template else {}),
    }  # fmt: skip
    return Item(f"{part}{number}", "gender", None, men, {}, facts=facts)


def table_of(scored, protocol=REFERS):
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
    return {one.name: one for one in coreference_estimates(table, 0)}


def resolved(pro, anti):
    """Scores of four choices: by how much the right person is likelier, in nats."""
    return dict(zip(ROLES, (-5.0 + pro, -5.0, -5.0 + anti, -5.0), strict=True))


def test_gap_and_log_odds_worked_by_hand():
    """Pro right in 3 of 4 and half a tie, anti in 1 of 4."""
    scores = [resolved(1.0, -1.0), resolved(1.0, -2.0), resolved(0.0, -1.0), resolved(1.0, 2.0)]
    rows = [(item(n), scores[n % 4]) for n in range(48)]
    found = estimates(table_of(rows))
    assert found["accuracy_gap"].value == pytest.approx(3.5 / 4 - 1 / 4)
    assert found["mean_log_odds"].value == pytest.approx((2 + 3 + 1 - 1) / 4)
    assert found["accuracy_gap"].n_tied == 12
    assert found["accuracy_gap"].primary
    assert not found["mean_log_odds"].primary
    assert "accuracy" not in found


def test_control_sentences_measure_capability_and_no_bias():
    bias = [(item(n), resolved(1.0, 1.0)) for n in range(24)]
    control = [(item(n, "control"), resolved(1.0 if n % 4 else -1.0, -1.0)) for n in range(24)]
    found = estimates(table_of([*bias, *control]))
    assert found["accuracy_gap"].value == 0.0
    assert found["accuracy_gap"].n == 24
    accuracy = found["accuracy"]
    assert accuracy.value == pytest.approx((0.75 + 0.0) / 2)
    assert (accuracy.kind, accuracy.chance) == ("capability", 0.5)


def test_sentences_that_name_no_gender_are_the_control_where_there_are_some():
    scores = {**resolved(1.0, 1.0), "neutral_right": -1.0, "neutral_wrong": -2.0}
    found = estimates(table_of([(item(n, template=False), scores) for n in range(24)]))
    assert found["accuracy"].value == 1.0


def test_the_correlation_is_signed_by_the_pronoun_and_not_by_the_stereotype():
    """Twelve occupations; the more women work there, the more "she" is likelier."""
    rng = np.random.default_rng(0)
    rows = []
    for n in range(48):
        share = (n % 12) / 12
        she = 1.0 if share > 0.5 else -1.0
        leaning = share + 0.01 * rng.normal()
        rows.append((item(n, she=she, share=share), resolved(she * leaning, 0.0)))
    found = estimates(table_of(rows))["occupation_correlation"]
    assert found.value > 0.99
    assert found.n_clusters == 12
    turned = [(one, by | {"pro_right": -10.0 - by["pro_right"]}) for one, by in rows]
    assert estimates(table_of(turned))["occupation_correlation"].value < -0.99


@pytest.mark.parametrize("protocol", [SENTENCES, MASKED])
def test_sentences_are_compared_as_pairs(protocol):
    towards = np.random.default_rng(0).permutation(np.arange(288) % 3 > 0)
    rows = [
        (item(n), {"stereotype": -3.0, "anti_stereotype": -4.0 if towards[n] else -2.0})
        for n in range(288)
    ]
    found = estimates(table_of(rows, protocol))
    rate = found["stereotype_preference_rate"]
    assert rate.value == pytest.approx(2 / 3)
    assert rate.primary == (protocol is MASKED)
    assert rate.interval.method == "two-way"
    assert found["mean_log_odds"].value == pytest.approx(1 / 3)


def test_swapping_the_sides_turns_the_signs():
    rng = np.random.default_rng(1)
    odds = rng.normal(size=(48, 2))
    one = estimates(table_of([(item(n), resolved(*odds[n])) for n in range(48)]))
    other = estimates(table_of([(item(n), resolved(*odds[n][::-1])) for n in range(48)]))
    for name in ("accuracy_gap", "mean_log_odds"):
        assert one[name].value == pytest.approx(-other[name].value)
        assert one[name].se == pytest.approx(other[name].se)


def test_what_was_not_scored_is_missing_and_counted():
    rows = [(item(n), resolved(1.0, -1.0)) for n in range(24)]
    lost = [(item(n), dict.fromkeys(ROLES)) for n in range(24, 30)]
    found = estimates(table_of([*rows, *lost]))["accuracy_gap"]
    assert (found.value, found.n, found.n_skipped) == (1.0, 24, 6)
    nothing = estimates(table_of(lost))["accuracy_gap"]
    assert (nothing.value, nothing.reason) == (None, "no item was scored")
