"""The largest gap between groups: by hand, by enumeration, and by simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.largest_gap import simultaneous_gaps

Array = NDArray[np.float64]


def groups(
    n_clusters: int, n_groups: int, seed: int = 0, shift: float = 0.0
) -> tuple[Array, Array]:
    """Templates that ask about each group; the first group may be preferred more."""
    rng = np.random.default_rng(seed)
    w = rng.integers(1, 5, (n_clusters, n_groups))
    p = np.repeat(rng.beta(3, 3, n_clusters)[:, None] * (1 - shift), n_groups, axis=1)
    p[:, 0] += shift
    return rng.binomial(w, p).astype(float), w.astype(float)


def test_two_groups_are_one_bootstrap_t() -> None:
    y, w = groups(60, 2)
    found = simultaneous_gaps(y, w, replicates=999, seed=1)
    theta = y.sum(axis=0) / w.sum(axis=0)
    assert found.difference.tolist() == [pytest.approx(theta[0] - theta[1])]
    influence = (y - theta * w) / w.sum(axis=0)
    values = 60 * (influence[:, 0] - influence[:, 1]) + theta[0] - theta[1]
    drawn = bootstrap_t(values, np.ones(60), replicates=999, seed=1)
    half = np.sort(np.abs(drawn.t[:, 0]))[949] * drawn.se[0]
    assert found.high[0] - found.low[0] == pytest.approx(2 * half)
    assert found.gap == pytest.approx(abs(theta[0] - theta[1]))


def test_a_real_gap_is_found_and_bounded_below() -> None:
    found = simultaneous_gaps(*groups(60, 5, shift=0.5))
    assert (found.first[found.largest], found.gap > 0.3) == (0, True)
    assert 0 < found.gap_low < found.gap < found.gap_high
    assert found.p_adjusted[found.first == 0].max() < 0.01
    assert found.p_adjusted[found.first > 0].min() > 0.05


def test_more_groups_widen_every_interval() -> None:
    y, w = groups(60, 6)
    alone, among = simultaneous_gaps(y[:, :2], w[:, :2]), simultaneous_gaps(y, w)
    assert among.high[0] - among.low[0] > 1.2 * (alone.high[0] - alone.low[0])
    assert among.p_adjusted[0] > alone.p_adjusted[0]


def test_groups_that_agree_in_every_cluster() -> None:
    y, w = groups(60, 3)
    y[:, 1], w[:, 1] = y[:, 0], w[:, 0]
    found = simultaneous_gaps(y, w)
    assert found.difference[0] == 0
    assert np.isnan([found.low[0], found.high[0], found.p_adjusted[0]]).all()
    assert np.isfinite([found.gap_low, found.gap_high]).all()


@pytest.mark.parametrize(
    ("y", "w", "message"),
    [
        (np.ones(5), np.ones(5), "shape"),
        (np.ones((5, 1)), np.ones((5, 1)), "shape"),
        (np.ones((5, 2)), np.ones((5, 2)) * [1, 0], "every group needs weight"),
    ],
)
def test_malformed_sums_are_refused(y: Array, w: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simultaneous_gaps(y, w)


def test_no_gap_is_covered() -> None:
    """What the percentile bootstrap of max − min never does."""
    covered = []
    for seed in range(150):
        y, w = groups(50, 4, seed)
        found = simultaneous_gaps(y, w, replicates=499)
        covered.append(found.gap_low == 0)
    # 5 % of 150 is 7.5 ± 2.7.
    assert 150 - sum(covered) <= 16
