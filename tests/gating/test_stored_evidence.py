"""Stored numbers give their intervals again, at any level."""

from __future__ import annotations

import math

import pytest

from fairaudit.results.stored_evidence import (
    candidate_evidence,
    comparison_evidence,
    estimate_evidence,
)
from fairaudit.stats import intervals
from fairaudit.stats.evidence import Student, Tango, Wilson
from tests.gating.results import bounds, discordant, few_clusters, mean, rate, shifted

ENTRIES = {
    "wilson": (rate(0.6, 300), estimate_evidence),
    "cr2": (mean(0.2, 0.07, 12), estimate_evidence),
    "tango": (discordant(30, 12, 400), comparison_evidence),
    "paired cr2": (shifted(0.04, 0.02, 14), comparison_evidence),
}


@pytest.mark.parametrize(("entry", "evidence_of"), ENTRIES.values(), ids=ENTRIES)
def test_at_its_own_level_evidence_is_the_interval(entry, evidence_of):
    evidence = evidence_of(entry)
    assert evidence.lower(0.025) == pytest.approx(entry.interval.low)
    assert evidence.upper(0.025) == pytest.approx(entry.interval.high)
    assert evidence.lower(0.005) < evidence.lower(0.025) < evidence.lower(0.05)


def test_without_interval_there_is_no_evidence():
    assert estimate_evidence(few_clusters()) is None
    assert comparison_evidence(shifted(0.0, 0.1, interval=None)) is None
    assert candidate_evidence(shifted(0.0, 0.1, candidate_interval=None)) is None


def test_an_interval_that_ends_at_the_value_is_no_evidence():
    bootstrap = bounds(Student(0.2, 0.1, 0.1, None), "bootstrap-t")
    flat = mean(0.2, 0.1, None, interval=bootstrap.model_copy(update={"low": 0.2}))
    assert estimate_evidence(flat) is None


def test_the_interval_of_a_ratio_is_that_of_its_logarithm():
    """Value 2, standard error of the logarithm 0.3: 2·exp(±1.96·0.3), not 2 ± 1.96·0.6."""
    low, high = (2 * math.exp(side * 1.959964 * 0.3) for side in (-1, 1))
    interval = bounds(Student(2.0, 0.6, 0.6, None), "t").model_copy(
        update={"low": low, "high": high}
    )
    ratio = mean(2.0, 0.6, None, name="toxicity_ratio", range=(0.0, None), interval=interval)
    evidence = estimate_evidence(ratio)
    assert (evidence.lower(0.025), evidence.upper(0.025)) == pytest.approx((low, high))


def test_other_levels_are_those_of_the_method():
    """Wilson at 99 % is not the 95 % interval made wider."""
    low, high = intervals.wilson(180, 300, 0.99)
    evidence = estimate_evidence(rate(0.6, 300))
    assert isinstance(evidence, Wilson)
    assert (evidence.lower(0.005), evidence.upper(0.005)) == pytest.approx((low, high))


def test_signs_are_those_of_the_file():
    """A difference is stored signed; the candidate's own value is not."""
    entry = discordant(30, 10, 200, direction=-1, base=0.5)
    evidence = comparison_evidence(entry)
    assert isinstance(evidence, Tango)
    assert (evidence.only_candidate, evidence.only_baseline) == pytest.approx((30, 10))
    own = candidate_evidence(entry)
    assert own.lower(0.025) < entry.value_candidate == pytest.approx(0.4)


def test_a_candidate_interval_from_effective_counts_keeps_its_width():
    """400 items in 30 clusters count as 110: neither 400 nor 30 trials give the interval again."""
    low, high = intervals.clopper_pearson(0.04 * 110, 110, 0.95)
    interval = bounds(Wilson(0.04, 400), "clopper-pearson").model_copy(
        update={"low": low, "high": high}
    )
    entry = shifted(0.0, 0.02, 20, value_candidate=0.04, candidate_interval=interval)
    evidence = candidate_evidence(entry)
    assert evidence.lower(0.025) == pytest.approx(low)
    assert evidence.upper(0.025) == pytest.approx(high)
    exact = intervals.clopper_pearson(0, 30, 0.95)
    all_zero = interval.model_copy(update={"low": exact[0], "high": exact[1]})
    zero = shifted(0.0, 0.02, n_clusters=30, value_candidate=0.0, candidate_interval=all_zero)
    assert candidate_evidence(zero).upper(0.025) == pytest.approx(exact[1])
