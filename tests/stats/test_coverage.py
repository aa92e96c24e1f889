"""How often intervals hold the truth and tests reject a true null, by simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.one_estimate import infer

Array = NDArray[np.float64]


def sizes(n_clusters: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return 1 + rng.poisson(4, size=n_clusters)


def clustered_rate(n_clusters: int, p: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Successes and items per cluster; cluster rates beta with intra-class correlation 0.2."""
    w = sizes(n_clusters, rng)
    return rng.binomial(w, rng.beta(4 * p, 4 * (1 - p), size=n_clusters)).astype(float), w * 1.0


def covers(p: float, n_clusters: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """One sample: whether the interval holds p, and whether the test rejects it."""
    y, w = clustered_rate(n_clusters, p, rng)
    found = infer(y, np.arange(n_clusters), weights=w, is_rate=True, ideal=p)
    assert found.low is not None
    assert found.high is not None
    assert found.p_value is not None
    return found.low <= p <= found.high, found.p_value < 0.05


def test_bootstrap_t_covers_with_60_unequal_clusters() -> None:
    rng = np.random.default_rng(20)
    samples = [clustered_rate(60, 0.5, rng) for _ in range(400)]
    y, w = (np.stack(part, axis=1) for part in zip(*samples, strict=True))
    low, high = bootstrap_t(y, w, replicates=1999).interval()
    assert 0.92 <= ((low <= 0.5) & (high >= 0.5)).mean() <= 0.98


def test_ignoring_clusters_would_not_cover() -> None:
    rng = np.random.default_rng(21)
    inside = []
    for _ in range(200):
        y, w = clustered_rate(60, 0.5, rng)
        found = infer(
            np.repeat([1.0, 0.0], [y.sum(), (w - y).sum()]), range(int(w.sum())), is_rate=True
        )
        inside.append(found.low <= 0.5 <= found.high)
    assert np.mean(inside) < 0.9


@pytest.mark.calibration
@pytest.mark.parametrize(("n_clusters", "p"), [(40, 0.5), (60, 0.2), (120, 0.2)])
def test_many_clusters_are_calibrated(n_clusters: int, p: float) -> None:
    rng = np.random.default_rng([n_clusters, round(100 * p)])
    inside, rejected = np.array([covers(p, n_clusters, rng) for _ in range(5000)]).mean(axis=0)
    assert 0.93 <= inside <= 0.97
    assert 0.03 <= rejected <= 0.07


@pytest.mark.calibration
@pytest.mark.parametrize("n_clusters", [12, 25, 60])
@pytest.mark.parametrize("p", [0.02, 0.08])
def test_rates_near_the_boundary_do_not_undercover(n_clusters: int, p: float) -> None:
    rng = np.random.default_rng([n_clusters, round(100 * p)])
    inside, rejected = np.array([covers(p, n_clusters, rng) for _ in range(2000)]).mean(axis=0)
    assert inside >= 0.93
    assert rejected <= 0.07
