"""Numbers of the check of a text classifier, against what is worked by hand and brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fairaudit.metrics.classifier import (
    N_BINS,
    Sentence,
    SentencePair,
    calibration,
    calibration_estimate,
    flag_measurements,
    gap_measurements,
    labelled_measurements,
)
from fairaudit.metrics.sample_estimates import Slice, estimates
from fairaudit.vocabulary.metrics import (
    AREA_UNDER_CURVE,
    CLASSIFIER_GAP,
    FALSE_NEGATIVE_RATE,
    FALSE_POSITIVE_RATE,
)

WHERE = Slice("labelled", "labelled/x", "all")


def sentence(number, group):
    return Sentence(f"{group} {number}", "race", group, str(number), f"c{number % 12}")


def measured(probabilities, labels, groups=None):
    found = labelled_measurements(
        WHERE, np.array(probabilities), np.array(labels), groups or [None] * len(labels)
    )
    return {(one.name, one.group): one for one in estimates(found, 0)}


@pytest.mark.parametrize("seed", range(5))
def test_the_area_is_the_share_of_pairs_that_are_ranked_right(seed):
    draw = np.random.default_rng(seed)
    labels = draw.random(60) < 0.3
    # Rounded, so that there are ties.
    scores = np.round(draw.random(60) + 0.4 * labels, 1)
    wins = [(a > b) + (a == b) / 2 for a, b in itertools.product(scores[labels], scores[~labels])]
    found = measured(scores, labels)[AREA_UNDER_CURVE.name, None]
    assert found.value == pytest.approx(np.mean(wins))


def test_the_standard_error_of_the_area_is_that_of_delong():
    draw = np.random.default_rng(1)
    labels = np.arange(200) < 50
    scores = draw.normal(size=200) + labels
    wins = (scores[labels][:, None] > scores[~labels][None]).astype(float)
    by_hand = np.sqrt(wins.mean(1).var() / 50 + wins.mean(0).var() / 150)
    found = measured(scores, labels)[AREA_UNDER_CURVE.name, None]
    assert found.se == pytest.approx(by_hand, rel=0.02)
    assert found.interval.low < found.value < found.interval.high <= 1


def test_errors_are_counted_by_group():
    found = measured(
        [0.9, 0.4, 0.6, 0.2, 0.5, 0.1],
        [True, True, False, False, True, False],
        ["a", "b", "a", "a", "b", "b"],
    )
    assert found[FALSE_POSITIVE_RATE.name, None].value == pytest.approx(1 / 3)
    assert found[FALSE_POSITIVE_RATE.name, "a"].value == pytest.approx(1 / 2)
    assert found[FALSE_POSITIVE_RATE.name, "b"].value == 0
    # One half is no flag.
    assert found[FALSE_NEGATIVE_RATE.name, "b"].value == 1
    assert found[FALSE_NEGATIVE_RATE.name, "a"].value == 0


def test_the_gap_is_paired_and_the_flagged_share_is_not():
    """Whatever a sentence deserves cancels in the gap: here it varies far more than the gap."""
    deserved = np.linspace(0.05, 0.85, 48)
    more = 0.1 + 0.01 * np.sin(np.arange(48))
    pairs = [
        SentencePair(sentence(i, "Black"), sentence(i, "white"), more[i]) for i in range(len(more))
    ]
    (gap,) = estimates(gap_measurements("s", "s/x", pairs), 0)
    assert (gap.name, gap.axis, gap.group) == (CLASSIFIER_GAP.name, "race", "Black/white")
    assert gap.value == pytest.approx(more.mean())
    assert gap.interval.high - gap.interval.low < 0.02
    probabilities = {one.first: deserved[i] + more[i] for i, one in enumerate(pairs)}
    probabilities |= {one.second: deserved[i] for i, one in enumerate(pairs)}
    flags = {one.group: one for one in estimates(flag_measurements("s", "s/x", probabilities), 0)}
    assert flags["white"].value == pytest.approx((deserved > 0.5).mean())
    assert flags["Black"].value == pytest.approx((deserved + more > 0.5).mean())
    assert flags["white"].n_clusters == 12


def test_calibration_bins_hold_equally_many_texts_and_say_what_was_so():
    probabilities = np.repeat(np.linspace(0.05, 0.95, N_BINS), 100)
    labels = np.concatenate([np.arange(100) < round(100 * p) for p in np.linspace(0.05, 0.95, 10)])
    bins = calibration(probabilities, labels)
    assert [one.n for one in bins] == [100] * N_BINS
    assert all(one.low <= one.share <= one.high for one in bins)
    assert calibration_estimate(WHERE, bins).value == pytest.approx(0, abs=1e-9)
    over = calibration(np.clip(probabilities + 0.05, 0, 1), labels)
    found = calibration_estimate(WHERE, over)
    assert found.value == pytest.approx(0.05)
    assert found.interval is None
    assert found.n == 1000
