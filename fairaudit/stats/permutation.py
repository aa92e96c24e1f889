"""Permutation tests of two models: if they do not differ, their answers could be exchanged.

Answers of one cluster belong together, so whole clusters are exchanged; that turns the sign of the
cluster's sum of differences and of nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.clusters import Array

REPLICATES: Final = 9999
#: Up to 2^13 = 8192 sign patterns are enumerated: no more than would be sampled.
MAX_EXACT: Final = 13


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
    # Rounding of sums that are equal must not decide which of them is the larger.
    limit = abs(float(moved.sum())) * (1 - 1e-12) - 1e-300
    if len(moved) <= MAX_EXACT:
        return float((np.abs(_all_signs(len(moved)) @ moved) >= limit).mean())
    hits = np.count_nonzero(np.abs(_random_signs(len(moved), replicates, seed) @ moved) >= limit)
    return (int(hits) + 1) / (replicates + 1)


@lru_cache(maxsize=MAX_EXACT + 1)
def _all_signs(n: int) -> Array:
    """All sign patterns, shape [2^n, n]."""
    bits = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    return _frozen(1 - 2 * bits)


@lru_cache(maxsize=4)
def _random_signs(n: int, replicates: int, seed: int) -> Array:
    rng = np.random.default_rng(np.random.SeedSequence([seed, n]))
    return _frozen(1 - 2 * rng.integers(2, size=(replicates, n), dtype=np.int8))


def _frozen(signs: NDArray[np.integer]) -> Array:
    ready = signs.astype(np.float64)
    ready.setflags(write=False)
    return ready
