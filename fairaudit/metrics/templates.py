"""The embedded templates: preference by axis and group, occupations, control pairs.

``occupation_correlation``
    Pearson correlation, over occupations, of the mean log-odds (she − he) with the share of women
    among those who do the work. Range −1 to 1, ideal 0: the model's pronouns carry no labour
    statistics. Fisher z interval over occupations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from fairaudit.metrics.building import (
    LEVEL,
    Measurement,
    Sample,
    Slice,
    estimates,
    from_inference,
    without_interval,
)
from fairaudit.metrics.controls import CONTROL_ROLES, control_estimates
from fairaudit.metrics.linearised import correlation_values
from fairaudit.metrics.preference import ROLES, differences, preference_measurements
from fairaudit.metrics.tables import Part, by_role, parts
from fairaudit.results import Estimate
from fairaudit.stats.correlation import pearson
from fairaudit.stats.one_estimate import Inference
from fairaudit.vocabulary.metrics import OCCUPATION_CORRELATION
from fairaudit.vocabulary.protocols import Design, is_primary

_MIN_OCCUPATIONS: Final = 10


def templates_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Preference by protocol, axis and group, and the occupation correlation, value by value."""
    for protocol, scores in table.groupby("protocol", sort=True):
        for part in parts(by_role(scores, ROLES), ROLES, groups=True):
            yield from _preference(part, str(protocol))
            if _has_occupations(part):
                yield from _linearised_correlation(part, _plain(part, str(protocol)))


def templates_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates of the embedded templates, by protocol, axis and group."""
    found: list[Estimate] = []
    for protocol, scores in table.groupby("protocol", sort=True):
        identity, control = by_role(scores, ROLES), by_role(scores, CONTROL_ROLES)
        for part in parts(identity, ROLES, groups=True):
            found.extend(estimates(_preference(part, str(protocol)), seed))
            if _has_occupations(part):
                found.append(_occupation_correlation(part, _plain(part, str(protocol))))
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
    return items.groupby("cluster")[["she_minus_he", "share_female"]].mean(), sample


def _without_correlation(by_occupation: pd.DataFrame) -> str | None:
    if len(by_occupation) < _MIN_OCCUPATIONS or (by_occupation.std() == 0).any():
        return f"{len(by_occupation)} occupations: too few, or all alike, for a correlation"
    return None


def _linearised_correlation(part: Part, where: Slice) -> Iterator[Measurement]:
    by_occupation, sample = _by_occupation(part)
    if _without_correlation(by_occupation) is None:
        odds, share = (by_occupation[name].to_numpy(dtype=float) for name in by_occupation)
        occupations = by_occupation.index.astype(str).tolist()
        values = correlation_values(odds, share)
        pairable = replace(sample, values=values, clusters=occupations, keys=occupations)
        yield Measurement(OCCUPATION_CORRELATION, where, pairable)


def _occupation_correlation(part: Part, where: Slice) -> Estimate:
    by_occupation, sample = _by_occupation(part)
    reason = _without_correlation(by_occupation)
    if reason is not None:
        return without_interval(OCCUPATION_CORRELATION, where, sample, value=None, reason=reason)
    odds, share = (by_occupation[name].tolist() for name in ("she_minus_he", "share_female"))
    test = pearson(odds, share, LEVEL)
    inference = Inference(
        value=test.value,
        low=test.low,
        high=test.high,
        method="fisher-z",
        resampling_unit="occupation",
        n=len(sample.clusters),
        n_clusters=len(by_occupation),
        p_value=test.p_value,
    )
    return from_inference(OCCUPATION_CORRELATION, where, sample, inference)
