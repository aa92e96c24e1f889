"""Intervals of many estimates on one table, as a process: ours, or a loop over scipy's bootstrap.

``python benchmarks/peer_statistics.py SIDE OUTPUT [--items N] [--estimates K]``. Both sides get the
same sums of clusters and write value and 95 % interval of every estimate. Ours are bootstrap-t
intervals; scipy has none, so its percentile intervals stand beside them: the values must be equal,
the ends nearly so.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

REPLICATES = 9999
CLUSTERS = 500


def table(items: int, estimates: int) -> tuple[Any, Any]:
    """Draw sums [clusters, estimates] and sizes [clusters] of clusters of yes-no items."""
    rng = np.random.default_rng(0)
    w = 1.0 + rng.multinomial(items - CLUSTERS, np.full(CLUSTERS, 1 / CLUSTERS))
    rates = np.clip(rng.normal(0.6, 0.1, size=(CLUSTERS, estimates)), 0.02, 0.98)
    return rng.binomial(w.astype(int)[:, None], rates).astype(float), w


def ours(y: Any, w: Any) -> tuple[list[float], list[float], list[float]]:
    """All estimates at once."""
    from fairaudit.stats.bootstrap import bootstrap_t

    found = bootstrap_t(y, w, replicates=REPLICATES, seed=0)
    low, high = found.interval()
    return found.value.tolist(), low.tolist(), high.tolist()


def scipy_loop(y: Any, w: Any) -> tuple[list[float], list[float], list[float]]:
    """One estimate after the other, the replicates of each in one call."""
    from scipy.stats import bootstrap

    def ratio(sums: Any, sizes: Any, axis: int) -> Any:
        return sums.sum(axis=axis) / sizes.sum(axis=axis)

    value, low, high = [], [], []
    for sums in y.T:
        interval = bootstrap(
            (sums, w),
            ratio,
            n_resamples=REPLICATES,
            paired=True,
            method="percentile",
            random_state=np.random.default_rng(0),
        ).confidence_interval
        value.append(float(sums.sum() / w.sum()))
        low.append(float(interval.low))
        high.append(float(interval.high))
    return value, low, high


def main() -> None:
    """Compute the intervals of one side, and write them with the seconds that they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=["ours", "scipy"])
    parser.add_argument("output", type=Path)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--estimates", type=int, default=100)
    given = parser.parse_args()
    y, w = table(given.items, given.estimates)
    start, used = time.perf_counter(), time.process_time()
    value, low, high = (ours if given.side == "ours" else scipy_loop)(y, w)
    found = {
        "step_wall": time.perf_counter() - start,
        "step_cpu": time.process_time() - used,
        "value": value,
        "low": low,
        "high": high,
    }
    given.output.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
