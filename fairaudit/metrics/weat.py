"""WEAT and SEAT: whether some texts are embedded nearer to a set of attributes than others.

Caliskan, Bryson, Narayanan 2017; May et al. 2019. The table holds, for each target text t,
s(t) = mean cos(t, A) − mean cos(t, B). Targets X are those that the stereotype ties to A.

``effect_size_d``
    d = (mean of s over X − mean of s over Y) / standard deviation of s over both, ddof = 1.
    Ideal 0, above 0 with the stereotype. Its p-value is one-sided, of all ways to divide X and Y
    into parts of those sizes: exact where there are at most 100,000, otherwise sampled with
    p = (k + 1)/(n + 1). Divisions with an equal statistic count as exceeding.

Legacy: it does not predict what a model does (Goldfarb-Tarrant et al. 2021, Delobelle et al.
2022).
It has no interval, supports no verdict and is not compared between models.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.sample_estimates import Sample, Slice, without_interval
from fairaudit.vocabulary.metrics import EFFECT_SIZE_D

if TYPE_CHECKING:
    from fairaudit.metrics.sample_estimates import Measurement
    from fairaudit.results import Estimate

Array = NDArray[np.float64]

#: Up to so many divisions all are counted; beyond, so many are drawn.
MOST_EXACT: Final = 100_000
DRAWN: Final = 9_999
#: Elements of the drawn table that are held at a time.
_BLOCK: Final = 1 << 20


def weat_measurements(_table: pd.DataFrame) -> Iterator[Measurement]:
    """Measure nothing: models are not compared by it."""
    return iter(())


def weat_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Effect size of each test, which stands as the group of its axis.

    Parameters
    ----------
    table : DataFrame
        Score table with the facts ``test`` and ``side`` (``X`` or ``Y``).
    seed : int
        Seed of drawn divisions.

    Returns
    -------
    list of Estimate
        Effect size d in standard deviations, about −2 to 2, ideal 0, above 0 with the stereotype.

    References
    ----------
    Caliskan, A., Bryson, J. J., Narayanan, A. (2017). Semantics derived automatically from language
    corpora contain human-like biases. Science 356.
    May, C. et al. (2019). On measuring social biases in sentence encoders. NAACL.
    """
    return [
        _estimate(rows, _slice(str(protocol), str(axis), str(test)), seed)
        for (protocol, axis, test), rows in table.groupby(["protocol", "axis", "test"], sort=True)
    ]


def _slice(protocol: str, axis: str, test: str) -> Slice:
    return Slice(protocol.partition("/")[0], protocol, axis, test)


def _estimate(rows: pd.DataFrame, where: Slice, seed: int) -> Estimate:
    scored = rows[rows["status"] == "ok"]
    x, y = (scored.loc[scored["side"] == side, "score"].to_numpy(dtype=np.float64) for side in "XY")
    sample = Sample(
        np.concatenate([x, y]),
        scored["item_id"].astype(str).tolist(),
        n_skipped=len(rows) - len(scored),
    )
    value = effect_size(x, y)
    if value is None:
        reason = "fewer than two targets on a side, or all alike: no effect size"
        return without_interval(EFFECT_SIZE_D, where, sample, value=None, reason=reason)
    exact = math.comb(len(x) + len(y), len(x)) <= MOST_EXACT
    reason = (
        "a legacy score without an interval; its p-value is one-sided, of "
        f"{'all' if exact else f'{DRAWN:,} drawn'} divisions of the targets"
    )
    found = without_interval(EFFECT_SIZE_D, where, sample, value=value, reason=reason)
    return found.model_copy(update={"p_value": permutation_p(x, y, seed)})


def effect_size(x: Array, y: Array) -> float | None:
    """Effect size of the associations of two sets of targets; None where it is not defined."""
    union = np.concatenate([x, y])
    if min(len(x), len(y)) < 2:
        return None
    spread = float(union.std(ddof=1))
    scale = float(np.abs(union).max())
    if spread <= 1e-12 * scale or spread == 0:
        return None
    return float(x.mean() - y.mean()) / spread


def permutation_p(x: Array, y: Array, seed: int) -> float:
    """One-sided p-value of mean(x) − mean(y) among divisions of both into those sizes.

    With the sizes fixed the difference of means grows with the sum over the first part, so that sum
    is the statistic.
    """
    union = np.concatenate([x, y])
    limit = float(x.sum()) - 1e-12 * float(np.abs(union).sum())
    if math.comb(len(union), len(x)) <= MOST_EXACT:
        parts = itertools.combinations(range(len(union)), len(x))
        sums = union[np.array(list(parts))].sum(axis=1)
        return float((sums >= limit).mean())
    hits = sum(int((sums >= limit).sum()) for sums in _drawn(union, len(x), seed))
    return (hits + 1) / (DRAWN + 1)


def _drawn(union: Array, size: int, seed: int) -> Iterator[Array]:
    """Yield sums over the first part of random divisions, block by block."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(union), size]))
    step = max(1, _BLOCK // len(union))
    for start in range(0, DRAWN, step):
        keys = rng.random((min(step, DRAWN - start), len(union)))
        chosen = np.argpartition(keys, size - 1, axis=1)[:, :size]
        yield union[chosen].sum(axis=1)
