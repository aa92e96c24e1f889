"""A stratified part of a suite: for quick looks, and of more prompts than are needed.

A sample is a function of the items of its axis and nothing else: not of the other axes that are
asked, nor of any seed of an audit. So two audits ask the same of an axis that they share, and a
smaller sample is a part of each larger one. The order in which items are drawn is that of a
hash of their names, as good as random and the same everywhere.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from fairaudit.items import Item


def quick_sample(items: Sequence[Item], limit: int) -> tuple[Item, ...]:
    """Keep at most ``limit`` items of each axis and set of roles, in their order.

    Control pairs have roles of their own, so they are sampled beside the pairs they control.

    Parameters
    ----------
    items : sequence of Item
        All of a suite.
    limit : int
        Items of each axis and set of roles, at least 1.

    Returns
    -------
    tuple of Item
        Those kept; a smaller limit keeps a part of what a larger one does.
    """
    strata: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        strata[item.axis, tuple(sorted(item.texts))].append(index)
    kept: set[int] = set()
    for indices in strata.values():
        lots = {index: _lot(items[index].axis, items[index].item_id) for index in indices}
        kept.update(sorted(indices, key=lots.__getitem__)[:limit])
    return tuple(item for index, item in enumerate(items) if index in kept)


def sample_prompts(items: Sequence[Item], per_axis: int) -> tuple[Item, ...]:
    """Keep at most ``per_axis`` items of each axis, spread evenly over its groups, in their order.

    Groups that have fewer give the rest to the others. Where groups share clusters (the same
    opening for each group), they keep the same ones, so that groups stay matched; items of as many
    clusters as possible are kept.

    Parameters
    ----------
    items : sequence of Item
        All prompts of a suite.
    per_axis : int
        Prompts of each axis, at least 1.

    Returns
    -------
    tuple of Item
        Those kept; a smaller number keeps a part of what a larger one does.
    """
    by_group: dict[str, dict[str | None, list[int]]] = {}
    for index, item in enumerate(items):
        by_group.setdefault(item.axis, {}).setdefault(item.group, []).append(index)
    kept: set[int] = set()
    for axis, groups in by_group.items():
        ranks = _ranks(axis, (items[i].cluster for chosen in groups.values() for i in chosen))
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


def _lot(axis: str, name: str) -> bytes:
    """Return the lot of an item or a cluster of an axis: the lowest are taken first."""
    return hashlib.sha256(f"{axis}\0{name}".encode("utf-8", "surrogatepass")).digest()


def _ranks(axis: str, clusters: Iterable[str]) -> dict[str, int]:
    """Order in which the clusters of an axis are drawn."""
    ordered = sorted(set(clusters), key=lambda cluster: _lot(axis, cluster))
    return {cluster: rank for rank, cluster in enumerate(ordered)}


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
