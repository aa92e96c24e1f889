"""The rules of one estimate: which method a design gets, and what holds for all of them."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from fairaudit.stats import intervals
from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.clusters import cluster_totals, cr2, sparse_df, two_way
from fairaudit.stats.one_estimate import Inference, infer
from tests.stats.leaning import lean_of, leaning, leaning_p

Array = NDArray[np.float64]
INTERVAL = ("se", "df", "low", "high", "method", "resampling_unit", "p_value", "mde")


def clustered(n_clusters: int, per_cluster: int = 4, seed: int = 0) -> tuple[Array, list[str]]:
    """Halves, zeros and ones with dependence inside clusters."""
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(n_clusters), per_cluster)
    chance = rng.beta(2, 2, size=n_clusters)[index]
    values = rng.binomial(2, chance) / 2
    return values, [f"c{label:03d}" for label in index]


def bounds(found: Inference) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


# --- which method ---------------------------------------------------------------------------------


def test_no_items() -> None:
    found = infer([], [], is_rate=True, ideal=0.5)
    assert found == Inference(None, 0, 0, reason="no item was scored")


def test_no_weight_is_missing_and_not_0() -> None:
    found = infer([0.0, 0.0], ["a", "b"], weights=[0.0, 0.0], is_rate=True)
    assert found == Inference(None, 0, 0, reason="no item has weight: 0/0")


def test_items_without_weight_do_not_count() -> None:
    values, ones = np.array([1.0, 0, 1] * 20 + [0.0] * 9), np.array([1.0] * 60 + [0.0] * 9)
    with_outsiders = infer(values, range(69), weights=ones, is_rate=True, ideal=0.5)
    assert with_outsiders == infer(values[:60], range(60), is_rate=True, ideal=0.5)
    assert with_outsiders.n == 60
    assert with_outsiders.method == "wilson"


def test_independent_rate_is_wilson() -> None:
    found = infer([1.0] * 30 + [0.5] * 5 + [0.0] * 15, range(50), is_rate=True, ideal=0.5)
    assert found.value == pytest.approx(0.65)
    assert (found.method, found.resampling_unit) == ("wilson", "item")
    assert (found.n, found.n_clusters) == (50, 50)
    assert bounds(found) == intervals.wilson(32.5, 50)
    assert found.p_value == intervals.score_test(32.5, 50, 0.5)
    assert found.se == pytest.approx(math.sqrt(0.65 * 0.35 / 50))
    assert found.df is None
    # Power is decided at the ideal: (1.959964 + 0.841621) · 0.5/√50.
    assert found.mde == pytest.approx(2.801585 * 0.5 / math.sqrt(50), abs=1e-6)


def test_wilson_ends_where_a_side_has_fewer_than_10() -> None:
    def method(successes: int) -> str | None:
        return infer([1.0] * successes + [0.0] * (60 - successes), range(60), is_rate=True).method

    assert [method(k) for k in (0, 9, 10, 50, 51, 60)] == [
        *("clopper-pearson", "clopper-pearson", "wilson"),
        *("wilson", "clopper-pearson", "clopper-pearson"),
    ]


@pytest.mark.parametrize("n", [1, 3, 25])
def test_zero_of_n_has_an_interval_but_no_standard_error(n: int) -> None:
    found = infer([0.0] * n, range(n), is_rate=True, ideal=0.5)
    assert bounds(found) == pytest.approx((0, 1 - 0.025 ** (1 / n)))
    assert found.se is None
    assert found.mde is None


def test_few_clusters_have_a_value_but_no_interval() -> None:
    found = infer(*clustered(3), is_rate=True, ideal=0.5)
    assert found.value is not None
    assert all(getattr(found, name) is None for name in INTERVAL)
    assert found.cautions == ("few_clusters",)
    assert found.reason == "3 clusters: fewer than the 10 an interval needs"
    assert infer(*clustered(9), is_rate=True).low is None
    assert infer(*clustered(10), is_rate=True).low is not None


def test_10_to_39_clusters_are_cr2() -> None:
    values, clusters = clustered(39)
    found = infer(values, clusters, is_rate=True, ideal=0.5)
    y, w, _ = cluster_totals(values, np.ones(len(values)), clusters)
    assert (found.se, found.df) == cr2(y, w)
    assert (found.method, found.resampling_unit) == ("cr2", "cluster")
    expected = stats.ttest_1samp(y / w, 0.5)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert bounds(found) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)


def test_40_clusters_are_bootstrap_t() -> None:
    values, clusters = clustered(40)
    found = infer(values, clusters, is_rate=True, ideal=0.5, seed=7)
    y, w, _ = cluster_totals(values, np.ones(len(values)), clusters)
    drawn = bootstrap_t(y, w, seed=7)
    assert (found.method, found.resampling_unit) == ("bootstrap-t", "cluster")
    assert bounds(found) == pytest.approx(np.ravel(drawn.interval()).tolist(), rel=1e-9)
    assert found.p_value == pytest.approx(drawn.p_value(0.5)[0])
    assert (found.se, found.df) == cr2(y, w)


def test_single_items_that_are_no_rate() -> None:
    values = np.random.default_rng(0).normal(size=30)
    found = infer(values, range(30), ideal=0.0)
    expected = stats.ttest_1samp(values, 0.0)
    assert (found.method, found.resampling_unit) == ("t", "item")
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert infer(values.repeat(2), range(60)).method == "bootstrap-t"
    assert infer(values[:9], range(9)).reason == "9 items: fewer than the 10 an interval needs"


def test_what_is_no_rate_is_never_narrower_than_t() -> None:
    """Symmetric data with heavy tails make bootstrap-t too narrow, skewed data make t so."""
    rng = np.random.default_rng(4)
    for values in (rng.standard_t(3, size=60), rng.lognormal(0, 1, size=60)):
        found = infer(values, range(60), ideal=0.5, seed=2)
        drawn = bootstrap_t(values, np.ones(60), seed=2)
        low, high = np.ravel(drawn.interval())
        student = stats.ttest_1samp(values, 0.5)
        ends = student.confidence_interval()
        assert found.low <= min(low, ends.low) + 1e-12
        assert found.high >= max(high, ends.high) - 1e-12
        lean = lean_of((values, np.ones(60)))
        below, above = leaning(found.value, found.se, found.df, lean)
        assert bounds(found) == pytest.approx((min(low, below), max(high, above)), rel=1e-9)
        p_value = leaning_p(found.value, 0.5, found.se, found.df, lean)
        assert found.p_value == pytest.approx(max(drawn.p_value(0.5)[0], p_value), rel=1e-9)
        assert (found.p_value < 0.05) == (not found.low <= 0.5 <= found.high)


@pytest.mark.parametrize("constant", [0.0, 0.3, 1.0])
def test_equal_clusters_count_as_one_trial_each(constant: float) -> None:
    clusters = np.repeat(np.arange(20), 10)
    values = np.tile(np.arange(10) < 10 * constant, 20).astype(float)
    found = infer(values, clusters, is_rate=True, ideal=0.5)
    assert found.value == pytest.approx(constant)
    assert (found.method, found.resampling_unit) == ("clopper-pearson", "cluster")
    assert bounds(found) == pytest.approx(intervals.clopper_pearson(20 * constant, 20), abs=1e-9)
    assert found.se is None


def test_equal_clusters_of_another_quantity_have_no_interval() -> None:
    found = infer([0.1] * 60, np.repeat(np.arange(20), 3), ideal=0.0)
    assert found.value == pytest.approx(0.1)
    assert found.low is None
    assert found.p_value is None
    assert found.reason == "all 20 clusters have the same value: nothing shows its spread"


@pytest.mark.parametrize("n_clusters", [15, 60])
def test_clustered_rate_near_the_boundary(n_clusters: int) -> None:
    values = np.zeros(8 * n_clusters)
    values[:5] = 1  # all in the first cluster
    clusters = np.repeat(np.arange(n_clusters), 8)
    found = infer(values, clusters, is_rate=True, ideal=0.5)
    assert found.method == "clopper-pearson"
    low, high = bounds(found)
    # 5 dependent successes say less than 5 independent ones.
    independent = intervals.clopper_pearson(5, len(values))
    assert low < independent[0]
    assert high > independent[1]


def test_nearly_equal_clusters_of_another_quantity_have_no_interval() -> None:
    values = np.zeros(60)
    values[:2] = 3.0
    found = infer(values, range(60), ideal=0.0)
    assert found.value == pytest.approx(0.1)
    assert found.low is None
    assert found.se is None
    assert found.reason == "all but 2 of 60 items have the same value"


def test_uneven_clusters_count_as_few() -> None:
    rng = np.random.default_rng(0)
    clusters = np.concatenate([np.zeros(500, dtype=int), np.arange(1, 50)])
    found = infer(rng.normal(size=549), clusters, ideal=0.0)
    assert found.cautions == ("few_clusters",)
    assert found.low is None
    assert found.reason is not None
    assert found.reason.startswith("50 clusters of very uneven size")


def test_somewhat_uneven_clusters_are_not_resampled() -> None:
    rng = np.random.default_rng(0)
    sizes = [60] * 6 + [2] * 40
    clusters = np.repeat(np.arange(46), sizes)
    found = infer(rng.normal(size=len(clusters)), clusters)
    assert found.df is not None
    assert 4 < found.df < 20
    assert found.method == "cr2"


def crossed_layout(n_a: int, n_b: int) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
    rng = np.random.default_rng(1)
    a, b = np.repeat(np.arange(n_a), n_b), np.tile(np.arange(n_b), n_a)
    return rng.normal(size=n_a)[a] + rng.normal(size=n_b)[b] + rng.normal(size=n_a * n_b), a, b


def test_crossed_labels_are_two_way() -> None:
    values, a, b = crossed_layout(12, 60)
    found = infer(values, a, crossed=b, ideal=0.0)
    assert (found.method, found.resampling_unit) == ("two-way", "cluster x template")
    se, df = two_way(values, np.ones(720), a, b)
    assert found.n_clusters == 12
    assert found.se == pytest.approx(se)
    assert found.df is not None
    assert found.value is not None
    # A mean may be decided by few clusters of either label; a rate cannot.
    totals = [cluster_totals(values, np.ones(720), labels)[:2] for labels in (a, b)]
    assert found.df == pytest.approx(min(sparse_df(y, w, df) for y, w in totals))
    rate = infer((values > 0).astype(float), a, crossed=b, is_rate=True, ideal=0.5)
    assert (rate.method, rate.df) == ("two-way", pytest.approx(df))
    lean = lean_of(*totals)
    assert bounds(found) == pytest.approx(leaning(found.value, found.se, found.df, lean))
    assert found.p_value == pytest.approx(leaning_p(found.value, 0, found.se, found.df, lean))


def test_the_smaller_crossed_label_decides() -> None:
    values, a, b = crossed_layout(5, 60)
    found = infer(values, b, crossed=a)
    assert found.cautions == ("few_clusters",)
    assert found.reason == "5 clusters: fewer than the 10 an interval needs"


def test_nested_labels_are_not_crossed() -> None:
    values, coarse, _ = crossed_layout(20, 6)
    fine = np.arange(120) // 2
    alone = infer(values, coarse, ideal=0.0)
    assert alone.method == "cr2"
    assert infer(values, coarse, crossed=fine, ideal=0.0) == alone
    assert infer(values, fine, crossed=coarse, ideal=0.0) == alone
    assert infer(values, coarse, crossed=["same"] * 120, ideal=0.0) == alone


def test_crossed_constant_rate() -> None:
    _, a, b = crossed_layout(12, 15)
    found = infer(np.ones(180), a, crossed=b, is_rate=True)
    assert bounds(found) == intervals.clopper_pearson(12, 12)


def test_weights_make_a_ratio() -> None:
    values, clusters = clustered(15)
    weights = 1.0 + np.arange(60) % 3
    found = infer(values * weights, clusters, weights=weights, is_rate=True)
    assert found.value == pytest.approx((values * weights).sum() / weights.sum())
    y, w, _ = cluster_totals(values * weights, weights, clusters)
    assert (found.se, found.df) == pytest.approx(cr2(y, w))


def test_bounds_cut_the_interval() -> None:
    values = np.repeat([0.0, 2.0, 30.0], [15, 4, 1])
    assert bounds(infer(values, range(20)))[0] < 0
    assert bounds(infer(values, range(20), bounds=(0.0, 1.0)))[0] == 0
    assert bounds(infer(values, range(20), bounds=(None, 1.0)))[1] == 1


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_nan_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="values must be finite"):
        infer([0.0, bad], ["a", "b"])


@pytest.mark.parametrize(
    ("values", "clusters", "options", "message"),
    [
        ([1.0, 2.0], ["a", "b"], {"is_rate": True}, "0 <= value <= weight"),
        ([1.0, 0.0], ["a"], {}, "clusters must be one label per item: 1 labels, 2 items"),
        ([1.0, 0.0], ["a", "b"], {"crossed": ["t"]}, "crossed must be one label per item"),
        ([1.0, 0.0], ["a", "b"], {"weights": [1.0]}, "weights must be one number per item"),
        ([1.0, 0.0], ["a", "b"], {"weights": [1.0, -1.0]}, "must not be negative"),
        ([1.0, 1.0], ["a", "b"], {"weights": [1.0, 0.0]}, "weight 0 must have value 0"),
        ([[1.0], [0.0]], ["a", "b"], {}, "one number per item, not of shape"),
        ([1.0] * 20, list(range(20)), {"is_rate": True, "ideal": 2.0}, "cannot be 2"),
    ],
)
def test_malformed_samples_are_refused(values, clusters, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        infer(values, clusters, **options)


# --- what holds for every method ------------------------------------------------------------------

DESIGNS = st.tuples(st.sampled_from([1, 4]), st.sampled_from([12, 30, 45]), st.integers(0, 50))


@given(DESIGNS, st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_order_of_items_changes_nothing(design, is_rate: bool, random) -> None:
    per_cluster, n_clusters, seed = design
    values, clusters = clustered(n_clusters, per_cluster, seed)
    order = list(range(len(values)))
    random.shuffle(order)
    crossed = [str(index % 11) for index in range(len(values))]
    options = {"is_rate": is_rate, "ideal": 0.4}
    for second in (None, crossed):
        shuffled = None if second is None else [second[index] for index in order]
        assert infer(
            values[order], [clusters[index] for index in order], crossed=shuffled, **options
        ) == infer(values, clusters, crossed=second, **options)


@given(DESIGNS, st.booleans(), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_duplicates_do_not_shrink_the_error(design, is_rate: bool, times: int) -> None:
    per_cluster, n_clusters, seed = design
    values, clusters = clustered(n_clusters, per_cluster, seed)
    if per_cluster == 1:
        # Ties vary less than the p(1 − p) that independent items are taken to have.
        values = np.ceil(values)
    once = infer(values, clusters, is_rate=is_rate, ideal=0.5)
    often = infer(np.tile(values, times), clusters * times, is_rate=is_rate, ideal=0.5)
    assert often.value == pytest.approx(once.value)
    if once.se is None:
        # Too few values differ for an interval; copies of them must not make one.
        assert (once.low, often.low) == (None, None)
        return
    assert often.se is not None
    assert often.se >= once.se * (1 - 1e-9)
    if per_cluster > 1 and once.method != "clopper-pearson":
        assert bounds(often) == pytest.approx(bounds(once), abs=1e-9)


@given(DESIGNS, st.floats(0.05, 0.95), st.sampled_from([0.02, 0.5, 0.98]))
@settings(max_examples=30, deadline=None)
def test_swapping_success_and_failure_mirrors(design, ideal: float, share: float) -> None:
    per_cluster, n_clusters, seed = design
    _, clusters = clustered(n_clusters, per_cluster, seed)
    rng = np.random.default_rng(seed)
    values = (rng.random(len(clusters)) < share).astype(float)
    found = infer(values, clusters, is_rate=True, ideal=ideal)
    mirrored = infer(1 - values, clusters, is_rate=True, ideal=1 - ideal)
    low, high = bounds(found)
    assert bounds(mirrored) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert mirrored.method == found.method
    assert mirrored.p_value == pytest.approx(found.p_value, abs=1e-9)


@given(DESIGNS, st.booleans(), st.sampled_from([0.03, 0.5]), st.sampled_from([0.9, 0.95]))
@settings(max_examples=60, deadline=None)
def test_p_value_and_interval_agree(design, is_rate: bool, share: float, level: float) -> None:
    per_cluster, n_clusters, seed = design
    _, clusters = clustered(n_clusters, per_cluster, seed)
    values = (np.random.default_rng(seed).random(len(clusters)) < share).astype(float)
    found = infer(values, clusters, is_rate=is_rate, level=level)
    if found.low is None or found.high is None:
        assert found.reason is not None
        return
    for bound, outwards in ((found.low, -1e-6), (found.high, 1e-6)):
        if is_rate and not 0 < bound + outwards < 1:
            continue
        for ideal, outside in ((bound + outwards, True), (bound - outwards, False)):
            p = infer(values, clusters, is_rate=is_rate, level=level, ideal=ideal).p_value
            assert p is not None
            assert (p < round(1 - level, 12)) == outside


def test_same_seed_same_digits_other_seed_other_draws() -> None:
    values, clusters = clustered(60)
    first = infer(values, clusters, is_rate=True, seed=1)
    assert infer(values, clusters, is_rate=True, seed=1) == first
    other = infer(values, clusters, is_rate=True, seed=2)
    assert other.low != first.low
    assert bounds(other) == pytest.approx(bounds(first), abs=0.01)


def test_names_of_clusters_do_not_matter() -> None:
    values, clusters = clustered(20)
    renamed = [int(label[1:]) + 5 for label in clusters]
    assert infer(values, renamed, is_rate=True) == infer(values, clusters, is_rate=True)


def test_every_field_is_json_ready() -> None:
    for n_clusters in (5, 20, 60):
        found = infer(*clustered(n_clusters), is_rate=True, ideal=0.5)
        for field in dataclasses.fields(found):
            value = getattr(found, field.name)
            assert value is None or type(value) in {float, int, str, tuple}, field.name
