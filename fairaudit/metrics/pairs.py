"""Any suite of sentence pairs: preference by axis and group."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from fairaudit.metrics.building import Measurement, Slice, estimates
from fairaudit.metrics.preference import ROLES, preference_measurements
from fairaudit.metrics.tables import by_role, parts
from fairaudit.results import Estimate

_PRIMARY = ("causal-sum", "pll-shared")


def pair_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Stereotype preference rate and mean log-odds, by protocol, axis and group."""
    for protocol, scores in table.groupby("protocol", sort=True):
        suite, _, variant = str(protocol).partition("/")
        for part in parts(by_role(scores, ROLES), ROLES, groups=True):
            primary = variant in _PRIMARY and part.axis != "all" and part.group is None
            where = Slice(suite, str(protocol), part.axis, part.group, primary=primary)
            yield from preference_measurements(part, where)


def pair_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Estimates of `pair_measurements`."""
    return estimates(pair_measurements(table), seed)
