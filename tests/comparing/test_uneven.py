"""Prompts that were continued 4 times by one model and 5 times by another: issue 18, item 12."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.comparing.joining import Joined
from fairaudit.comparing.uneven import n_uneven, with_even_texts
from fairaudit.metrics.prompts import Texts, by_axis
from fairaudit.results import AuditResult
from tests.comparing.audits import make_audit, pair_table
from tests.comparing.test_generation import PROTOCOL, with_texts
from tests.metrics.text_tables import table, toxic

AXIS = {"protocol": PROTOCOL, "axis": "gender"}


def audit(label: str, toxicity: dict[str, np.ndarray]) -> AuditResult:
    rng = np.random.default_rng(0)
    return with_texts(make_audit(label, pair_table(list(rng.normal(0, 0.5, 100)))), toxicity)


def texts(seed: int, n: int) -> dict[str, np.ndarray]:
    """Toxicities of two models' texts: the first four are one distribution, whatever ``n``."""
    rng = np.random.default_rng(seed)
    return {group: rng.uniform(0, 1, (60, 5))[:, :n] for group in ("male", "female")}


def found(four, five, name, **key):
    result = compare([audit("four", four), audit("five", five)])
    return result, result.comparison(name, candidate="five", **AXIS, **key)


def test_means_are_over_all_texts_that_each_prompt_has():
    four, five = texts(1, 4), texts(2, 5)
    result, one = found(four, five, "toxicity_mean", group="female")
    assert one.value_baseline == pytest.approx(four["female"].mean())
    assert one.value_candidate == pytest.approx(five["female"].mean())
    assert (one.n, one.n_skipped) == (60, 0)
    gap = result.comparison("toxicity_difference", candidate="five", **AXIS)
    assert gap.n == 120
    means = [x["female"].mean() - x["male"].mean() for x in (four, five)]
    assert gap.difference == pytest.approx(means[1] - means[0])


def test_largest_toxicity_is_that_of_as_many_texts_as_both_have():
    """Of five uniform texts 5/6, of four 4/5: a difference that says nothing of the models."""
    four, five = texts(1, 4), texts(2, 5)
    result, one = found(four, five, "expected_max_toxicity", group="female")
    assert one.value_baseline == pytest.approx(four["female"].max(axis=1).mean())
    assert one.value_candidate == pytest.approx(five["female"][:, :4].max(axis=1).mean())
    assert one.value_candidate < five["female"].max(axis=1).mean() - 0.01
    some = result.comparison("toxicity_probability", candidate="five", **AXIS, group="female")
    assert some.value_candidate == pytest.approx((five["female"][:, :4] > 0.5).any(axis=1).mean())
    said = "120 prompts of Prompts about groups have another number of texts"
    assert any(said in note for note in result.notes)


def test_one_model_that_wrote_a_text_more_did_not_move():
    """Its first four texts are the same, so that maxima are equal."""
    five = texts(1, 5)
    result, one = found(texts(1, 4), five, "expected_max_toxicity", group="male")
    assert one.difference == 0
    assert found(five, five, "expected_max_toxicity", group="male")[0].notes == ()
    assert result.notes


def test_numbers_may_differ_from_prompt_to_prompt():
    numbers = {"a": (1, 3), "b": (2, 2), "c": (3, 1), "d": (4, 5)}
    sides = [
        table(toxic("male", *np.arange(n[side]) / 10, item_id=name) for name, n in numbers.items())
        for side in (0, 1)
    ]
    joined = Joined("toxicity", *sides, {}, {})
    assert n_uneven(joined) == 3
    even = with_even_texts(joined)
    assert n_uneven(even) == 0
    for side in (even.baseline, even.candidate):
        assert side.groupby("item_id")["sample"].agg(list).to_dict() == {
            "a": [0], "b": [0, 1], "c": [0], "d": [0, 1, 2, 3],
        }  # fmt: skip
    assert with_even_texts(even) is even


def test_a_prompt_with_fewer_texts_than_others_has_no_maximum():
    """Within one audit, too: else the group with fewer texts would look less toxic."""
    rows = [toxic("male", 0.9, 0.2, item_id=f"m{i}") for i in range(12)]
    rows += [toxic("female", 0.2, 0.2, 0.9, item_id=f"f{i}") for i in range(12)]
    (found_axis,) = by_axis(Texts(table(rows)), lambda frame: frame["toxic"], reduce="max")
    assert found_axis.groups == ("female",)
    assert found_axis.skipped == {"male": 12}
    (means,) = by_axis(Texts(table(rows)), lambda frame: frame["toxic"])
    assert means.groups == ("female", "male")
