"""A seeded, stratified part of a suite: for quick looks, and of more prompts than are needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from fairaudit.items import Item


def quick_sample(items: Sequence[Item], limit: int, seed: int) -> tuple[Item, ...]:
    """Keep at most ``limit`` items of each axis and set of roles, in their order.

    Control pairs have roles of their own, so they are sampled beside the pairs they control.
    """
    strata: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        strata[item.axis, tuple(item.texts)].append(index)
    rng = np.random.default_rng(np.random.SeedSequence([seed, limit]))
    kept: set[int] = set()
    for indices in strata.values():
        size = min(limit, len(indices))
        kept.update(int(i) for i in rng.choice(indices, size=size, replace=False))
    return tuple(item for index, item in enumerate(items) if index in kept)


def sample_prompts(items: Sequence[Item], per_axis: int, seed: int) -> tuple[Item, ...]:
    """Keep at most ``per_axis`` items of each axis, spread evenly over its groups, in their order.

    Groups that have fewer give the rest to the others. Where groups share clusters (the same
    opening for each group), they keep the same ones, so that groups stay matched; items of as many
    clusters as possible are kept.
    """
    by_group: dict[str, dict[str | None, list[int]]] = {}
    for index, item in enumerate(items):
        by_group.setdefault(item.axis, {}).setdefault(item.group, []).append(index)
    kept: set[int] = set()
    for number, groups in enumerate(by_group.values()):
        rng = np.random.default_rng(np.random.SeedSequence([seed, per_axis, number]))
        ranks = _ranks(items, [index for chosen in groups.values() for index in chosen], rng)
        quotas = even_quotas([len(chosen) for chosen in groups.values()], per_axis)
        for chosen, quota in zip(groups.values(), quotas, strict=True):
            kept.update(_spread(items, chosen, ranks)[:quota])
    return tuple(item for index, item in enumerate(items) if index in kept)


def even_quotas(sizes: Sequence[int], total: int) -> list[int]:
    """Share ``total`` among strata as evenly as their sizes allow.

    >>> even_quotas([100, 10, 100], 100)
    [45, 10, 45]
    """
    quotas = [0] * len(sizes)
    left = min(total, sum(sizes))
    by_size = sorted(range(len(sizes)), key=lambda stratum: sizes[stratum])
    for place, stratum in enumerate(by_size):
        quotas[stratum] = min(sizes[stratum], left // (len(by_size) - place))
        left -= quotas[stratum]
    return quotas


def _ranks(
    items: Sequence[Item], indices: Sequence[int], rng: np.random.Generator
) -> dict[str, int]:
    """Random order of an axis's clusters."""
    clusters = list(dict.fromkeys(items[index].cluster for index in indices))
    return {clusters[int(place)]: rank for rank, place in enumerate(rng.permutation(len(clusters)))}


def _spread(items: Sequence[Item], indices: Sequence[int], ranks: dict[str, int]) -> list[int]:
    """Order the indices of a group: one item of each cluster, then a second of each, ...

    Which item of a cluster comes first goes round with the cluster's rank, so that the words for
    a person take turns, and do so alike in all groups.
    """
    by_cluster: dict[str, list[int]] = defaultdict(list)
    for index in indices:
        by_cluster[items[index].cluster].append(index)
    places = {
        index: ((place + ranks[cluster]) % len(members), ranks[cluster])
        for cluster, members in by_cluster.items()
        for place, index in enumerate(members)
    }
    return sorted(indices, key=places.__getitem__)
