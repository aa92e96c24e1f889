"""The embedded templates: preference by axis and group, occupations, control pairs.

``occupation_correlation``
    Pearson correlation, over occupations, of the mean log-odds (she − he) with the share of women
    among those who do the work. Range −1 to 1, ideal 0: the model's pronouns carry no labour
    statistics. Fisher z interval over occupations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from scipy import stats

from fairaudit.metrics.building import (
    LEVEL,
    Metric,
    Sample,
    Slice,
    from_inference,
    without_interval,
)
from fairaudit.metrics.controls import CONTROL_ROLES, control_estimates
from fairaudit.metrics.preference import ROLES, differences, preference_estimates
from fairaudit.metrics.tables import Part, by_role, parts
from fairaudit.results import Estimate
from fairaudit.stats.one_estimate import Inference

OCCUPATION_CORRELATION: Final = Metric(
    "occupation_correlation", "bias", ideal=0.0, range=(-1.0, 1.0), direction=1
)
_PRIMARY: Final = ("causal-conditional", "pll-shared")
_MIN_OCCUPATIONS: Final = 10


def templates_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates of the embedded templates, by protocol, axis and group."""
    found: list[Estimate] = []
    for protocol, scores in table.groupby("protocol", sort=True):
        identity, control = by_role(scores, ROLES), by_role(scores, CONTROL_ROLES)
        for part in parts(identity, ROLES, groups=True):
            found.extend(_part_estimates(part, str(protocol), seed))
        controls = {part.axis: part for part in parts(control, CONTROL_ROLES)}
        for part in parts(identity, ROLES):
            if part.axis in controls and part.axis != "all":
                found.extend(_controls(part, controls[part.axis], str(protocol), seed))
    return found


def _part_estimates(part: Part, protocol: str, seed: int) -> Iterator[Estimate]:
    suite, _, variant = protocol.partition("/")
    is_primary = variant in _PRIMARY and part.axis != "all" and part.group is None
    where = Slice(suite, protocol, part.axis, part.group, primary=is_primary)
    yield from preference_estimates(part, where, seed=seed)
    if part.axis == "gender" and part.group is None:
        yield _occupation_correlation(part, Slice(suite, protocol, part.axis))


def _controls(identity: Part, control: Part, protocol: str, seed: int) -> Iterator[Estimate]:
    where = Slice(protocol.partition("/")[0], protocol, identity.axis)
    yield from control_estimates(
        identity.items, control.items, where, n_skipped=control.n_skipped, seed=seed
    )


def _occupation_correlation(part: Part, where: Slice) -> Estimate:
    items = part.items.assign(
        she_minus_he=np.where(part.items["group"] == "female", 1.0, -1.0) * differences(part.items)
    )
    by_occupation = items.groupby("cluster")[["she_minus_he", "share_female"]].mean()
    sample = Sample(
        items["she_minus_he"].to_numpy(),
        items["cluster"].astype(str).tolist(),
        n_skipped=part.n_skipped,
        unit="occupation",
    )
    if len(by_occupation) < _MIN_OCCUPATIONS or (by_occupation.std() == 0).any():
        reason = f"{len(by_occupation)} occupations: too few, or all alike, for a correlation"
        return without_interval(OCCUPATION_CORRELATION, where, sample, value=None, reason=reason)
    test = stats.pearsonr(by_occupation["she_minus_he"], by_occupation["share_female"])
    interval = test.confidence_interval(LEVEL)
    inference = Inference(
        value=float(test.statistic),
        se=None,
        df=None,
        low=float(interval.low),
        high=float(interval.high),
        method="fisher-z",
        resampling_unit="occupation",
        n=len(items),
        n_clusters=len(by_occupation),
        p_value=float(test.pvalue),
        mde=None,
        cautions=(),
        reason=None,
    )
    return from_inference(OCCUPATION_CORRELATION, where, sample, inference)
