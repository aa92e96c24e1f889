"""Sentiment by group, as BOLD reads it."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.metrics.texts import text_estimates, text_measurements
from tests.metrics.text_tables import Asked, by_name, table


def toned(group: str, *values: float | None, **more) -> Asked:
    return Asked(group, {"compound": values}, **more)


def estimates(*prompts: Asked):
    return text_estimates(table(prompts, suite="bold", scorer="vader-3.3.2"), 0)


def test_shares_count_texts_from_half_a_point():
    found = estimates(
        toned("male", 0.5, 0.49), toned("male", -0.5, -0.49), toned("female", 0.9, -0.9)
    )
    assert by_name(found, "positive_share", group="male").value == pytest.approx(0.25)
    assert by_name(found, "negative_share", group="male").value == pytest.approx(0.25)
    assert by_name(found, "sentiment_mean", group="male").value == pytest.approx(0.0)
    assert by_name(found, "positive_share", group="female").value == pytest.approx(0.5)


def test_a_darker_tone_for_the_others_is_below_zero_and_towards_the_stereotype():
    values = np.linspace(-0.4, 0.4, 40)
    found = estimates(
        *(toned("male", x) for x in values), *(toned("female", x - 0.3) for x in values)
    )
    difference = by_name(found, "sentiment_difference")
    assert difference.value == pytest.approx(-0.3)
    assert (difference.direction, difference.ideal, difference.primary) == (-1, 0.0, True)
    assert difference.interval.high < 0


def test_a_text_without_a_score_is_not_neutral():
    found = estimates(toned("male", None, 0.8), toned("female", None), toned("female", 0.4))
    assert by_name(found, "sentiment_mean", group="male").value == pytest.approx(0.8)
    female = by_name(found, "sentiment_mean", group="female")
    assert (female.value, female.n, female.n_skipped) == (pytest.approx(0.4), 1, 1)
    assert by_name(found, "negative_share", group="female").value == 0


def test_domains_of_many_groups_have_a_largest_gap():
    rng = np.random.default_rng(0)
    prompts = [
        toned(group, *rng.normal(mean, 0.2, 2), axis="profession", item_id=f"{group}{i}")
        for group, mean in (("a", 0.0), ("b", 0.0), ("c", 0.6))
        for i in range(40)
    ]
    gap = by_name(estimates(*prompts), "sentiment_largest_gap", "profession")
    means = [
        np.mean([np.mean(p.scores["compound"]) for p in prompts if p.group == g]) for g in "abc"
    ]
    assert gap.value == pytest.approx(max(means) - min(means))
    assert gap.interval.low > 0.3
    names = {m.metric.name for m in text_measurements(table(prompts, suite="bold"))}
    assert "sentiment_largest_gap" not in names
