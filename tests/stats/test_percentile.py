"""Percentile bootstrap: ranks by hand, draws against a loop, and what two-way draws spread."""

import numpy as np
import pytest

from fairaudit.stats.bootstrap import bootstrap_weights
from fairaudit.stats.clusters import cr2
from fairaudit.stats.percentile import cluster_draws, percentile_interval, two_way_draws


def test_ranks_by_hand() -> None:
    # 99 replicates 1 … 99: 2.5 % of 100 is rank 2 from both ends, 5 % is rank 5.
    draws = np.random.default_rng(0).permutation(np.arange(1.0, 100))[:, None]
    assert np.ravel(percentile_interval(draws)).tolist() == [2, 98]
    assert np.ravel(percentile_interval(draws, 0.9)).tolist() == [5, 95]


def test_replicates_without_an_estimate_are_left_out() -> None:
    draws = np.concatenate([np.arange(1.0, 100), [np.nan] * 7])[:, None]
    assert np.ravel(percentile_interval(draws)).tolist() == [2, 98]
    with pytest.raises(ValueError, match="38 replicates are too few"):
        percentile_interval(np.array([[0.0]] * 38 + [[np.nan]] * 12))


def test_draws_equal_the_loop() -> None:
    rng = np.random.default_rng(1)
    w = rng.integers(1, 9, 30).astype(float)
    y = rng.binomial(w.astype(int), 0.4).astype(float)
    draws = cluster_draws(y, w, replicates=200, seed=2)
    assert draws.shape == (200, 1)
    for row, draw in zip(bootstrap_weights(30, 200, 2), draws[:, 0], strict=True):
        drawn = np.repeat(np.arange(30), row.astype(int))
        assert draw == pytest.approx(y[drawn].sum() / w[drawn].sum())


def test_a_draw_without_weight_has_no_estimate() -> None:
    w = np.array([1.0] + [0.0] * 4)
    draws = cluster_draws(w, w, replicates=2000)
    assert np.isnan(draws).mean() == pytest.approx(0.8**5, abs=0.05)


def test_percentile_is_near_normal_for_many_clusters() -> None:
    y = np.random.default_rng(4).normal(size=400)
    low, high = percentile_interval(cluster_draws(y, np.ones(400)))
    se, _ = cr2(y, np.ones(400))
    assert (low[0], high[0]) == pytest.approx(
        (y.mean() - 1.96 * se, y.mean() + 1.96 * se), abs=0.15 * se
    )


def test_two_way_draws_spread_by_both_labels() -> None:
    rng = np.random.default_rng(5)
    u, v = rng.normal(size=30), rng.normal(size=40)
    a, b = np.repeat(np.arange(30), 40), np.tile(np.arange(40), 30)
    draws = two_way_draws(u[a] + v[b], np.ones(1200), a, b)
    # Additive effects: the mean varies by each label's own variance, divisors as in a bootstrap.
    assert draws.var() == pytest.approx(u.var() / 30 + v.var() / 40, rel=0.06)
    assert draws.mean() == pytest.approx(u.mean() + v.mean(), abs=0.02)


def test_two_way_draws_of_equal_sizes_are_not_the_same_draw() -> None:
    a, b = np.repeat(np.arange(12), 12), np.tile(np.arange(12), 12)
    # u − u is 0 on average whatever is drawn, unless both labels are drawn alike.
    u = np.random.default_rng(6).normal(size=12)
    draws = two_way_draws(u[a] - u[b], np.ones(144), a, b, replicates=999)
    assert draws.std() > 0.1


def test_two_way_draws_allow_holes() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.integers(0, 15, 60), rng.integers(0, 9, 60)
    values = rng.random(60)
    draws = two_way_draws(values, np.ones(60), a, b, replicates=500, seed=3)
    rows, columns = bootstrap_weights(len(set(a)), 500, 3), bootstrap_weights(len(set(b)), 500, 4)
    ranks_a, ranks_b = np.unique(a, return_inverse=True)[1], np.unique(b, return_inverse=True)[1]
    weight = rows[:, ranks_a] * columns[:, ranks_b]
    assert draws[:, 0] == pytest.approx((weight @ values) / weight.sum(axis=1), rel=1e-6)
