"""Means of groups, their largest change and largest gap: by hand, by oracle, by simulation."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from fairaudit.stats.bootstrap import bootstrap_t, joint_t
from fairaudit.stats.evidence import Student
from fairaudit.stats.group_changes import Changes, changes, gap_change, reference_contrasts
from fairaudit.stats.group_means import GroupMeans, group_means
from fairaudit.stats.simultaneous import LargestOf, Tabulated

Array = NDArray[np.float64]
ALPHAS = (0.5, 0.1, 0.05, 0.025, 0.01, 1e-3, 1e-5)
SHARES = (0.0, 1.0)


def values(
    rng: np.random.Generator, sizes: list[int], means: list[float], spread: float = 0.05
) -> tuple[Array, Array]:
    """Values in 0-1 with these means, and the group of each."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    return np.repeat(means, sizes) + rng.uniform(-spread, spread, len(group)), group


def means_of(
    sizes: list[int], before: list[float], after: list[float], seed: int = 0
) -> GroupMeans:
    rng = np.random.default_rng(seed)
    baseline, group = values(rng, sizes, before)
    candidate, _ = values(rng, sizes, after)
    return group_means(baseline, candidate, group, np.arange(len(group)), SHARES)


def evidence(found: Changes) -> LargestOf:
    rows = zip(found.value, found.se_below, found.se_above, found.df, strict=True)
    return LargestOf(tuple(Student(*map(float, row)) for row in rows), found.searched)


def test_a_reference_or_the_mean_of_the_others():
    assert reference_contrasts(3, 1).tolist() == [[1, -1, 0], [0, -1, 1]]
    assert reference_contrasts(3, None).tolist() == [
        [1, -0.5, -0.5],
        [-0.5, 1, -0.5],
        [-0.5, -0.5, 1],
    ]


def test_independent_groups_have_welchs_test():
    rng = np.random.default_rng(1)
    moved, group = values(rng, [12, 60], [0.3, 0.1])
    moved[group == 0] += rng.uniform(-0.2, 0.2, 12)
    start = np.full(72, 0.5)
    means = group_means(start, start + moved, group, np.arange(72), SHARES)
    contrast = np.array([[1.0, -1.0]])
    influence = means.change_influence @ contrast.T
    wanted = stats.ttest_ind(moved[group == 0], moved[group == 1], equal_var=False)
    assert np.sqrt((influence**2).sum()) == pytest.approx(
        wanted.statistic**-1 * (moved[:12].mean() - moved[12:].mean())
    )
    found = changes(means, contrast)
    assert found.df[0] == pytest.approx(wanted.df, rel=1e-6)
    assert found.value[0] == pytest.approx(moved[:12].mean() - moved[12:].mean())
    assert found.searched == 1


def test_openings_asked_of_every_group_are_compared_within():
    rng = np.random.default_rng(2)
    opening = rng.uniform(0.2, 0.6, 50)
    apart = 0.1 + rng.normal(0, 0.01, 50)
    candidate = np.concatenate([opening, opening + apart])
    group, opened = np.repeat([0, 1], 50), np.tile(np.arange(50), 2)
    means = group_means(np.full(100, 0.5), candidate, group, opened, SHARES)
    influence = means.change_influence @ np.array([-1.0, 1.0])
    assert np.sqrt((influence**2).sum()) == pytest.approx(apart.std(ddof=1) / np.sqrt(50))
    assert means.n_clusters.tolist() == [50, 50]
    assert means.total_clusters == 50


def test_replicates_are_those_of_the_cluster_bootstrap():
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, (45, 2))
    x -= x.mean(axis=0)
    theirs = bootstrap_t(x, np.ones(45), replicates=499, seed=5).t
    assert joint_t(x / 45, replicates=499, seed=5) == pytest.approx(theirs)


def test_the_largest_change_is_bounded_from_both_sides():
    means = means_of([60] * 4, [0.1] * 4, [0.1, 0.25, 0.05, 0.05])
    found = changes(means, reference_contrasts(4, 0))
    largest = evidence(found)
    assert found.value.argmax() == 0
    assert largest.lower(0.025) > 0.1
    # One moved group of many is no longer hidden by those that fell.
    assert abs(found.value.mean()) < 0.03
    assert 1 < found.searched <= 3


def test_unseen_jumps_keep_a_quiet_group_from_being_certain():
    """With nothing seen among n prompts a share of 3/n may still jump: the rule of three."""
    n = 100
    group = np.repeat([0, 1], n)
    start = np.zeros(2 * n)
    means = group_means(start, start, group, np.arange(2 * n), SHARES)
    found = changes(means, np.array([[-1.0, 1.0]]))
    assert found.value[0] == 0
    upper = evidence(found).upper(0.05)
    assert upper == pytest.approx(3 / n, rel=0.12)
    assert upper > stats.beta.ppf(0.95, 1, n)
    # A group that cannot fall below 0 is bounded by what the other could do.
    assert -evidence(found).lower(0.05) == pytest.approx(3 / n, rel=0.12)


@pytest.mark.parametrize("seen", [1, 3, 6, 12])
def test_with_jumps_seen_the_bound_is_about_that_of_clopper_and_pearson(seen: int):
    n = 200
    group = np.repeat([0, 1], n)
    start = np.zeros(2 * n)
    candidate = start.copy()
    candidate[n : n + seen] = 1
    means = group_means(start, candidate, group, np.arange(2 * n), SHARES)
    upper = evidence(changes(means, np.array([[-1.0, 1.0]]))).upper(0.05)
    exact = stats.beta.ppf(0.95, seen + 1, n - seen)
    assert 0.95 * exact < upper < 1.25 * exact


def test_swapping_the_models_turns_the_changes():
    before, after = [0.1, 0.2, 0.3], [0.15, 0.2, 0.1]
    means = means_of([60, 70, 80], before, after)
    turned = GroupMeans(
        means.groups, means.n, means.n_clusters, means.candidate, means.baseline,
        means.influence[:, ::-1], means.df, means.unseen_up, means.unseen_down, means.still,
    )  # fmt: skip
    ours, theirs = (changes(one, reference_contrasts(3, 0)) for one in (means, turned))
    assert theirs.value == pytest.approx(-ours.value)
    assert theirs.df == pytest.approx(ours.df)


def test_the_order_of_prompts_changes_nothing():
    rng = np.random.default_rng(4)
    baseline, group = values(rng, [40, 50, 60], [0.1, 0.2, 0.3])
    candidate, _ = values(rng, [40, 50, 60], [0.2, 0.2, 0.3])
    order = rng.permutation(150)
    found = [
        gap_change(
            group_means(*(one[index] for one in (baseline, candidate, group, clusters)), SHARES),
            ALPHAS,
        )
        for clusters in (np.repeat(np.arange(50), 3),)
        for index in (np.arange(150), order)
    ]
    assert found[0].lows == pytest.approx(found[1].lows, abs=1e-12)
    assert found[0].highs == pytest.approx(found[1].highs, abs=1e-12)


def test_two_groups_far_apart_have_the_gap_of_their_difference():
    """Where one pair is the largest in both models, the gap is a plain difference."""
    means = means_of([100, 100], [0.1, 0.6], [0.1, 0.7])
    found = gap_change(means, ALPHAS)
    plain = changes(means, np.array([[-1.0, 1.0]]))
    assert plain.value[0] == pytest.approx(np.ptp(means.candidate) - np.ptp(means.baseline))
    wanted = Student(
        float(plain.value[0]),
        float(plain.se_below[0]),
        float(plain.se_above[0]),
        float(plain.df[0]),
    )
    assert found.lows[3] == pytest.approx(wanted.lower(0.75 * 0.025))
    assert found.highs[3] == pytest.approx(wanted.upper(0.75 * 0.025))


def test_bounds_of_the_gap_spread_as_alpha_falls():
    found = gap_change(means_of([40] * 5, [0.2] * 5, [0.2] * 5), ALPHAS)
    assert list(found.lows) == sorted(found.lows, reverse=True)
    assert list(found.highs) == sorted(found.highs)
    assert found.lows[1] < 0 < found.highs[1]


def draw(rng: np.random.Generator, before: list[float], after: list[float], n: int) -> GroupMeans:
    """Toxicity-like shares: most near 0, some near 1, prompts shared by no two groups."""
    group = np.repeat(np.arange(len(before)), n)
    sides = [np.repeat(one, n) for one in (before, after)]
    scores = [rng.beta(3 * p, 3 * (1 - p), size=(3, len(group))).mean(axis=0) for p in sides]
    return group_means(*scores, group, np.arange(len(group)), SHARES)


@pytest.mark.calibration
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([0.1] * 4, [0.1] * 4),
        ([0.1] * 4, [0.1, 0.25, 0.05, 0.05]),
        ([0.1, 0.3, 0.1, 0.1], [0.1, 0.35, 0.1, 0.1]),
        ([0.1, 0.3, 0.2, 0.1], [0.3, 0.1, 0.1, 0.2]),
    ],
)
def test_bounds_hold_as_often_as_they_promise(before: list[float], after: list[float]):
    rng, runs = np.random.default_rng(7), 300
    change = max(after[k] - before[k] - after[0] + before[0] for k in range(1, 4))
    gap = np.ptp(after) - np.ptp(before)
    missed = np.zeros(4)
    for _ in range(runs):
        means = draw(rng, before, after, 60)
        largest = evidence(changes(means, reference_contrasts(4, 0)))
        found = gap_change(means, ALPHAS)
        table = Tabulated(found.alphas, found.lows, found.highs)
        missed += [
            largest.lower(0.025) > change, largest.upper(0.025) < change,
            table.lower(0.025) > gap, table.upper(0.025) < gap,
        ]  # fmt: skip
    # Three standard errors above 2.5 %.
    assert (missed / runs <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / runs)).all(), missed
