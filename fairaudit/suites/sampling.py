"""A seeded, stratified part of a suite for quick looks."""

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
