"""Toxicity by group: worked by hand, against published numbers, and against slow ways to do it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairaudit.metrics.distribution_distance import distance_estimates, wasserstein
from fairaudit.metrics.prompts import Texts
from fairaudit.metrics.registry import measurements
from fairaudit.metrics.texts import text_estimates, text_measurements
from fairaudit.vocabulary.metrics import TOXICITY_DISTANCE
from tests.metrics.text_tables import Asked, by_name, table, toxic

#: Mean toxicity of male and female prompts by model, and their difference (Srivastava et al. 2024,
#: Table 1).
TABLE_1 = {
    "before": (0.0739, 0.0917, 0.0178),
    "no DP": (0.0189, 0.0350, 0.0161),
    "eps 3": (0.0681, 0.1197, 0.0516),
    "eps 10": (0.0521, 0.1309, 0.0788),
    "eps 20": (0.0805, 0.1673, 0.0868),
}


def spread(group: str, mean: float, n: int = 60, *, width: float = 0.5, **more) -> list[Asked]:
    """Prompts of a group whose toxicities vary around an exact mean."""
    factors = np.linspace(1 - width, 1 + width, n)
    return [toxic(group, mean * factor, **more) for factor in factors]


def published(model: str):
    male, female, _ = TABLE_1[model]
    return text_estimates(table([*spread("male", male), *spread("female", female)]), 0)


@pytest.mark.parametrize("model", TABLE_1)
def test_the_published_table_is_female_minus_male(model):
    male, female, difference = TABLE_1[model]
    found = published(model)
    assert by_name(found, "toxicity_mean", group="male").value == pytest.approx(male)
    assert by_name(found, "toxicity_mean", group="female").value == pytest.approx(female)
    assert by_name(found, "toxicity_difference").value == pytest.approx(difference, abs=5e-5)
    assert by_name(found, "toxicity_ratio").value == pytest.approx(female / male)


def test_difference_and_ratio_can_disagree():
    plain, private = published("no DP"), published("eps 3")
    ratio, difference = "toxicity_ratio", "toxicity_difference"
    assert by_name(private, ratio).value < by_name(plain, ratio).value
    assert by_name(private, difference).value > 3 * by_name(plain, difference).value


def test_texts_are_nested_in_prompts():
    prompts = [
        toxic("male", 0.0, 0.2), toxic("male", 0.4, 0.8), toxic("female", 1.0, 0.6),
    ]  # fmt: skip
    found = text_estimates(table(prompts), 0)
    male = by_name(found, "toxicity_mean", group="male")
    assert male.value == pytest.approx((0.1 + 0.6) / 2)
    assert (male.n, male.n_clusters) == (2, 2)
    assert by_name(found, "expected_max_toxicity", group="male").value == pytest.approx(0.5)
    assert by_name(found, "toxicity_probability", group="male").value == pytest.approx(0.5)
    assert by_name(found, "toxic_share", group="male").value == pytest.approx(0.25)
    assert by_name(found, "toxic_share", group="female").value == pytest.approx(1.0)
    assert by_name(found, "toxicity_mean", axis="all").value == pytest.approx((0.7 + 0.8) / 3)


def test_a_text_without_a_score_is_missing_and_not_zero():
    prompts = [toxic("male", 0.4, None), toxic("male", None, None), toxic("female", 0.2, 0.2)]
    found = text_estimates(table(prompts), 0)
    male = by_name(found, "toxicity_mean", group="male")
    assert (male.value, male.n, male.n_skipped) == (pytest.approx(0.4), 1, 1)
    assert "skipped_items" in male.cautions
    # The maximum of fewer texts is smaller: such a prompt has none.
    with pytest.raises(ValueError, match="not enough values"):
        by_name(found, "expected_max_toxicity", group="male")
    assert by_name(found, "expected_max_toxicity", group="female").value == pytest.approx(0.2)


def test_a_number_in_a_skipped_row_is_not_read():
    frame = table([toxic("male", 0.4, 0.0), toxic("female", 0.2, 0.2)])
    frame.loc[1, "status"] = "skipped"
    assert by_name(text_estimates(frame, 0), "toxicity_mean", group="male").value == 0.4


def test_one_text_per_prompt_has_no_maximum():
    names = {found.name for found in published("before")}
    assert names == {
        "toxicity_mean",
        "toxicity_difference",
        "toxicity_ratio",
        "toxicity_distance",
        "toxic_share",
    }


def test_the_difference_has_the_error_of_two_independent_means():
    rng = np.random.default_rng(1)
    male, female = rng.beta(1, 9, 300), rng.beta(2, 9, 200)
    prompts = [*(toxic("male", x) for x in male), *(toxic("female", x) for x in female)]
    found = by_name(text_estimates(table(prompts), 0), "toxicity_difference")
    welch = math.sqrt(male.var(ddof=1) / 300 + female.var(ddof=1) / 200)
    assert found.se == pytest.approx(welch, rel=0.005)
    assert found.interval.resampling_unit == "prompt"
    interval = stats.ttest_ind(female, male, equal_var=False).confidence_interval()
    assert found.interval.low == pytest.approx(interval.low, abs=0.1 * welch)
    assert found.interval.high == pytest.approx(interval.high, abs=0.1 * welch)


def test_the_ratio_has_the_error_of_the_delta_method():
    rng = np.random.default_rng(2)
    male, female = rng.beta(3, 9, 400), rng.beta(4, 9, 400)
    prompts = [*(toxic("male", x) for x in male), *(toxic("female", x) for x in female)]
    found = by_name(text_estimates(table(prompts), 0), "toxicity_ratio")
    relative = [x.var(ddof=1) / len(x) / x.mean() ** 2 for x in (male, female)]
    assert found.se == pytest.approx(found.value * math.sqrt(sum(relative)), rel=0.005)
    log_value = math.log(found.value)
    half = (math.log(found.interval.high) - math.log(found.interval.low)) / 2
    assert half == pytest.approx(1.96 * math.sqrt(sum(relative)), rel=0.05)
    assert math.log(found.interval.low) < log_value < math.log(found.interval.high)


def test_openings_asked_of_both_groups_are_compared_within():
    rng = np.random.default_rng(3)
    opening = rng.uniform(0, 0.8, 60)
    male = [toxic("male", x, cluster=f"o{i}") for i, x in enumerate(opening)]
    gap = 0.1 + rng.normal(0, 0.01, 60)
    female = [
        toxic("female", x + d, cluster=f"o{i}")
        for i, (x, d) in enumerate(zip(opening, gap, strict=True))
    ]
    found = by_name(text_estimates(table([*male, *female]), 0), "toxicity_difference")
    assert found.se == pytest.approx(gap.std(ddof=1) / math.sqrt(60), rel=1e-6)
    assert found.interval.resampling_unit == "cluster"
    apart = [replace(one, cluster=None) for one in (*male, *female)]
    assert by_name(text_estimates(table(apart), 0), "toxicity_difference").se > 5 * found.se


def test_three_groups_against_the_reference_and_their_largest_gap():
    prompts = [
        *spread("White", 0.1, axis="race"),
        *spread("Black", 0.3, axis="race"),
        *spread("Asian", 0.2, axis="race"),
    ]
    found = text_estimates(table(prompts), 0)
    difference = by_name(found, "toxicity_difference", "race")
    assert difference.value == pytest.approx((0.3 + 0.2) / 2 - 0.1)
    assert by_name(found, "toxicity_ratio", "race").value == pytest.approx(2.5)
    gap = by_name(found, "toxicity_largest_gap", "race")
    assert gap.value == pytest.approx(0.2)
    assert gap.interval.method == "max-t"
    assert 0 < gap.interval.low < 0.2 < gap.interval.high
    assert gap.p_value < 0.01


def test_an_axis_without_a_reference_has_only_its_largest_gap():
    prompts = [
        *spread("nurses", 0.1, axis="profession"),
        *spread("drivers", 0.2, axis="profession"),
    ]
    found = [e for e in text_estimates(table(prompts), 0) if e.axis == "profession"]
    assert {e.name for e in found if e.group is None} == {"toxicity_largest_gap"}


def test_few_prompts_in_a_group_leave_the_value_without_an_interval():
    prompts = [*spread("male", 0.1, 50), *spread("female", 0.2, 9)]
    found = text_estimates(table(prompts), 0)
    for name in ("toxicity_difference", "toxicity_ratio"):
        one = by_name(found, name)
        assert one.value is not None
        assert one.interval is None
        assert "9 prompts of group 'female'" in one.reason
    assert "few_clusters" in by_name(found, "toxicity_difference").cautions
    names = {m.metric.name for m in text_measurements(table(prompts))}
    assert "toxicity_difference" not in names


def test_a_ratio_to_zero_is_missing():
    prompts = [*(toxic("male", 0.0) for _ in range(20)), *spread("female", 0.2, 20)]
    ratio = by_name(text_estimates(table(prompts), 0), "toxicity_ratio")
    assert ratio.value is None
    assert "a mean is 0" in ratio.reason


def test_nothing_scored_says_so():
    prompts = [toxic("male", None), toxic("female", None)]
    found = text_estimates(table(prompts), 0)
    assert found
    assert all(one.value is None and one.reason for one in found)


def test_every_value_that_is_compared_is_the_value_that_is_reported():
    rng = np.random.default_rng(4)
    prompts = [
        toxic(group, *rng.beta(1, 6, 3), axis=axis, cluster=f"{axis}{i % 50}")
        for axis, groups in {"gender": ("male", "female"), "race": ("white", "x", "y")}.items()
        for group in groups
        for i in range(70)
    ]
    frame = table(prompts)
    found = text_estimates(frame, 0)
    measured = measurements("toxicity", frame)
    assert {m.metric.name for m in measured} >= {"toxicity_difference", "toxicity_ratio"}
    for one in measured:
        estimate = by_name(found, one.metric.name, one.where.axis, one.where.group)
        assert np.mean(one.sample.values) == pytest.approx(estimate.value)
        assert one.where.primary == estimate.primary
        assert one.sample.keys is not None
    assert len({e.key for e in found}) == len(found)


def test_verdicts_rest_on_the_first_kind_of_score_at_hand():
    toxicity = table([*spread("male", 0.1), *spread("female", 0.2)])
    compound = [
        Asked(g, {"compound": [x]}) for g in ("male", "female") for x in np.linspace(0, 1, 20)
    ]
    sentiment = table(compound, scorer="vader-3.3.2")

    def primary(*tables):
        return {e.name for e in text_estimates(pd.concat(tables), 0) if e.primary}

    assert primary(toxicity, sentiment) == {"toxicity_difference"}
    assert primary(sentiment) == {"sentiment_difference"}


def test_wasserstein_is_that_of_scipy():
    rng = np.random.default_rng(5)
    values, prompt = rng.random(40).round(1), np.repeat(np.arange(10), 4)
    sides = rng.random((20, 10)) < 0.5
    sides[:, 0], sides[:, 1] = True, False
    wanted = [
        stats.wasserstein_distance(values[side[prompt]], values[~side[prompt]]) for side in sides
    ]
    assert wasserstein(values, prompt, sides) == pytest.approx(wanted)


def test_the_distance_sees_what_means_do_not():
    middling = [toxic("male", 0.5) for _ in range(40)]
    extreme = [toxic("female", x) for x in [0.0, 1.0] * 20]
    found = text_estimates(table([*middling, *extreme]), 0)
    assert by_name(found, "toxicity_difference").value == pytest.approx(0)
    distance = by_name(found, "toxicity_distance")
    assert distance.value == pytest.approx(0.5)
    assert distance.p_value == pytest.approx(0.001)
    assert distance.chance < 0.25


def test_exchange_keeps_its_level():
    rng = np.random.default_rng(6)
    p_values = []
    for _ in range(40):
        prompts = [
            toxic(g, x, cluster=f"o{i}")
            for i, opening in enumerate(rng.random(12))
            for g in ("male", "female")
            for x in [np.clip(opening + rng.normal(0, 0.1), 0, 1)]
        ]
        (found,) = distance_estimates(TOXICITY_DISTANCE, Texts(table(prompts)), "toxic", 0)
        p_values.append(found.p_value)
    # 40 tests at 10 %: more than 10 hits happen less than once in 200 times.
    assert sum(p <= 0.1 for p in p_values) <= 10
    assert min(p_values) < 0.5 < max(p_values)


@settings(max_examples=4, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_prompts_changes_nothing(random):
    rng = np.random.default_rng(7)
    prompts = [
        toxic(group, *rng.beta(1, 6, 2), item_id=f"{group}{i}")
        for group in ("male", "female")
        for i in range(15)
    ]
    shuffled = random.sample(prompts, len(prompts))
    first, second = text_estimates(table(prompts), 0), text_estimates(table(shuffled), 0)
    for one in first:
        other = by_name(second, one.name, one.axis, one.group)
        assert other.value == pytest.approx(one.value, rel=1e-12)
        if one.interval is not None:
            assert other.interval.low == pytest.approx(one.interval.low, rel=1e-9)


@pytest.mark.parametrize("copies", [2, 4])
def test_duplicated_prompts_do_not_shrink_the_error(copies):
    prompts = [
        one
        for group, mean in (("male", 0.2), ("female", 0.3))
        for i, one in enumerate(spread(group, mean, 12))
        for one in [replace(one, cluster=f"{group}{i}")]
    ]
    single = text_estimates(table(prompts), 0)
    several = text_estimates(table(prompts * copies), 0)
    for name in ("toxicity_difference", "toxicity_ratio"):
        assert by_name(several, name).se == pytest.approx(by_name(single, name).se)
    group = by_name(several, "toxicity_mean", group="male")
    assert group.se == pytest.approx(by_name(single, "toxicity_mean", group="male").se)
    assert group.n_clusters == 12
