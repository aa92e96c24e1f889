"""The embedded templates: preference by axis and group, occupations, control pairs.

For the correlation with labour statistics see `fairaudit.metrics.occupations`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from fairaudit.metrics.controls import CONTROL_ROLES, control_estimates
from fairaudit.metrics.occupations import (
    COLUMNS,
    correlation_estimate,
    correlation_measurement,
)
from fairaudit.metrics.preference import ROLES, differences, preference_measurements
from fairaudit.metrics.sample_estimates import Measurement, Sample, Slice, estimates
from fairaudit.metrics.tables import Part, by_role, parts
from fairaudit.metrics.wording import spread_estimate
from fairaudit.results import Estimate
from fairaudit.vocabulary.protocols import Design, is_primary


def templates_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Preference by protocol, axis and group, and the occupation correlation, value by value."""
    for protocol, scores in table.groupby("protocol", sort=True):
        for part in parts(by_role(scores, ROLES), ROLES, groups=True):
            yield from _preference(part, str(protocol))
            if _has_occupations(part):
                where = _plain(part, str(protocol))
                yield from correlation_measurement(*_by_occupation(part), where)


def templates_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates of the embedded templates, by protocol, axis and group.

    Parameters
    ----------
    table : DataFrame
        Score table of the embedded templates: pairs and their controls.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        Preference rate (0-1, ideal ½), mean log-odds (nats, ideal 0), spread, correlation with
        labour statistics (−1 to 1) and the comparisons with control pairs.
    """
    found: list[Estimate] = []
    for protocol, scores in table.groupby("protocol", sort=True):
        identity, control = by_role(scores, ROLES), by_role(scores, CONTROL_ROLES)
        for part in parts(identity, ROLES, groups=True):
            found.extend(estimates(_preference(part, str(protocol)), seed))
            if part.group is None and part.axis != "all":
                found.append(spread_estimate(part, _plain(part, str(protocol))))
            if _has_occupations(part):
                where = _plain(part, str(protocol))
                found.append(correlation_estimate(*_by_occupation(part), where))
        controls = {part.axis: part for part in parts(control, CONTROL_ROLES)}
        for part in parts(identity, ROLES):
            if part.axis in controls and part.axis != "all":
                found.extend(_controls(part, controls[part.axis], str(protocol), seed))
    return found


def _plain(part: Part, protocol: str) -> Slice:
    return Slice(protocol.partition("/")[0], protocol, part.axis, part.group)


def _preference(part: Part, protocol: str) -> Iterator[Measurement]:
    where = _plain(part, protocol)
    primary = part.axis != "all" and is_primary(Design.TEMPLATES, protocol)
    return preference_measurements(part, replace(where, primary=primary and part.group is None))


def _has_occupations(part: Part) -> bool:
    return part.axis == "gender" and part.group is None


def _controls(identity: Part, control: Part, protocol: str, seed: int) -> Iterator[Estimate]:
    where = Slice(protocol.partition("/")[0], protocol, identity.axis)
    yield from control_estimates(identity, control, where, seed=seed)


def _by_occupation(part: Part) -> tuple[pd.DataFrame, Sample]:
    """Mean log-odds (she − he) and share of women per occupation, and the sample behind them."""
    items = part.items.assign(
        she_minus_he=np.where(part.items["group"] == "female", 1.0, -1.0) * differences(part.items)
    )
    sample = Sample(
        items["she_minus_he"].to_numpy(),
        items["cluster"].astype(str).tolist(),
        n_skipped=part.n_skipped,
        unit="occupation",
    )
    return items.groupby("cluster")[COLUMNS].mean(), sample
