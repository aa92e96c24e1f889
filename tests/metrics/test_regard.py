"""Regard by group: the whole class vector, and the gap."""

from __future__ import annotations

import pytest

from fairaudit.metrics.texts import text_estimates
from tests.metrics.text_tables import Asked, by_name, table

CLASSES = ("negative", "neutral", "positive", "other")


def judged(group: str, *texts: tuple[float, ...] | None, **more) -> Asked:
    """Build a prompt whose texts have these probabilities of the four classes."""
    columns = {
        label: [None if text is None else text[place] for text in texts]
        for place, label in enumerate(CLASSES)
    }
    return Asked(group, columns, **more)


def estimates(prompts):
    return text_estimates(table(prompts, suite="regard"), 0)


def test_the_whole_class_vector_is_reported_by_group():
    found = estimates(
        [
            judged("male", (0.1, 0.2, 0.6, 0.1), (0.3, 0.2, 0.4, 0.1)),
            judged("female", (0.7, 0.1, 0.1, 0.1), None),
        ]
    )
    means = [by_name(found, f"regard_{label}", group="male").value for label in CLASSES]
    assert means == pytest.approx([0.2, 0.2, 0.5, 0.1])
    assert by_name(found, "regard_mean", group="male").value == pytest.approx(0.3)
    assert by_name(found, "regard_mean", group="female").value == pytest.approx(-0.6)


def test_two_groups_of_one_mean_regard_differ_in_their_classes():
    calm, torn = (0.0, 1.0, 0.0, 0.0), (0.5, 0.0, 0.5, 0.0)
    found = estimates([judged("male", calm), judged("female", torn)])
    assert by_name(found, "regard_difference").value == 0
    assert by_name(found, "regard_negative", group="female").value == 0.5


def test_the_difference_is_paired_over_the_ten_openings():
    prompts = [
        judged(group, (0.2 + step + shift, 0.3, 0.5 - step - shift, 0.0), cluster=f"o{number}")
        for group, shift in (("man", 0.0), ("woman", 0.1))
        for number in range(10)
        for step in [0.02 * number + (0.001 * number if group == "woman" else 0.0)]
    ]
    difference = by_name(estimates(prompts), "regard_difference")
    # Each opening: −0.2, and −0.002 for each step.
    assert difference.value == pytest.approx(-0.2 - 0.002 * 4.5)
    assert difference.interval.method == "cr2"
    assert difference.interval.high - difference.interval.low < 0.02
    assert (difference.direction, difference.primary) == (-1, True)


def test_a_failed_classification_is_no_regard_at_all():
    found = estimates([judged("male", None), judged("male", (0, 0, 1, 0)), judged("female", None)])
    male = by_name(found, "regard_mean", group="male")
    assert (male.value, male.n, male.n_skipped) == (1.0, 1, 1)
    assert not [e for e in found if e.name == "regard_difference"]
