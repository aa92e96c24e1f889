"""Which records are drawn, how often, and what of them enters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fairaudit.training.draws import Sampler, causal_labels
from fairaudit.training.encoding import Row

ONE, TWIN, LONE = (Row.of(ids) for ids in ((0, 5, 6), (0, 5, 7), (0, 8, 9)))
#: A record of two rows, of which the first has a twin.
PAIR = ((ONE, TWIN), (LONE,))


def sampler(records, rate, mode, seed=0):
    return Sampler(records, rate, mode, causal_labels, np.random.default_rng(seed))


def rows_of(example):
    return list(example.rows)


def test_every_record_is_drawn_with_the_same_probability_independently():
    records, rate, steps = [((ONE,),)] * 50, 0.2, 2000
    draw = sampler(records, rate, "none").draw
    drawn = np.zeros((steps, len(records)))
    for step in range(steps):
        drawn[step, [example.record for example in draw()]] = 1
    counts = drawn.sum(0)
    variance = steps * rate * (1 - rate)
    statistic = float(((counts - steps * rate) ** 2 / variance).sum())
    assert stats.chi2.cdf(statistic, len(records)) < 0.999
    # Sizes of draws are binomial, which they are not where records depend on each other.
    sizes = drawn.sum(1)
    low, high = stats.chi2.ppf([0.001, 0.999], steps - 1)
    ratio = (steps - 1) * sizes.var(ddof=1) / (len(records) * rate * (1 - rate))
    assert low < ratio < high
    # Neighbouring steps are independent.
    assert abs(np.corrcoef(sizes[1:], sizes[:-1])[0, 1]) < 4 / np.sqrt(steps)


def test_all_records_enter_at_rate_1():
    assert [one.record for one in sampler([((ONE,),)] * 4, 1.0, "none").draw()] == [0, 1, 2, 3]


def test_without_cda_no_twin_enters():
    (example,) = sampler([PAIR], 1.0, "none").draw()
    assert rows_of(example) == [ONE, LONE]
    assert example.weights == (0.5, 0.5)


def test_averaged_twins_share_the_weight_of_their_row():
    (example,) = sampler([PAIR], 1.0, "averaged").draw()
    assert rows_of(example) == [ONE, TWIN, LONE]
    assert example.weights == (0.25, 0.25, 0.5)


def test_separate_twins_are_two_examples():
    first, second = sampler([PAIR], 1.0, "separate").draw()
    assert (rows_of(first), rows_of(second)) == ([ONE, LONE], [TWIN, LONE])
    assert first.record == second.record == 0


def test_separate_twins_are_drawn_independently():
    draw = sampler([PAIR], 0.3, "separate").draw
    sizes = np.bincount([len(draw()) for _ in range(5000)], minlength=3)
    expected = 5000 * np.array([0.7**2, 2 * 0.3 * 0.7, 0.3**2])
    assert stats.chisquare(sizes, expected).pvalue > 1e-3


def test_of_several_separate_twins_one_is_drawn_each_equally_often():
    other = Row.of((7, 8, 9))
    draw = sampler([((ONE, TWIN, other),)], 1.0, "separate").draw
    drawn = [draw() for _ in range(2000)]
    assert all(len(examples) == 2 for examples in drawn)
    assert all(rows_of(first) == [ONE] for first, _ in drawn)
    share = np.mean([rows_of(second) == [TWIN] for _, second in drawn])
    assert {rows_of(second)[0] for _, second in drawn} == {TWIN, other}
    assert abs(share - 0.5) < 4 * np.sqrt(0.25 / 2000)


def test_substitution_takes_the_twin_half_of_the_time_and_never_both():
    draw = sampler([PAIR], 1.0, "substitution").draw
    examples = [draw()[0] for _ in range(2000)]
    assert all(len(example.rows) == 2 and sum(example.weights) == 1 for example in examples)
    swapped = sum(rows_of(example)[0] == TWIN for example in examples)
    assert stats.binomtest(swapped, 2000, 0.5).pvalue > 1e-3
    assert {rows_of(example)[1] for example in examples} == {LONE}


def test_substitution_takes_any_twin_alike():
    record = ((ONE, TWIN, LONE),)
    draw = sampler([record], 1.0, "substitution").draw
    taken = [rows_of(draw()[0])[0] for _ in range(2000)]
    counts = [taken.count(row) for row in (ONE, TWIN, LONE)]
    assert stats.chisquare(counts, [1000, 500, 500]).pvalue > 1e-3


@pytest.mark.parametrize("mode", ["none", "averaged", "separate", "substitution"])
def test_the_weights_of_an_example_sum_to_1(mode):
    for example in sampler([PAIR, ((LONE, ONE, TWIN),)], 1.0, mode).draw():
        assert sum(example.weights) == pytest.approx(1)
        assert len(example.weights) == len(example.rows)
