"""Permutation tests of two models: if they do not differ, their answers could be exchanged.

Answers of one cluster belong together, so whole clusters are exchanged; that turns the sign of the
cluster's sum of differences and of nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import REPLICATES, blocks
from fairaudit.stats.clusters import Array

Flips = NDArray[np.uint8]
#: Up to 2^13 = 8192 sign patterns are enumerated: no more than would be sampled.
MAX_EXACT: Final = 13
#: Elements of the patterns that are multiplied at a time: few enough to stay in the cache.
_IN_CACHE: Final = 1 << 16


def sign_flip(sums: Array, *, replicates: int = REPLICATES, seed: int = 0) -> float:
    """Two-sided p-value of Σ sums = 0 when each sum could as well have the other sign.

    The share of sign patterns with |Σ ± sums| ≥ |Σ sums|; over all 2^k patterns of the k sums that
    are not 0 where k ≤ 13, otherwise over R sampled ones as (hits + 1)/(R + 1), so that it never
    is 0 (Phipson and Smyth 2010).

    Parameters
    ----------
    sums : array of shape [G]
        Sum of item differences per cluster.
    replicates : int
        Number R of sampled patterns.
    seed : int
        Seed of the sampling.
    """
    moved = sums[sums != 0]
    if len(moved) <= MAX_EXACT:
        return float(_hits(_all_flips(len(moved)), moved) / 2 ** len(moved))
    return (_hits(_random_flips(len(sums), replicates, seed), sums) + 1) / (replicates + 1)


def _hits(flips: Flips, sums: Array) -> int:
    """Count the rows of flips (1: other sign) that take the sum as far from 0 as it was."""
    total = float(sums.sum())
    # Rounding of sums that are equal must not decide which of them is the larger.
    slack = 1e-12 * float(np.abs(sums).sum())
    hits = 0
    for rows in blocks(len(flips), max(1, len(sums)), _IN_CACHE):
        flipped = total - 2 * (flips[rows].astype(np.float64) @ sums)
        hits += int(np.count_nonzero(np.abs(flipped) >= abs(total) - slack))
    return hits


@lru_cache(maxsize=MAX_EXACT + 1)
def _all_flips(n: int) -> Flips:
    """All patterns, shape [2^n, n]."""
    return _frozen((np.arange(2**n)[:, None] >> np.arange(n)) & 1)


@lru_cache(maxsize=4)
def _random_flips(n: int, replicates: int, seed: int) -> Flips:
    rng = np.random.default_rng(np.random.SeedSequence([seed, n]))
    return _frozen(rng.integers(2, size=(replicates, n), dtype=np.uint8))


def _frozen(flips: NDArray[np.integer]) -> Flips:
    ready = flips.astype(np.uint8, copy=False)
    ready.setflags(write=False)
    return ready
