"""Samples of a known truth: what `calibration_cells` draws."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.gaps import difference_values
from fairaudit.metrics.prompts import Prompts

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
Generator = np.random.Generator


@dataclass(frozen=True, slots=True)
class Sample:
    """One draw: numerators of one or two models, labels, and denominators where they are not 1.

    ``reach`` is the most that a value can move, where that is known; ``controls`` are control pairs
    beside the others.
    """

    values: Array
    candidate: Array | None = None
    clusters: Labels | None = None
    crossed: Labels | None = None
    weights: tuple[Array, Array] | None = None
    reach: float | None = None
    controls: Sample | None = None


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


def revised_pairs(
    rng: Generator, n: int, reworded: float, towards: float, away: float, ties: float = 0.0
) -> Sample:
    """One model on pairs and their revision: a share is reworded, the others stay as they are.

    Of the reworded pairs a share turns ``towards`` the stereotype and a share ``away``; a share of
    those that turn stops half-way, at a tie.
    """
    before = (rng.random(n) < 0.5).astype(float)
    changed = np.arange(n) < round(reworded * n)
    u = rng.random(n)
    turns = np.where(before == 0, u < 2 * towards, u < 2 * away) & changed
    after = np.where(turns, 1 - before, before)
    return Sample(before, np.where(turns & (rng.random(n) < ties), 0.5, after))


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
    value = rng.beta(0.5, 3, size=sum(sizes))
    return Sample(difference_values(two_groups(sizes, value), "male"))


def two_groups(sizes: tuple[int, int], value: Array) -> Prompts:
    """Prompts of two groups, each a cluster of its own."""
    table = _of_groups(sizes).assign(value=value)
    return Prompts("bold", "bold/generation", "gender", table, {}, "prompt")


@functools.lru_cache(maxsize=8)
def _of_groups(sizes: tuple[int, int]) -> pd.DataFrame:
    index = [str(number) for number in range(sum(sizes))]
    group = np.repeat(["female", "male"], sizes)
    return pd.DataFrame({"group": group, "cluster": index}, index=index)


# Few units that move far


def few_moved(
    rng: Generator, n: int, move: float, share: float, noise: float, crossed: bool = False
) -> Sample:
    """Units of which a share moves by ``move``, to one side; the others by noise or not at all.

    Any could move by 1. With ``crossed`` the units are clusters of 12 items, each of another of n
    templates, and nobody knows how far one can move.
    """
    moved = np.where(rng.random(n) < share, move, 0.0)
    if not crossed:
        return Sample(np.zeros(n), moved + noise * rng.normal(size=n), reach=1.0)
    clusters, templates = layout(n, 12)
    both = moved[clusters] + noise * rng.normal(size=n)[templates]
    return Sample(np.zeros(len(both)), both, clusters, templates)


#: Mean of the toxicity of a prompt that is not toxic, a beta law of 0.5 and 10.
HARMLESS: Final = 0.5 / 10.5


def toxic_prompts(rng: Generator, n: int, share: float, again: float = 0.2) -> Sample:
    """Toxicity of n prompts: a share becomes wholly toxic, others are ``again`` drawn anew."""
    baseline = rng.beta(0.5, 10, size=n)
    candidate = np.where(rng.random(n) < again, rng.beta(0.5, 10, size=n), baseline)
    return Sample(baseline, np.where(rng.random(n) < share, 1.0, candidate))


def toxic_group(rng: Generator, sizes: tuple[int, int], share: float) -> Sample:
    """Difference of two groups of prompts, of which a share of the first becomes wholly toxic."""
    parts = [toxic_prompts(rng, sizes[0], share), toxic_prompts(rng, sizes[1], 0.0)]
    values = []
    for both in ([one.values for one in parts], [one.candidate for one in parts]):
        prompts = two_groups(sizes, np.concatenate([np.asarray(one) for one in both]))
        values.append(difference_values(prompts, "male"))
    return Sample(values[0], values[1], reach=sum(sizes) / min(sizes))


def target_terms(rng: Generator, n: int, share: float, again: float = 0.1) -> Sample:
    """Shares of 6 clusters for each of n target terms: of some all turn towards the stereotype.

    The clusters of the other terms are ``again`` answered anew, as if by a coin.
    """
    first = rng.random((n, 6)) < 0.5
    second = np.where(rng.random((n, 6)) < again, rng.random((n, 6)) < 0.5, first)
    second[rng.random(n) < share] = True
    return Sample(first.mean(axis=1), second.mean(axis=1))


def answered_terms(rng: Generator, n: int, stereotyped: float, lost: float) -> Sample:
    """Answers of two models to 26 clusters of each of n target terms; a share names no preference.

    Terms differ in how often the stereotype is chosen (beta law, intra-class correlation 0.1). The
    second model answers three in ten clusters anew; both leave the same clusters without an answer.
    """
    rates = rng.beta(9 * stereotyped, 9 * (1 - stereotyped), n)[:, None]
    first, anew = (rng.random((n, 26)) < rates for _ in range(2))
    second = np.where(rng.random((n, 26)) < 0.3, anew, first)
    told = rng.random((n, 26)) >= lost
    told[:, 0] = True
    shares = [(one & told).sum(axis=1) / told.sum(axis=1) for one in (first, second)]
    return Sample(*shares)


def mostly_zero(rng: Generator, n: int, share: float) -> Sample:
    """Toxicity of n prompts of one model, a share of them wholly toxic."""
    return Sample(np.where(rng.random(n) < share, 1.0, rng.beta(0.5, 10, size=n)))


# Control pairs


def control_pairs(
    rng: Generator, side: int, mean: float, deviations: tuple[float, float]
) -> Sample:
    """Identity and control pairs of the same occupations and templates, both of which shift them.

    Each occupation meets 14 templates, 4 of them with control pairs; items vary by 0.3.
    """
    clusters, templates = layout(side, 14)
    first = np.tile(np.arange(14) < 4, side)

    def pairs(clusters: Labels, templates: Labels) -> Array:
        shifts = [scale * rng.normal(size=side) for scale in deviations]
        own = rng.normal(0, 0.3, len(clusters))
        return np.asarray(shifts[0][clusters] + shifts[1][templates] + own)

    controls = Sample(
        pairs(clusters[first], templates[first]), None, clusters[first], templates[first]
    )
    return Sample(mean + pairs(clusters, templates), None, clusters, templates, controls=controls)
