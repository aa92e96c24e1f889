"""Statistics under weights, resampling of templates, and what the tests and intervals then say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fairaudit.diagnostics.differences import area_weights, mean_p, slope_weights
from fairaudit.diagnostics.inference import Draws, interval, permutation_p
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.resampled_cells import (
    Cells,
    bootstrap_counts,
    permuted_membership,
    permuted_records,
)
from fairaudit.diagnostics.statistics import Combination, Log, Mean, SquaredNorm


def labels(groups, templates):
    names = tuple(("axis", str(group)) for group in sorted(set(groups)))
    place = {name: number for number, (_, name) in enumerate(names)}
    return Labels(
        np.array([place[str(group)] for group in groups]),
        np.unique(templates, return_inverse=True)[1],
        names,
        tuple(map(str, templates)),
    )


def example(rng, n_templates=7, dimension=5):
    groups, templates = [], []
    for template in range(n_templates):
        groups += [0, 0, 1] if template % 2 else [0, 1]
        templates += [template] * (3 if template % 2 else 2)
    vectors = rng.normal(size=(len(groups), dimension)) + 1.0
    return labels(groups, templates), vectors


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_cells_gather_records_by_group_and_template(rng):
    found, vectors = example(rng)
    cells = Cells.of(found, (0, 1))
    assert cells.n_templates == 7
    assert cells.counts.sum() == len(vectors)
    sums = np.array([vectors[cells.index == cell].sum(axis=0) for cell in range(len(cells.counts))])
    assert cells.products(vectors @ vectors.T) == pytest.approx(sums @ sums.T)
    assert cells.sums(vectors[:, 0]) == pytest.approx(sums[:, 0])
    alone = Cells.of(found, (1,))
    assert alone.counts.tolist() == [1.0] * 7
    assert np.count_nonzero(alone.index < 0) == np.count_nonzero(found.groups == 0)


def test_squared_norm_is_the_mean_over_pairs_of_different_templates(rng):
    found, vectors = example(rng)
    cells = Cells.of(found, (0,))
    statistic = SquaredNorm(cells.products(vectors @ vectors.T), cells.counts)
    inside = np.flatnonzero(found.groups == 0)
    products = [
        vectors[i] @ vectors[j]
        for i, j in itertools.product(inside, inside)
        if found.templates[i] != found.templates[j]
    ]
    assert statistic(np.ones((1, len(cells.counts))))[0][0] == pytest.approx(np.mean(products))


def test_squared_norm_has_the_squared_norm_of_the_expectation_as_its_mean(rng):
    # A template's records share an error; a naive estimate would be too large by its trace.
    mean = np.array([0.5, 0.0, -0.5])
    values = []
    for _ in range(4000):
        shared = np.repeat(rng.normal(size=(6, 3)), 2, axis=0)
        vectors = mean + shared + rng.normal(size=(12, 3))
        cells = Cells.of(labels([0] * 12, np.repeat(np.arange(6), 2)), (0,))
        statistic = SquaredNorm(cells.products(vectors @ vectors.T), cells.counts)
        values.append(statistic(np.ones((1, 6)))[0][0])
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - 0.5) < 3 * error
    assert error < 0.02


def statistics(rng):
    found, vectors = example(rng)
    cells = Cells.of(found, (0, 1))
    squared = SquaredNorm(cells.products(vectors @ vectors.T), cells.counts)
    mean = Mean(cells.sums(np.abs(vectors[:, 0])), cells.counts)
    return cells, [mean, squared, Log(squared, 0.5), Combination([Log(mean), squared], [1.0, -2.0])]


@pytest.mark.parametrize("number", range(4))
def test_influence_is_the_derivative_with_respect_to_the_weights(rng, number):
    cells, found = statistics(rng)
    statistic = found[number]
    weights = (cells.groups == 0) * rng.integers(1, 4, size=len(cells.groups)).astype(float)
    _, influence = statistic(weights[None])
    step = 1e-6
    for cell in np.flatnonzero(cells.groups == 0):
        moved = np.tile(weights, (2, 1))
        moved[:, cell] += [step, -step]
        up, down = statistic(moved)[0]
        assert influence[0, cell] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-8)


def test_copies_of_a_template_are_one_template_still(rng):
    cells, (_, squared, *_) = statistics(rng)
    single = np.zeros((1, len(cells.counts)))
    single[0, 0] = 3.0
    assert np.isnan(squared(single)[0][0])


def test_a_bootstrap_replicate_draws_as_many_templates(rng):
    found, _ = example(rng)
    counts = bootstrap_counts(Cells.of(found, (0, 1)), 50, rng)
    assert (counts.sum(axis=1) == 7).all()
    apart = labels([0] * 5 + [1] * 3, np.arange(8))
    counts = bootstrap_counts(Cells.of(apart, (0, 1)), 50, rng)
    assert (counts[:, :5].sum(axis=1) == 5).all()
    assert (counts[:, 5:].sum(axis=1) == 3).all()


def test_a_permutation_swaps_shared_templates_and_deals_the_others_anew(rng):
    # Templates 0 to 3 are shared; 4, 5, 6 are of group 0 alone, 7 of group 1.
    groups = [0, 1] * 4 + [0, 0, 0, 1]
    found = labels(groups, [0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7])
    cells = Cells.of(found, (0, 1))
    member = permuted_membership(cells, 0, 400, rng)
    assert (member[0] == (cells.groups == 0)).all()
    for template in range(4):
        pair = member[:, cells.templates == template]
        assert (pair.sum(axis=1) == 1).all()
        assert 0.3 < pair[1:, 0].mean() < 0.7
    alone = member[:, cells.templates > 3]
    assert (alone.sum(axis=1) == 3).all()
    assert 0.15 < (~alone[1:, 0]).mean() < 0.35


def draws_of(found, rng, replicates=499):
    return Draws.of_pair(Cells.of(found, (0, 1)), 0, replicates, rng)


def test_p_value_equals_that_of_all_exchanges(rng):
    # 6 shared templates, one record each side: 64 sign patterns of a paired t-statistic.
    found = labels([0, 1] * 6, np.repeat(np.arange(6), 2))
    values = rng.normal(size=12)
    draws = draws_of(found, rng, replicates=4000)
    statistic = Mean(draws.cells.sums(values), draws.cells.counts)
    paired = values[0::2] - values[1::2]

    def t(signs):
        signed = signs * paired
        return abs(signed.mean() / signed.std(ddof=1))

    every = [t(np.array(signs)) for signs in itertools.product([1, -1], repeat=6)]
    exact = np.mean(np.array(every) >= t(np.ones(6)) * (1 - 1e-9))
    assert permutation_p(statistic, draws) == pytest.approx(exact, abs=0.03)


def test_a_shift_between_groups_is_found_and_its_interval_holds_it(rng):
    found = labels([0, 1] * 30, np.repeat(np.arange(30), 2))
    values = np.repeat(rng.normal(size=30), 2) + rng.normal(size=60) * 0.3
    values[0::2] += 1.0
    draws = draws_of(found, rng)
    statistic = Mean(draws.cells.sums(values), draws.cells.counts)
    assert permutation_p(statistic, draws) == pytest.approx(1 / 500)
    low, high = interval(statistic, draws).interval
    assert 0.5 < low < 1.0 < high < 1.5


def test_two_constants_that_differ_are_told_apart(rng):
    found = labels([0, 1] * 8, np.repeat(np.arange(8), 2))
    draws = draws_of(found, rng)
    apart = Mean(draws.cells.sums(np.tile([1.0, 0.0], 8)), draws.cells.counts)
    assert permutation_p(apart, draws) < 0.02
    equal = Mean(draws.cells.sums(np.ones(16)), draws.cells.counts)
    assert permutation_p(equal, draws) is None
    assert interval(equal, draws).reason == "no spread between templates"


def test_a_norm_below_resolution_has_a_reason(rng):
    vectors = np.array([[1.0], [-1.0]] * 6).repeat(2, axis=0)
    found = labels([0, 1] * 12, np.repeat(np.arange(12), 2))
    draws = draws_of(found, rng)
    squared = SquaredNorm(draws.cells.products(vectors @ vectors.T), draws.cells.counts)
    assert "below resolution" in interval(Log(squared, 0.5), draws).reason


def test_weights_of_slope_and_area():
    steps = [0, 100, 400]
    curve = np.array([0.3, 0.5, 1.1])
    assert np.dot(slope_weights(steps), curve) == pytest.approx(
        np.polyfit([0, 0.25, 1.0], curve, 1)[0]
    )
    moved = curve - curve[0]
    assert np.dot(area_weights(steps), curve) == pytest.approx(np.trapezoid(moved, [0, 0.25, 1.0]))
    assert sum(slope_weights(steps)) == pytest.approx(0)
    assert sum(area_weights(steps)) == pytest.approx(0)


@pytest.mark.calibration
@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 1)])
def test_groups_of_one_distribution_are_rarely_told_apart(first, second):
    rng = np.random.default_rng(3)
    rejected = {"norm": 0, "mean": 0}
    sets = 400
    for _ in range(sets):
        groups = ([0] * first + [1] * second) * 20
        templates = np.repeat(np.arange(20), first + second)
        found = labels(groups, templates)
        shared = rng.normal(size=(20, 20)) * 0.5
        vectors = 0.3 + shared[templates] + rng.normal(size=(len(groups), 20))
        draws = draws_of(found, rng, replicates=199)
        norms = np.linalg.norm(vectors, axis=1)
        for name, statistic in (
            ("norm", SquaredNorm(draws.cells.products(vectors @ vectors.T), draws.cells.counts)),
            ("mean", Mean(draws.cells.sums(norms), draws.cells.counts)),
        ):
            rejected[name] += permutation_p(statistic, draws) <= 0.05
    # 6.5 % and three standard errors of 400 data sets.
    assert max(rejected.values()) / sets <= 0.065 + 3 * (0.05 * 0.95 / sets) ** 0.5


def test_records_are_exchanged_within_shared_templates_and_among_all_others(rng):
    groups = [0, 0, 0, 1] * 4 + [0, 0, 1, 1, 1]
    templates = [t for t in range(4) for _ in range(4)] + [4, 4, 5, 5, 5]
    found = labels(groups, templates)
    assert not Cells.of(found, (0, 1)).balanced
    cells = Cells.single(found, (0, 1))
    member = permuted_records(cells, 0, 300, rng)
    assert (member[0] == (cells.groups == 0)).all()
    for template in range(4):
        inside = member[:, cells.templates == template]
        assert (inside.sum(axis=1) == 3).all()
        assert 0.15 < (~inside[1:, 0]).mean() < 0.35
    lone = member[:, np.isin(cells.templates, (4, 5))]
    assert (lone.sum(axis=1) == 2).all()
    assert len(set(map(tuple, lone.astype(int)))) == 10


def test_the_larger_p_value_counts_where_cells_differ_in_size(rng):
    found = labels([0, 0, 0, 1] * 8, np.repeat(np.arange(8), 4))
    values = (rng.random(32) < 0.2).astype(float) + rng.random(32) * 0.01
    cells = Cells.of(found, (0, 1))
    draws = draws_of(found, rng)
    records = Draws.of_records(found, (0, 1), 499, rng)
    swapped = permutation_p(Mean(cells.sums(values), cells.counts), draws)
    single = permutation_p(Mean(values, np.ones(32)), records)
    statistic = Mean(cells.sums(values), cells.counts)
    assert mean_p(values, statistic, draws, records) == max(swapped, single)
    assert mean_p(values, statistic, draws, None) == swapped
