"""Two models on the same items: which method a design gets, oracles, and what always holds."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from fairaudit.stats.agresti_min import agresti_min_se
from fairaudit.stats.bootstrap import bootstrap_t
from fairaudit.stats.clusters import cluster_totals, cr2, sparse_df, two_way
from fairaudit.stats.evidence import Tango
from fairaudit.stats.mcnemar import mcnemar
from fairaudit.stats.paired import PairedInference, infer_paired
from fairaudit.stats.permutation import sign_flip
from fairaudit.stats.power import minimum_detectable_effect
from tests.stats.leaning import lean_of, leaning, leaning_p

Array = NDArray[np.float64]
NO_INTERVAL = ("se", "df", "low", "high", "method", "resampling_unit", "p_value", "mde")


def pairs(
    n_clusters: int, per_cluster: int = 4, seed: int = 0, moved: float = 0.3
) -> tuple[Array, Array, list[str]]:
    """Halves, zeros and ones of two models; a share of the items moves."""
    rng = np.random.default_rng(seed)
    index = np.repeat(np.arange(n_clusters), per_cluster)
    baseline = rng.integers(0, 3, len(index)) / 2
    new = rng.integers(0, 3, len(index)) / 2
    # Whole clusters move more than others.
    chance = np.clip(moved * 2 * rng.random(n_clusters), 0, 1)[index]
    candidate = np.where(rng.random(len(index)) < chance, new, baseline)
    return baseline, candidate, [f"c{label:03d}" for label in index]


def bounds(found: PairedInference) -> tuple[float, float]:
    assert found.low is not None
    assert found.high is not None
    return found.low, found.high


# --- which method ---------------------------------------------------------------------------------


def test_nothing_in_common() -> None:
    found = infer_paired([], [], [], is_rate=True)
    assert found == PairedInference(None, None, None, 0, 0, reason="no item is common to both")
    assert found.evidence() is None


def test_no_weight_in_one_model_is_missing_and_not_0() -> None:
    found = infer_paired(
        [1.0, 0.0], [0.0, 0.0], ["a", "b"], weights_candidate=[0.0, 0.0], is_rate=True
    )
    assert found.difference is None
    assert found.reason == "no item has weight in both models: 0/0"


def test_independent_rates_are_tango_and_mcnemar() -> None:
    baseline = [1.0] * 30 + [0.0] * 14
    candidate = [1.0] * 27 + [0.0] * 3 + [1.0] * 9 + [0.0] * 5
    found = infer_paired(baseline, candidate, range(44), is_rate=True)
    assert found.value_baseline == pytest.approx(30 / 44)
    assert found.value_candidate == pytest.approx(36 / 44)
    assert found.difference == pytest.approx(6 / 44)
    assert (found.n, found.n_clusters, found.n_discordant) == (44, 44, 12)
    assert found.mean_square == pytest.approx(12 / 44)
    assert (found.method, found.resampling_unit, found.df) == ("tango", "item", None)
    expected = Tango(9, 3, 44)
    assert bounds(found) == pytest.approx((expected.lower(0.025), expected.upper(0.025)), abs=1e-9)
    assert found.p_value == pytest.approx(mcnemar(9, 3))
    assert found.se == pytest.approx(math.sqrt(13 - 36 / 46) / 46)
    assert found.mde == pytest.approx(2.801585 * found.se, rel=1e-6)


def test_ties_count_one_half() -> None:
    baseline = [0.5, 0.0, 1.0, 0.5, 0.0] + [1.0] * 20
    candidate = [1.0, 1.0, 0.0, 0.0, 0.5] + [1.0] * 20
    found = infer_paired(baseline, candidate, range(25), is_rate=True)
    # +½, +1, −1, −½, +½: Σd = ½ and Σd² = 2.75, so b = 1.625 and c = 1.125.
    assert found.difference == pytest.approx(0.02)
    assert found.n_discordant == 5
    expected = Tango(1.625, 1.125, 25)
    assert bounds(found) == pytest.approx((expected.lower(0.025), expected.upper(0.025)), abs=1e-9)
    assert found.p_value == mcnemar(1, 1, 2, 1)


@pytest.mark.parametrize("n", [1, 20, 300])
def test_no_discordant_pair_is_never_0_wide(n: int) -> None:
    found = infer_paired([1.0] * n, [1.0] * n, range(n), is_rate=True)
    half = 3.841459 / (n + 3.841459)
    assert bounds(found) == pytest.approx((-half, half), abs=1e-6)
    assert found.p_value == 1
    assert found.se == pytest.approx(1 / (n + 2))


def test_all_half_steps_to_one_side_stay_inside_the_range() -> None:
    found = infer_paired([0.5] * 30, [1.0] * 30, range(30), is_rate=True)
    low, high = bounds(found)
    assert low < 0.5 < high < 1
    assert found.p_value == pytest.approx(2**-30)


@pytest.mark.parametrize("discordant", [0.0, 0.5])
def test_clusters_that_move_equally_count_as_one_pair_each(discordant: float) -> None:
    clusters = np.repeat(np.arange(20), 10)
    baseline = np.zeros(200)
    candidate = np.tile(np.arange(10) < 10 * discordant, 20).astype(float)
    found = infer_paired(baseline, candidate, clusters, is_rate=True)
    expected = Tango(20 * discordant, 0, 20)
    assert (found.method, found.df) == ("tango", None)
    assert bounds(found) == pytest.approx((expected.lower(0.025), expected.upper(0.025)), abs=1e-9)


def test_few_clusters_have_a_difference_but_no_interval() -> None:
    found = infer_paired(*pairs(3), is_rate=True)
    assert found.difference is not None
    assert all(getattr(found, name) is None for name in NO_INTERVAL)
    assert found.cautions == ("few_clusters",)
    assert found.reason == "3 clusters: fewer than the 10 an interval needs"
    assert infer_paired(*pairs(9, 20)).low is None
    assert infer_paired(*pairs(10, 20)).low is not None


def test_uneven_clusters_count_as_few() -> None:
    rng = np.random.default_rng(0)
    clusters = np.concatenate([np.zeros(500, dtype=int), np.arange(1, 50)])
    found = infer_paired(rng.normal(size=549), rng.normal(size=549), clusters)
    assert found.cautions == ("few_clusters",)
    assert found.reason is not None
    assert found.reason.startswith("50 clusters of very uneven size")


def totals(baseline: Array, candidate: Array, clusters: list[str]) -> tuple[Array, Array]:
    index = np.unique(clusters, return_inverse=True)[1]
    return np.bincount(index, candidate - baseline), np.bincount(index).astype(float)


def test_10_to_39_clusters_are_cr2_and_sign_flip() -> None:
    sample = pairs(39)
    found = infer_paired(*sample)
    y, w = totals(*sample)
    se, df = cr2(y, w)
    assert (found.method, found.resampling_unit) == ("cr2", "cluster")
    assert (found.se, found.df) == pytest.approx((se, df))
    student = stats.ttest_1samp(y / w, 0.0).confidence_interval()
    expected = leaning(found.difference, se, df, lean_of((y, w)))
    assert expected[0] <= student.low + 1e-12
    assert expected[1] >= student.high - 1e-12
    assert bounds(found) == pytest.approx(expected, rel=1e-9)
    assert found.p_value == sign_flip(y)
    assert found.mde == pytest.approx(minimum_detectable_effect(se, df))
    assert found.n_discordant is None


def test_40_clusters_are_bootstrap_t_and_sign_flip() -> None:
    sample = pairs(40)
    found = infer_paired(*sample, seed=7)
    y, w = totals(*sample)
    assert (found.method, found.resampling_unit) == ("bootstrap-t", "cluster")
    # No rate: each bound is the farther one of bootstrap-t and t.
    resampled = np.ravel(bootstrap_t(y, w, seed=7).interval()).tolist()
    student = leaning(found.difference, *cr2(y, w), lean_of((y, w)))
    expected = min(resampled[0], student[0]), max(resampled[1], student[1])
    assert expected != tuple(resampled)
    assert bounds(found) == pytest.approx(expected, rel=1e-9)
    assert found.p_value == sign_flip(y, seed=7)


def test_a_rate_with_40_clusters_is_bootstrap_t_alone() -> None:
    sample = pairs(40)
    found = infer_paired(*sample, is_rate=True, seed=7)
    assert found.method == "bootstrap-t"
    low, high = np.ravel(bootstrap_t(*totals(*sample), seed=7).interval()).tolist()
    widen = found.se / cr2(*totals(*sample))[0]
    value = found.difference
    expected = value - widen * (value - low), value + widen * (high - value)
    assert bounds(found) == pytest.approx(expected, rel=1e-9)


def test_single_items_that_are_no_rate() -> None:
    rng = np.random.default_rng(0)
    baseline, candidate = rng.normal(size=(2, 30))
    found = infer_paired(baseline, candidate, range(30))
    moved = candidate - baseline
    student = stats.ttest_rel(candidate, baseline)
    assert (found.method, found.resampling_unit) == ("t", "item")
    assert found.se == pytest.approx(stats.sem(moved))
    lean = lean_of((moved, np.ones(30)))
    expected = leaning(moved.mean(), stats.sem(moved), 29, lean)
    assert bounds(found) == pytest.approx(expected, rel=1e-9)
    assert found.p_value == pytest.approx(leaning_p(moved.mean(), 0, found.se, 29, lean), rel=1e-9)
    assert found.p_value >= student.pvalue
    many = infer_paired(*rng.normal(size=(2, 60)), range(60))
    assert many.method == "bootstrap-t"
    # Then the test is the one that the interval inverts.
    assert (many.p_value < 0.05) == (not many.low <= 0 <= many.high)


def test_other_quantities_that_hardly_move_have_no_interval() -> None:
    baseline, candidate = np.zeros(60), np.zeros(60)
    found = infer_paired(baseline, candidate, range(60))
    assert (found.difference, found.low) == (0.0, None)
    assert found.reason == "all 60 items moved equally: nothing shows their spread"
    candidate[:2] = 3
    found = infer_paired(baseline, candidate, range(60))
    assert found.difference == pytest.approx(0.1)
    assert (found.low, found.p_value) == (None, None)
    assert found.reason == "all but 2 of 60 items moved equally"


def crossed_pairs(side: int = 12, moved: float = 0.4) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(2)
    a, b = np.repeat(np.arange(side), side), np.tile(np.arange(side), side)
    chance = np.clip(moved + rng.normal(0, 0.2, side)[a] + rng.normal(0, 0.2, side)[b], 0, 1)
    baseline = rng.integers(0, 2, side * side).astype(float)
    candidate = np.where(rng.random(side * side) < chance, 1.0, baseline)
    return baseline, candidate, a, b


def test_crossed_labels_are_two_way() -> None:
    baseline, candidate, a, b = crossed_pairs()
    found = infer_paired(baseline, candidate, a, crossed=b)
    se, df = two_way(candidate - baseline, np.ones(144), a, b)
    assert (found.method, found.resampling_unit) == ("two-way", "cluster x template")
    assert (found.se, found.n_clusters) == (pytest.approx(se), 12)
    assert found.difference is not None
    totals = [cluster_totals(candidate - baseline, np.ones(144), labels)[:2] for labels in (a, b)]
    # A mean may be decided by few clusters of either label.
    assert found.df == pytest.approx(min(sparse_df(y, w, df) for y, w in totals))
    expected = 2 * stats.t.sf(abs(found.difference / se), found.df)
    assert found.p_value == pytest.approx(expected)
    rate = infer_paired(baseline, candidate, a, crossed=b, is_rate=True)
    assert rate.se >= found.se
    assert rate.df == pytest.approx(df)


def test_crossed_labels_where_little_moves() -> None:
    baseline, _, a, b = crossed_pairs()
    candidate = baseline.copy()
    candidate[:2] = 1 - candidate[:2]
    found = infer_paired(baseline, candidate, a, crossed=b, is_rate=True)
    assert found.method == "tango"
    assert found.p_value is not None
    # The two-sided score test that the interval inverts.
    assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
    same = infer_paired(baseline, baseline, a, crossed=b, is_rate=True)
    assert bounds(same) == pytest.approx((-0.2425, 0.2425), abs=1e-4)


def test_few_discordant_pairs_in_clusters_are_tango() -> None:
    baseline = np.zeros(480)
    candidate = baseline.copy()
    candidate[[0, 8, 16]] = 1
    clusters = np.repeat(np.arange(60), 8)
    found = infer_paired(baseline, candidate, clusters, is_rate=True)
    assert (found.method, found.resampling_unit) == ("tango", "cluster")
    assert found.p_value == 0.25
    low, high = bounds(found)
    independent = Tango(3, 0, 480)
    # Clusters make it no narrower.
    assert low < independent.lower(0.025)
    assert high > independent.upper(0.025)
    assert found.df == pytest.approx(59)


def test_the_error_of_a_rate_has_a_floor() -> None:
    # In every cluster one item goes up and one goes down, but for one: CR2 sees almost nothing.
    baseline, candidate = np.tile([0.0, 1.0, 1.0, 1.0], 50), np.tile([1.0, 0.0, 1.0, 1.0], 50)
    candidate[-1] = 0
    clusters = np.repeat(np.arange(50), 4)
    rate = infer_paired(baseline, candidate, clusters, is_rate=True)
    plain = infer_paired(baseline, candidate, np.arange(200), is_rate=True)
    # The bootstrap finds no limit where all but one cluster agree.
    assert rate.method == "cr2"
    assert rate.se == pytest.approx(agresti_min_se(-1 / 200, 101 / 200, 200))
    assert plain.se == pytest.approx(rate.se)
    assert bounds(rate) == pytest.approx(bounds(plain), abs=0.005)


def test_neutral_pairs_leave_the_denominator() -> None:
    rng = np.random.default_rng(5)
    weights = (rng.random((2, 200)) < 0.9).astype(float)
    baseline, candidate = weights * rng.integers(0, 2, (2, 200))
    found = infer_paired(
        baseline,
        candidate,
        range(200),
        weights_baseline=weights[0],
        weights_candidate=weights[1],
        is_rate=True,
    )
    theta = [baseline.sum() / weights[0].sum(), candidate.sum() / weights[1].sum()]
    assert found.value_baseline == pytest.approx(theta[0])
    assert found.difference == pytest.approx(theta[1] - theta[0])
    assert found.n == int((weights.sum(axis=0) > 0).sum())
    # The delta method, item by item.
    influence = (candidate - theta[1] * weights[1]) / weights[1].sum()
    influence -= (baseline - theta[0] * weights[0]) / weights[0].sum()
    assert found.se == pytest.approx(math.sqrt((influence**2).sum()), rel=0.03)


def test_common_weights_are_a_weighted_mean() -> None:
    baseline, candidate, clusters = pairs(15, 6)
    w = 1.0 + np.arange(90) % 3
    found = infer_paired(
        baseline * w, candidate * w, clusters, weights_baseline=w, weights_candidate=w
    )
    index = np.unique(clusters, return_inverse=True)[1]
    y, total = np.bincount(index, (candidate - baseline) * w), np.bincount(index, w)
    assert found.difference == pytest.approx(y.sum() / total.sum())
    assert (found.se, found.df) == pytest.approx(cr2(y, total))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("baseline", "candidate", "options", "message"),
    [
        ([0.0, math.nan], [0.0, 1.0], {}, "baseline must be finite"),
        ([0.0, 1.0], [0.0, math.inf], {}, "candidate must be finite"),
        ([0.0, 1.0], [0.0], {}, "candidate must be one number per item"),
        ([0.0, 1.0], [0.0, 2.0], {"is_rate": True}, "0 <= value <= weight"),
        ([0.0, 1.0], [0.0, 1.0], {"weights_baseline": [1.0, 0.0]}, "weight 0 must have value 0"),
        ([0.0, 1.0], [0.0, 1.0], {"crossed": ["t"]}, "crossed must be one label per item"),
    ],
)
def test_malformed_samples_are_refused(baseline, candidate, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        infer_paired(baseline, candidate, ["a", "b"], **options)


# --- what holds for every method ------------------------------------------------------------------

DESIGNS = st.tuples(
    st.sampled_from([12, 30, 45]),
    st.sampled_from([1, 5]),
    st.integers(0, 50),
    st.sampled_from([0.02, 0.3]),
)


def asked(design, is_rate: bool, *, crossed: bool = False, swap: bool = False, order=None):
    baseline, candidate, clusters = pairs(*design)
    if swap:
        baseline, candidate = candidate, baseline
    second = [str(index % 11) for index in range(len(clusters))]
    if order is not None:
        baseline, candidate = baseline[order], candidate[order]
        clusters = [clusters[index] for index in order]
        second = [second[index] for index in order]
    return infer_paired(
        baseline, candidate, clusters, is_rate=is_rate, crossed=second if crossed else None
    )


@given(DESIGNS, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_order_of_items_changes_no_digit(design, is_rate: bool, crossed: bool, random) -> None:
    order = list(range(design[0] * design[1]))
    random.shuffle(order)
    assert asked(design, is_rate, crossed=crossed, order=order) == asked(
        design, is_rate, crossed=crossed
    )


@given(DESIGNS, st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_swapping_the_models_mirrors(design, is_rate: bool, crossed: bool) -> None:
    one = asked(design, is_rate, crossed=crossed)
    other = asked(design, is_rate, crossed=crossed, swap=True)
    assert other.difference == -one.difference
    assert (other.value_baseline, other.value_candidate) == (
        one.value_candidate,
        one.value_baseline,
    )
    assert (other.method, other.reason) == (one.method, one.reason)
    if one.low is not None:
        low, high = bounds(one)
        assert bounds(other) == pytest.approx((-high, -low), abs=1e-9)
        assert other.p_value == pytest.approx(one.p_value, abs=1e-9)
        assert other.se == pytest.approx(one.se, rel=1e-9)


@given(DESIGNS, st.booleans(), st.integers(2, 4))
@settings(max_examples=30, deadline=None)
def test_duplicates_do_not_shrink_the_error(design, is_rate: bool, times: int) -> None:
    baseline, candidate, clusters = pairs(*design)
    once = infer_paired(baseline, candidate, clusters, is_rate=is_rate)
    often = infer_paired(
        np.tile(baseline, times), np.tile(candidate, times), clusters * times, is_rate=is_rate
    )
    assert often.difference == pytest.approx(once.difference, abs=1e-12)
    if once.se is None:
        return
    independent = agresti_min_se(once.difference, once.square, once.n)
    if not is_rate or once.se > independent * (1 + 1e-9) or design[1] == 1:
        assert often.se >= once.se * (1 - 1e-9)
    else:
        # The floor of as many independent pairs, which duplicates do pass for.
        y, w = totals(baseline, candidate, clusters)
        assert often.se >= cr2(y, w)[0] * (1 - 1e-9)


@given(DESIGNS, st.booleans())
@settings(max_examples=30, deadline=None)
def test_an_interval_holds_its_difference_and_has_width(design, is_rate: bool) -> None:
    found = asked(design, is_rate)
    if found.low is None:
        assert found.reason is not None
        return
    low, high = bounds(found)
    assert low < found.difference < high
    assert found.reason is None
    if is_rate:
        assert found.se >= agresti_min_se(found.difference, found.square, found.n) * (1 - 1e-9)
        assert low >= -1
        assert high <= 1


@given(DESIGNS, st.booleans())
@settings(max_examples=20, deadline=None)
def test_p_value_and_interval_do_not_contradict(design, is_rate: bool) -> None:
    found = asked(design, is_rate)
    if found.low is None:
        return
    low, high = bounds(found)
    # They may disagree at the border, being two tests, but not about what is plain.
    if found.p_value < 0.005:
        assert not low <= 0 <= high
    if found.p_value > 0.2:
        assert low <= 0 <= high


def test_same_seed_same_digits() -> None:
    sample = pairs(60)
    first = infer_paired(*sample, is_rate=True, seed=1)
    assert infer_paired(*sample, is_rate=True, seed=1) == first
    other = infer_paired(*sample, is_rate=True, seed=2)
    assert other.low != first.low
    assert bounds(other) == pytest.approx(bounds(first), abs=0.01)


def test_every_field_is_json_ready() -> None:
    for n_clusters in (5, 20, 60):
        found = infer_paired(*pairs(n_clusters), is_rate=True)
        for field in dataclasses.fields(found):
            value = getattr(found, field.name)
            assert value is None or type(value) in {float, int, str, tuple}, field.name
