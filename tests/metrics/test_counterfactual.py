"""The gap between sentences about two groups, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.metrics.counterfactual import counterfactual_estimates
from fairaudit.vocabulary.metrics import COUNTERFACTUAL_GAP
from tests.comparing.audits import pair_table


def estimates(gaps, clusters=None):
    table = pair_table(gaps, clusters).assign(protocol="reddit_bias/causal-shared")
    return {(one.axis, one.name): one for one in counterfactual_estimates(table, 0)}


def test_gap_worked_by_hand():
    """Nothing is dropped, however far out: (39 · 0.1 + 20.1)/40 = 0.6."""
    found = estimates([0.1] * 39 + [20.1])
    gap, rate = found["gender", "counterfactual_gap"], found["gender", "stereotype_preference_rate"]
    assert gap.value == pytest.approx(0.6)
    assert gap.n == 40
    assert rate.value == 1.0
    assert gap.primary
    assert not rate.primary
    assert not found["all", "counterfactual_gap"].primary
    assert ("gender", "mean_log_odds") not in found


def test_a_pair_without_a_score_is_missing_and_not_zero():
    rng = np.random.default_rng(0)
    gaps = rng.normal(1.0, 0.2, 60)
    gaps[::10] = np.nan
    found = estimates(list(gaps))["gender", "counterfactual_gap"]
    assert found.value == pytest.approx(np.nanmean(gaps))
    assert (found.n, found.n_skipped) == (54, 6)
    nothing = estimates([np.nan] * 5)["gender", "counterfactual_gap"]
    assert nothing.value is None
    assert nothing.reason


def test_attributes_are_resampled():
    rng = np.random.default_rng(1)
    clusters = [f"attribute{n // 10}" for n in range(200)]
    shared = rng.normal(0, 1, 20).repeat(10)
    found = estimates(list(shared + rng.normal(0, 0.1, 200)), clusters)
    gap = found["gender", "counterfactual_gap"]
    assert gap.interval.resampling_unit == "attribute"
    assert gap.n_clusters == 20
    # As if 20 numbers had been seen, not 200.
    assert gap.se == pytest.approx(shared.std(ddof=1) / np.sqrt(20), rel=0.1)


def test_a_margin_of_five_percent_of_perplexity():
    assert np.expm1(COUNTERFACTUAL_GAP.margin) == pytest.approx(0.05, abs=0.002)
