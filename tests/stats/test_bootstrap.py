"""The matrix bootstrap against a loop, its degenerate replicates, and its speed."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import BootstrapT, bootstrap_t, bootstrap_weights

Array = NDArray[np.float64]


def loop(y: Array, w: Array, counts: Array) -> Array:
    """t of each replicate, from the drawn clusters themselves."""
    theta, replicates = y.sum() / w.sum(), []
    for row in counts:
        drawn = np.repeat(np.arange(len(y)), row.astype(int))
        ratio = y[drawn].sum() / w[drawn].sum()
        squares = ((y[drawn] - ratio * w[drawn]) ** 2).sum()
        se = math.sqrt(len(y) / (len(y) - 1) * squares) / w[drawn].sum()
        replicates.append((ratio - theta) / se)
    return np.array(replicates)


def unequal(n_clusters: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    w = rng.integers(1, 9, size=n_clusters).astype(float)
    return rng.binomial(w.astype(int), 0.6).astype(float), w


def test_weights_are_multinomial_counts() -> None:
    weights = bootstrap_weights(50, 4000, 1)
    assert weights.shape == (4000, 50)
    assert (weights.sum(axis=1) == 50).all()
    # Multinomial: mean 1, variance 1 − 1/50; 5 standard errors of a mean over 200,000 entries.
    assert weights.var() == pytest.approx(0.98, abs=0.02)
    assert np.abs(weights.mean(axis=0) - 1).max() < 5 / math.sqrt(4000)


def test_weights_depend_on_seed_and_size_alone() -> None:
    assert (bootstrap_weights(50, 100, 1) == bootstrap_weights(50, 100, 1)).all()
    assert (bootstrap_weights(50, 100, 1) != bootstrap_weights(50, 100, 2)).any()
    with pytest.raises(ValueError, match="read-only"):
        bootstrap_weights(50, 100, 1)[0, 0] = 3


def test_more_clusters_than_one_block_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairaudit.stats.bootstrap._BLOCK", 100)
    weights = bootstrap_weights(33, 77, 5)
    assert (weights.sum(axis=1) == 33).all()
    y, w = unequal(33)
    t = bootstrap_t(y, w, replicates=77, seed=5).t[:, 0]
    assert t == pytest.approx(loop(y, w, weights), rel=1e-9)


# A large mean costs digits in y itself, so t is known to fewer of them.
@pytest.mark.parametrize(("offset", "tolerance"), [(0.0, 1e-9), (1e6, 1e-6)])
def test_equals_the_loop(offset: float, tolerance: float) -> None:
    y, w = unequal(60)
    y = y + offset * w
    drawn = bootstrap_t(y, w, replicates=500, seed=3)
    expected = loop(y, w, bootstrap_weights(60, 500, 3))
    assert drawn.t[:, 0] == pytest.approx(expected, rel=tolerance, abs=tolerance)
    residual = y - y.sum() / w.sum() * w
    expected = math.sqrt(60 / 59 * (residual**2).sum()) / w.sum()
    assert drawn.se[0] == pytest.approx(expected, rel=1e-9)


def test_columns_are_separate_estimates() -> None:
    pairs = [unequal(45, seed) for seed in range(3)]
    y, w = (np.stack(part, axis=1) for part in zip(*pairs, strict=True))
    together = bootstrap_t(y, w, replicates=999)
    low, high = together.interval()
    p = together.p_value(0.5)
    for k, (own_y, own_w) in enumerate(pairs):
        alone = bootstrap_t(own_y, own_w, replicates=999)
        assert (low[k], high[k]) == pytest.approx(np.array(alone.interval())[:, 0], rel=1e-9)
        assert p[k] == alone.p_value(0.5)[0]


def test_shared_weights() -> None:
    y, w = unequal(45)
    shared = bootstrap_t(np.stack([y, w - y], axis=1), w, replicates=999)
    (low, mirrored_low), (high, mirrored_high) = shared.interval()
    assert (mirrored_low, mirrored_high) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("replicates", [999, 1234])
def test_p_value_is_below_alpha_exactly_outside_the_interval(level: float, replicates: int) -> None:
    drawn = bootstrap_t(*unequal(60), replicates=replicates)
    (low,), (high,) = drawn.interval(level)
    assert low < drawn.value[0] < high
    for bound, outwards in ((low, -1e-9), (high, 1e-9)):
        assert drawn.p_value(bound + outwards)[0] < 1 - level
        assert drawn.p_value(bound - outwards)[0] >= 1 - level - 1e-12


def test_smallest_p_value() -> None:
    drawn = bootstrap_t(*unequal(60), replicates=999)
    assert drawn.p_value(1e6)[0] == pytest.approx(2 / 1000)
    assert drawn.p_value(drawn.value[0])[0] > 0.5


def test_interval_by_hand() -> None:
    # 39 replicates −19 … 19: at 90 % the test rejects with at most 0 beyond, 2·(1 + 0)/40 = 0.05,
    # not with 1, which gives 0.1. So the bounds are the outermost replicates.
    t = np.arange(-19.0, 20.0)[:, None]
    drawn = BootstrapT(np.array([1.0]), np.array([0.5]), t)
    assert np.ravel(drawn.interval(0.9)).tolist() == [1 - 9.5, 1 + 9.5]
    assert drawn.p_value(1 - 9.5)[0] == pytest.approx(0.1)
    assert drawn.p_value(1 - 9.6)[0] == pytest.approx(0.05)


def test_too_few_replicates_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        bootstrap_t(*unequal(60), replicates=39).interval(0.95)


def test_replicates_without_spread_widen_the_interval() -> None:
    # One of 40 clusters differs: (39/40)^40 = 36 % of the replicates draw only equal ones. They lie
    # below θ without any spread, so nothing limits θ from above.
    y = np.zeros(40)
    y[0] = 1
    drawn = bootstrap_t(y, np.ones(40), replicates=999)
    flat = np.isneginf(drawn.t)
    assert flat.mean() == pytest.approx(0.36, abs=0.06)
    (low,), (high,) = drawn.interval()
    assert math.isfinite(low)
    assert high == math.inf
    assert drawn.p_value(0.9)[0] > 0.05


def test_replicates_without_weight_are_left_out() -> None:
    y, w = np.zeros(40), np.zeros(40)
    y[0] = 1
    w[:2] = 1
    drawn = bootstrap_t(y, w, replicates=4999)
    empty = np.isnan(drawn.t).mean()
    assert empty == pytest.approx((38 / 40) ** 40, abs=0.03)
    n = np.count_nonzero(~np.isnan(drawn.t))
    assert drawn.p_value(1e9)[0] == pytest.approx(2 * (1 + np.isneginf(drawn.t).sum()) / (1 + n))


def test_no_spread_at_all_gives_no_interval() -> None:
    drawn = bootstrap_t(np.full(40, 0.1), np.ones(40), replicates=99)
    assert drawn.se[0] == 0
    assert np.isnan(drawn.interval(0.9)).all()
    assert np.isnan(drawn.p_value(0.5)).all()


def test_100_estimates_on_10000_items() -> None:
    rng = np.random.default_rng(0)
    w = rng.multinomial(10_000, np.full(500, 1 / 500)).astype(float)
    y = rng.binomial(w.astype(int)[:, None], 0.5, size=(500, 100)).astype(float)
    low, high = bootstrap_t(y, w, replicates=10_000, seed=12345).interval()
    assert ((low < 0.5) & (high > 0.5)).mean() > 0.8
