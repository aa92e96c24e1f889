"""CR2 against explicit matrices, scipy and worked values; two-way clustering."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, stats

from fairaudit.stats.clusters import (
    cluster_totals,
    cr2,
    few_apart,
    intersection,
    residuals,
    sparse_df,
    two_way,
)

Array = NDArray[np.float64]
SIZES = st.lists(st.integers(1, 9), min_size=3, max_size=15)


def brute_force_cr2(values: Array, clusters: Array) -> tuple[float, float]:
    """CR2 and Bell-McCaffrey degrees of freedom of a mean, from their matrix definitions."""
    n = len(values)
    x = np.ones((n, 1))
    bread = np.linalg.inv(x.T @ x)
    hat = x @ bread @ x.T
    error = values - hat @ values
    variance, columns = 0.0, []
    for label in np.unique(clusters):
        inside = clusters == label
        own = np.eye(inside.sum()) - hat[np.ix_(inside, inside)]
        adjusted = x[inside].T @ linalg.inv(linalg.sqrtm(own))
        variance += ((bread @ adjusted @ error[inside]) ** 2).item()
        columns.append((np.eye(n) - hat)[:, inside] @ (bread @ adjusted).ravel())
    g = np.stack(columns, axis=1)
    spectrum = np.linalg.eigvalsh(g.T @ g)
    return math.sqrt(variance), spectrum.sum() ** 2 / (spectrum**2).sum()


def unequal(sizes: list[int], seed: int = 0) -> tuple[Array, NDArray[np.intp]]:
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    return rng.normal(size=len(clusters)) + rng.normal(size=len(sizes))[clusters], clusters


def test_cluster_totals_by_hand() -> None:
    y, w, labels = cluster_totals([1.0, 2.0, 4.0], [1.0, 1.0, 3.0], ["b", "a", "b"])
    assert labels.tolist() == ["a", "b"]
    assert y.tolist() == [2.0, 5.0]
    assert w.tolist() == [1.0, 4.0]


def test_cr2_by_hand() -> None:
    # y = (0, 3), w = (1, 2): N = 3, θ = 1, e = (−1, 1), a² = (3/2, 3), V = 4.5/9.
    # B = [[1, −√2], [−√2, 2]]: tr B = 3, tr B² = 1 + 2 + 2 + 4 = 9, df = 1.
    se, df = cr2(np.array([0.0, 3.0]), np.array([1.0, 2.0]))
    assert se == pytest.approx(math.sqrt(0.5), rel=1e-12)
    assert df == pytest.approx(1.0, rel=1e-12)


@given(SIZES, st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_cr2_equals_the_matrix_definition(sizes: list[int], seed: int) -> None:
    values, clusters = unequal(sizes, seed)
    y, w, _ = cluster_totals(values, np.ones(len(values)), clusters)
    assert cr2(y, w) == pytest.approx(brute_force_cr2(values, clusters), rel=1e-6)


@pytest.mark.parametrize("size", [1, 4])
def test_equal_clusters_give_the_t_test_of_their_means(size: int) -> None:
    values, clusters = unequal([size] * 12)
    y, w, _ = cluster_totals(values, np.ones(len(values)), clusters)
    se, df = cr2(y, w)
    expected = stats.ttest_1samp(y / w, 0.0)
    assert df == pytest.approx(11)
    assert y.sum() / w.sum() / se == pytest.approx(expected.statistic, rel=1e-12)


@given(SIZES)
def test_df_lies_between_1_and_g_minus_1(sizes: list[int]) -> None:
    w = np.array(sizes, dtype=float)
    _, df = cr2(w * np.arange(len(w)), w)
    assert 1 - 1e-9 <= df <= len(w) - 1 + 1e-9


@given(SIZES, st.integers(2, 5))
def test_duplicates_inside_clusters_change_nothing(sizes: list[int], times: int) -> None:
    values, clusters = unequal(sizes)
    once = cluster_totals(values, np.ones(len(values)), clusters)[:2]
    often = cluster_totals(
        np.tile(values, times), np.ones(times * len(values)), np.tile(clusters, times)
    )[:2]
    assert cr2(*often) == pytest.approx(cr2(*once), rel=1e-9)


@pytest.mark.parametrize("w", [[5.0], [5.0, 0.0]])
def test_one_cluster_with_all_the_weight_is_refused(w: list[float]) -> None:
    with pytest.raises(ValueError, match="all the weight"):
        cr2(np.array(w), np.array(w))


def test_residuals_of_equal_clusters_are_exactly_0() -> None:
    w = np.arange(1.0, 30.0) / 7
    y = 0.1 * w
    assert (y - y.sum() / w.sum() * w).any()  # rounding alone leaves something
    assert not residuals(y, w).any()
    assert cr2(y, w)[0] == 0


def test_intersection_tells_pairs_apart() -> None:
    pairs = intersection(["a", "a", "b", "b", "a"], [1, 2, 1, 2, 1])
    assert len(set(pairs.tolist())) == 4
    assert pairs[0] == pairs[4]


def test_two_way_by_hand() -> None:
    # Full 10 × 12 layout of additive effects u_a + v_b: the mean varies by Var(u)/10 + Var(v)/12,
    # and what is left for the cells is (Var(u) + Var(v) with population divisors)/119.
    rng = np.random.default_rng(3)
    u, v = rng.normal(size=10), rng.normal(size=12)
    a, b = np.repeat(np.arange(10), 12), np.tile(np.arange(12), 10)
    se, df = two_way(u[a] + v[b], np.ones(120), a, b)
    cells = (u.var() + v.var()) / 119
    assert se**2 == pytest.approx(u.var(ddof=1) / 10 + v.var(ddof=1) / 12 - cells, rel=1e-9)
    assert df == pytest.approx(9)


def test_two_way_is_symmetric_and_at_least_one_way() -> None:
    a, b = np.repeat(np.arange(10), 12), np.tile(np.arange(12), 10)
    for seed in range(30):
        values, ones = np.random.default_rng(seed).normal(size=120), np.ones(120)
        se, _ = two_way(values, ones, a, b)
        assert se == two_way(values, ones, b, a)[0]
        for labels in (a, b):
            assert se >= cr2(*cluster_totals(values, ones, labels)[:2])[0]


def test_two_way_falls_back_to_the_larger_part() -> None:
    # Within every row and column the values cancel, so V_a = V_b = 0 < V_ab.
    a, b = np.repeat(np.arange(10), 12), np.tile(np.arange(12), 10)
    values = np.where((a + b) % 2 == 0, 1.0, -1.0)
    assert two_way(values, np.ones(120), a, b)[0] == 0


def test_sparse_df_by_hand() -> None:
    # 2 of 20 clusters differ: e = 0.9 twice and −0.1 18 times. Σe² = 1.8, Σe⁴ = 1.314,
    # 2·1.8²/(1.314 − 1.8²/20) = 6.48/1.152.
    y = np.array([1.0, 1.0] + [0.0] * 18)
    assert sparse_df(y, np.ones(20), 19.0) == pytest.approx(5.625)
    assert sparse_df(y, np.ones(20), 3.0) == 3.0


def test_sparse_df_of_even_spread_is_the_given_one() -> None:
    y = np.array([1.0, 0.0] * 10)
    assert sparse_df(y, np.ones(20), 19.0) == 19.0
    normal = np.random.default_rng(0).normal(size=4000)
    assert sparse_df(normal, np.ones(4000), 1e9) == pytest.approx(4000, rel=0.1)


def test_few_apart() -> None:
    assert few_apart(np.array([1.0, 2.0] + [0.0] * 18), np.ones(20)) == 2
    assert few_apart(np.array([1.0] * 5 + [0.0] * 55), np.ones(60)) is None
    # 3 of 12 are a quarter, not few.
    assert few_apart(np.array([1.0] * 3 + [0.0] * 9), np.ones(12)) is None
    # Ratios count, not sums.
    w = np.arange(1.0, 31)
    assert few_apart(2 * w, w) == 0
