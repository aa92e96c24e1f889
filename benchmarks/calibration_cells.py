"""Samples of a known truth for `calibration`: what is drawn in each cell of its table."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from calibration_groups import GroupSample, designs, drawer
from numpy.typing import NDArray

from fairaudit.metrics.gaps import difference_values
from fairaudit.metrics.prompts import Prompts

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
Generator = np.random.Generator

MARGIN: Final = 0.05
#: What is asked of a sample: one model's value, the difference of two, the verdict on it or on the
#: groups of an axis, or one of the exact methods by itself.
Question = Literal[
    "estimate", "paired", "verdict", "largest change", "largest gap", "clopper-pearson", "mcnemar",
    "sign-flip",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """One draw: numerators of one or two models, labels, and denominators where they are not 1."""

    values: Array
    candidate: Array | None = None
    clusters: Labels | None = None
    crossed: Labels | None = None
    weights: tuple[Array, Array] | None = None


Draw = Callable[[Generator], Sample | GroupSample]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table: a design with its truth, and what is asked of its samples.

    ``regular`` says whether the bars of approximate methods apply; ``power`` is the promised share
    of rejections where the truth is not the null value; ``alpha`` is the level of the test.
    """

    name: str
    asks: Question
    truth: float
    draw: Draw
    is_rate: bool = True
    regular: bool = True
    power: float | None = None
    alpha: float = 0.05


# One model


def rate(rng: Generator, n: int, p: float, ties: float = 0.0) -> Sample:
    """Independent items: 1 with probability p, a tie counting ½ with probability ``ties``."""
    values = (rng.random(n) < p).astype(float)
    values[rng.random(n) < ties] = 0.5
    return Sample(values)


def cluster_labels(rng: Generator, n_clusters: int) -> Labels:
    """9 items per cluster on average, 1 at least, the largest many times the smallest."""
    return np.repeat(np.arange(n_clusters), 1 + rng.negative_binomial(2, 0.2, size=n_clusters))


def clustered_rate(rng: Generator, n_clusters: int, p: float) -> Sample:
    """Cluster rates from a beta law with intra-class correlation 0.2."""
    rates = rng.beta(4 * p, 4 * (1 - p), size=n_clusters)
    labels = cluster_labels(rng, n_clusters)
    return Sample((rng.random(len(labels)) < rates[labels]).astype(float), clusters=labels)


def clustered_mean(rng: Generator, n_clusters: int, sigma: float) -> Sample:
    """Skewed: cluster effects and items log-normal, shifted to mean 0."""
    labels = cluster_labels(rng, n_clusters)
    effects = rng.lognormal(0, sigma, n_clusters)[labels] + rng.lognormal(0, sigma, len(labels))
    return Sample(effects - 2 * math.exp(sigma**2 / 2), clusters=labels)


def layout(side: int, per_cluster: int) -> tuple[Labels, Labels]:
    """Clusters crossed with templates: each meets ``per_cluster`` of ``side`` templates."""
    clusters = np.repeat(np.arange(side), per_cluster)
    steps = np.tile(np.arange(per_cluster) * (np.arange(per_cluster) + 1) // 2, side)
    return clusters, (clusters + steps) % side


def crossed_rate(rng: Generator, side: int) -> Sample:
    """Clusters and templates both shift the log-odds."""
    clusters, crossed = layout(side, 12)
    shift = rng.normal(0, 0.7, side)[clusters] + rng.normal(0, 0.7, side)[crossed]
    values = (shift + rng.logistic(size=len(clusters)) > 0).astype(float)
    return Sample(values, clusters=clusters, crossed=crossed)


# Two models


def answers(rng: Generator, up: Array | float, down: Array | float, n: int) -> tuple[Array, Array]:
    """Answers to n pairs: only the candidate 1 with chance ``up``, only the baseline ``down``."""
    u = rng.random(n)
    only_candidate, only_baseline = u < up, u >= 1 - np.asarray(down)
    both = rng.random(n) < 0.5
    candidate = np.where(only_candidate, 1.0, np.where(only_baseline, 0.0, both))
    baseline = np.where(only_candidate, 0.0, np.where(only_baseline, 1.0, both))
    return baseline, candidate


def paired_rate(
    rng: Generator, n: int, discordance: float, difference: float, ties: float = 0.0
) -> Sample:
    """Independent pairs; each model ties on a pair with probability ``ties``."""
    up, down = (discordance + difference) / 2, (discordance - difference) / 2
    baseline, candidate = answers(rng, up, down, n)
    baseline[rng.random(n) < ties] = 0.5
    candidate[rng.random(n) < ties] = 0.5
    return Sample(baseline, candidate)


def neutral_pairs(rng: Generator, n: int, clustered: bool) -> Sample:
    """Pairs on which a model is neutral leave its denominator, a tenth of them each."""
    labels = cluster_labels(rng, n) if clustered else np.arange(n)
    both = answers(rng, 0.1, 0.1, len(labels))
    weights = tuple((rng.random(len(labels)) < 0.9).astype(float) for _ in both)
    baseline, candidate = (y * w for y, w in zip(both, weights, strict=True))
    return Sample(baseline, candidate, labels, weights=(weights[0], weights[1]))


def paired_clusters(
    rng: Generator,
    n_clusters: int,
    discordance: float,
    difference: float,
    spread: float,
    ties: float = 0.0,
) -> Sample:
    """Clusters move together: the chances of up and down vary between clusters.

    Each cluster's chances are scaled by gamma laws of mean 1 and standard deviation ``spread``;
    each model ties on a pair with probability ``ties``.
    """
    labels = cluster_labels(rng, n_clusters)
    shape = spread**-2
    scale = rng.gamma(shape, 1 / shape, size=(2, n_clusters))[:, labels]
    up, down = (discordance + difference) / 2 * scale[0], (discordance - difference) / 2 * scale[1]
    # Chances above ½ would overlap; with these designs they hardly occur, and 0 stays the truth.
    baseline, candidate = answers(rng, np.minimum(up, 0.5), np.minimum(down, 0.5), len(labels))
    baseline[rng.random(len(labels)) < ties] = 0.5
    candidate[rng.random(len(labels)) < ties] = 0.5
    return Sample(baseline, candidate, clusters=labels)


def paired_templates(rng: Generator, side: int, discordance: float) -> Sample:
    """Clusters crossed with templates, both of which shift what changes."""
    clusters, crossed = layout(side, 12)
    tilt = rng.normal(0, 0.2, side)[clusters] + rng.normal(0, 0.2, side)[crossed]
    up = discordance / 2 * np.clip(1 + tilt, 0, 2)
    baseline, candidate = answers(rng, up, discordance - up, len(clusters))
    return Sample(baseline, candidate, clusters=clusters, crossed=crossed)


def paired_mean(rng: Generator, n_clusters: int, clustered: bool) -> Sample:
    """Log-odds of two models: heavy-tailed differences, with a cluster effect."""
    labels = cluster_labels(rng, n_clusters) if clustered else np.arange(n_clusters)
    base = rng.normal(0, 2, size=len(labels))
    moved = rng.normal(0, 0.5, size=n_clusters)[labels] + rng.standard_t(4, len(base))
    return Sample(base, base + moved, clusters=labels)


def sparse_values(rng: Generator, n: int, share: float) -> Sample:
    """Values of which only a share moves, all to one side."""
    moved = (rng.random(n) < share) * rng.uniform(0.1, 0.5, n)
    return Sample(np.zeros(n), moved)


def two_seeds(rng: Generator, n: int, shift: float) -> Sample:
    """Two seeds of one recipe: the same scores up to the noise of training.

    A seed moves each pair by itself and all of them together by ``shift`` standard deviations of
    the score: what differs between these two checkpoints and not between recipes.
    """
    score = rng.normal(0.2, 1.0, size=n)
    first, second = (
        score + rng.normal(0, shift) + rng.normal(0, 0.4, size=n) > 0 for _ in range(2)
    )
    return Sample(first.astype(float), second.astype(float))


def heavy_tailed(rng: Generator, n: int, paired: bool, clustered: bool) -> Sample:
    """Symmetric with heavy tails, Student's t with 3 degrees of freedom: few values decide."""
    labels = cluster_labels(rng, n) if clustered else np.arange(n)
    moved = rng.standard_t(3, size=n)[labels] + clustered * rng.standard_t(3, size=len(labels))
    if not paired:
        return Sample(moved, clusters=labels)
    base = rng.normal(0, 2, size=len(labels))
    return Sample(base, base + moved, clusters=labels)


def group_difference(rng: Generator, sizes: tuple[int, int]) -> Sample:
    """Difference of the means of two groups of prompts, as `fairaudit.metrics.gaps` puts it.

    Shares of a text classifier: most near 0, some near 1, with the same law in both groups.
    """
    group = np.repeat(["female", "male"], sizes)
    value = rng.beta(0.5, 3, size=sum(sizes))
    index = [str(number) for number in range(sum(sizes))]
    table = pd.DataFrame({"group": group, "cluster": index, "value": value}, index=index)
    prompts = Prompts("bold", "bold/generation", "gender", table, {}, "prompt")
    return Sample(difference_values(prompts, "male"))


# The table


def cells() -> list[Cell]:
    """Every cell, in the order in which it is printed."""
    return [
        *exact_cells(),
        *one_rate_cells(),
        *one_clustered_cells(),
        *paired_rate_cells(),
        *sparse_cells(),
        *paired_clustered_cells(),
        *power_cells(),
        *verdict_cells(),
        *seed_cells(),
        *heavy_tailed_cells(),
        *group_difference_cells(),
        *groups_cells(),
    ]


def exact_cells() -> Iterator[Cell]:
    """Methods that promise never to fall short."""
    for n, p in itertools.product((20, 100, 500), (0.5, 0.1, 0.01)):
        draw = functools.partial(rate, n=n, p=p)
        yield Cell(f"Clopper-Pearson n={n} p={p}", "clopper-pearson", p, draw)
    for n, ties in itertools.product((20, 100, 500), (0.0, 0.2)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.0, ties=ties)
        yield Cell(f"McNemar exact n={n} ties={ties}", "mcnemar", 0.0, draw)
    for groups in (12, 25, 64):
        draw = functools.partial(
            paired_clusters, n_clusters=groups, discordance=0.2, difference=0.0, spread=0.5
        )
        yield Cell(f"sign-flip G={groups}", "sign-flip", 0.0, draw)


def one_rate_cells() -> Iterator[Cell]:
    """One model, independent items: coverage of the truth and size of the test of it."""
    for n, p in itertools.product((20, 100, 500, 5000), (0.5, 0.2, 0.05, 0.01)):
        draw = functools.partial(rate, n=n, p=p)
        yield Cell(f"rate n={n} p={p}", "estimate", p, draw, regular=n * p * (1 - p) >= 10)
    for n in (100, 500):
        draw = functools.partial(rate, n=n, p=0.5, ties=0.2)
        # A tie varies less than win and loss, so that a binomial interval is too wide by design.
        yield Cell(f"rate n={n} p=0.5 ties=0.2", "estimate", 0.5, draw, regular=False)


def one_clustered_cells() -> Iterator[Cell]:
    """One model, clusters of unequal size."""
    for groups, p in itertools.product((12, 25, 40, 64, 200), (0.5, 0.1, 0.02)):
        draw = functools.partial(clustered_rate, n_clusters=groups, p=p)
        regular = groups >= 40 and 9 * groups * p * (1 - p) >= 10
        yield Cell(f"clustered rate G={groups} p={p}", "estimate", p, draw, regular=regular)
    for groups, sigma in ((25, 0.5), (64, 0.5), (200, 0.5), (200, 1.0)):
        draw = functools.partial(clustered_mean, n_clusters=groups, sigma=sigma)
        name = f"clustered skewed mean G={groups} sigma={sigma}"
        yield Cell(name, "estimate", 0.0, draw, is_rate=False, regular=groups >= 40)
    for side in (25, 64):
        draw = functools.partial(crossed_rate, side=side)
        yield Cell(f"two-way rate {side}x{side}", "estimate", 0.5, draw, regular=side >= 40)


def paired_rate_cells() -> Iterator[Cell]:
    """Two models, independent pairs: from no change to all discordant pairs on one side."""
    for n, discordance in itertools.product((20, 100, 500, 5000), (0.02, 0.1, 0.3)):
        for difference in (0.0, discordance / 2, discordance):
            draw = functools.partial(
                paired_rate, n=n, discordance=discordance, difference=difference
            )
            name = f"pairs n={n} discordant={discordance} difference={difference}"
            regular = n * discordance * (1 - discordance) >= 10
            yield Cell(name, "paired", difference, draw, regular=regular)
    for n, ties in itertools.product((20, 100, 500), (0.2, 0.5)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.0, ties=ties)
        yield Cell(f"pairs n={n} ties={ties}", "paired", 0.0, draw, regular=n > 20)
    for n in (20, 100, 500):
        draw = functools.partial(neutral_pairs, n=n, clustered=False)
        yield Cell(f"neutral pairs n={n}", "paired", 0.0, draw, regular=n >= 40)
    for n in (25, 200):
        draw = functools.partial(paired_mean, n_clusters=n, clustered=False)
        yield Cell(f"log-odds n={n}", "paired", 0.0, draw, is_rate=False, regular=n >= 40)


def sparse_cells() -> Iterator[Cell]:
    """Two models that agree on most items, in a quantity that is no rate."""
    for n, share in itertools.product((30, 80, 200), (0.06, 0.2)):
        draw = functools.partial(sparse_values, n=n, share=share)
        name = f"sparse values n={n} share={share}"
        yield Cell(name, "paired", 0.3 * share, draw, is_rate=False, regular=False)


def paired_clustered_cells() -> Iterator[Cell]:
    """Two models, clusters of unequal size that move together."""
    for groups, (discordance, difference) in itertools.product(
        (12, 25, 40, 64, 200), ((0.3, 0.0), (0.3, 0.1), (0.04, 0.0), (0.02, 0.02))
    ):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=discordance,
            difference=difference,
            spread=0.5,
        )
        name = f"clusters G={groups} discordant={discordance} difference={difference}"
        regular = groups >= 40 and 9 * groups * discordance * (1 - discordance) >= 10
        yield Cell(name, "paired", difference, draw, regular=regular)
    for groups, ties in itertools.product((12, 25, 64), (0.05, 0.5)):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=0.02,
            difference=0.0,
            spread=0.5,
            ties=ties,
        )
        name = f"clusters G={groups} discordant=0.02 ties={ties}"
        yield Cell(name, "paired", 0.0, draw, regular=groups >= 40)
    for groups, difference in itertools.product((25, 64, 200), (0.0, 0.02)):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=0.02,
            difference=difference,
            spread=2.0,
        )
        # Most of what changes sits in a few clusters: the worst that clustering can do.
        name = f"concentrated clusters G={groups} difference={difference}"
        yield Cell(name, "paired", difference, draw, regular=False)
    for groups in (25, 64):
        draw = functools.partial(neutral_pairs, n=groups, clustered=True)
        yield Cell(f"neutral clusters G={groups}", "paired", 0.0, draw, regular=groups >= 40)
        draw = functools.partial(paired_mean, n_clusters=groups, clustered=True)
        name = f"clustered log-odds G={groups}"
        yield Cell(name, "paired", 0.0, draw, is_rate=False, regular=groups >= 40)
    for side in (25, 64):
        draw = functools.partial(paired_templates, side=side, discordance=0.3)
        yield Cell(f"two-way pairs {side}x{side}", "paired", 0.0, draw, regular=side >= 40)


def power_cells() -> Iterator[Cell]:
    """As many pairs as `required_pairs` asks for, at 90 % power: two- and one-sided."""
    for n, alpha in ((841, 0.05), (686, 0.1)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.05)
        yield Cell(f"power n={n} alpha={alpha}", "paired", 0.05, draw, power=0.9, alpha=alpha)


def verdict_cells() -> Iterator[Cell]:
    """`decide`, from no change to twice the margin."""
    for difference in (0.0, MARGIN / 2, MARGIN, -MARGIN, 2 * MARGIN):
        for n in (20, 200, 2000):
            draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=difference)
            yield Cell(f"verdict n={n} true={difference:+}", "verdict", difference, draw)
        for groups in (12, 25, 64, 200):
            draw = functools.partial(
                paired_clusters,
                n_clusters=groups,
                discordance=0.2,
                difference=difference,
                spread=0.5,
            )
            yield Cell(f"verdict G={groups} true={difference:+}", "verdict", difference, draw)


def seed_cells() -> Iterator[Cell]:
    """Two seeds of one recipe must not look like a change for the worse."""
    for shift in (0.0, 0.03):
        draw = functools.partial(two_seeds, n=200, shift=shift)
        yield Cell(f"two seeds n=200 shift={shift}", "verdict", 0.0, draw)


def heavy_tailed_cells() -> Iterator[Cell]:
    """Quantities that are no rate: equal-tailed bootstrap-t alone would be too narrow."""
    for n, paired, clustered in itertools.product((25, 60, 200), (False, True), (False, True)):
        draw = functools.partial(heavy_tailed, n=n, paired=paired, clustered=clustered)
        name = f"heavy-tailed {'difference' if paired else 'mean'} {'G' if clustered else 'n'}={n}"
        asks: Question = "paired" if paired else "estimate"
        yield Cell(name, asks, 0.0, draw, is_rate=False, regular=n >= 40)


def group_difference_cells() -> Iterator[Cell]:
    """Two groups of equal and unequal size; with a very small one no bar applies."""
    for sizes in ((20, 20), (30, 30), (100, 100), (60, 240), (12, 48), (10, 90)):
        draw = functools.partial(group_difference, sizes=sizes)
        name = f"difference of groups of {sizes[0]} and {sizes[1]}"
        regular = min(sizes) >= 20
        yield Cell(name, "estimate", 0.0, draw, is_rate=False, regular=regular)


def groups_cells() -> Iterator[Cell]:
    """Verdicts on axes with more than two groups."""
    for name, asks, design in designs(MARGIN):
        yield Cell(name, asks, design.truth(asks), drawer(design), is_rate=False)
