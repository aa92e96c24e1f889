"""Differences between groups: in one model, against the first of several, and over a series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, Literal

import numpy as np

from fairaudit.diagnostics import per_record
from fairaudit.diagnostics.inference import Draws, Resampled, interval, permutation_p
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.quantities import (
    LEVEL,
    ModelNumbers,
    concerns,
    mean_statistic,
    norm_statistic,
)
from fairaudit.diagnostics.resampled_cells import Cells
from fairaudit.diagnostics.statistics import Combination, Log, Statistic
from fairaudit.results.diagnostics import GroupDifference
from fairaudit.results.types import Interval
from fairaudit.stats.multiplicity import adjust

#: Fewer clipped (or unclipped) records than this in both groups together allow no test.
MIN_EVENTS: Final = 10
PRIMARY_FAMILY: Final = "primary: convergence of groups"
EXPLORATORY_FAMILY: Final = "exploratory: all other differences"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups of one axis, with resampled weights that all models and statistics share."""

    axis: str
    names: tuple[str, str]
    groups: tuple[int, int]
    cells: Cells
    draws: Draws
    #: Exchanges of single records, where the groups' cells differ in size.
    records: Draws | None


def pairs(labels: Labels, replicates: int, seed: int) -> list[Pair]:
    """All pairs of groups of one axis, in order."""
    found = []
    for axis in labels.axes:
        own = [place for place, (name, _) in enumerate(labels.group_names) if name == axis]
        for a, b in combinations(own, 2):
            cells = Cells.of(labels, (a, b))
            rng = np.random.default_rng(np.random.SeedSequence([seed, 2, a, b]))
            draws = Draws.of_pair(cells, a, replicates, rng)
            names = (labels.group_names[a][1], labels.group_names[b][1])
            single = None if cells.balanced else Draws.of_records(labels, (a, b), replicates, rng)
            found.append(Pair(axis, names, (a, b), cells, draws, single))
    return found


def differences(
    models: Sequence[ModelNumbers], steps: Sequence[int] | None, replicates: int, seed: int
) -> list[GroupDifference]:
    """All differences, with p-values adjusted in two families.

    Parameters
    ----------
    models : sequence of ModelNumbers
        In order; the first is what the others are normalised by.
    steps : sequence of int or None
        Training step of each model; None: the models are no series.
    replicates, seed : int
        Of the resampling.
    """
    found: list[GroupDifference] = []
    for pair in pairs(models[0].labels, replicates, seed):
        for numbers in models:
            found += _of_model(numbers, pair, primary=steps is None)
        if len(models) > 1 and all(numbers.found.gram is not None for numbers in models):
            found += _over_models(models, pair, steps)
    return _adjusted(found)


def _of_model(numbers: ModelNumbers, pair: Pair, *, primary: bool) -> Iterator[GroupDifference]:
    gram = numbers.found.gram
    if gram is not None:
        squared = norm_statistic(pair.cells, gram)
        yield _difference(
            numbers.label,
            pair,
            "norm_of_mean",
            interval(Log(squared, 0.5), pair.draws, LEVEL),
            permutation_p(squared, pair.draws),
            scale="log_ratio",
            primary=primary,
        )
    for name, values in numbers.records.values.items():
        if concerns(name, pair.axis, numbers.labels):
            yield from _of_means(numbers, pair, name, values)


def _of_means(
    numbers: ModelNumbers, pair: Pair, name: str, values: np.ndarray
) -> Iterator[GroupDifference]:
    statistic = mean_statistic(pair.cells, values)
    if statistic is None:
        return
    known = np.isfinite(values) & np.isin(numbers.labels.groups, pair.groups)
    log = name == per_record.MEAN_NORM
    shown: Statistic = Log(statistic) if log else statistic
    found = interval(shown, pair.draws, LEVEL)
    p_value = mean_p(values, statistic, pair.draws, pair.records)
    reason = _too_few_events(values[known]) if name == per_record.CLIP_RATE else None
    if reason is not None:
        found, p_value = Resampled(found.value, reason=reason), None
    yield _difference(
        numbers.label,
        pair,
        name,
        found,
        p_value,
        scale="log_ratio" if log else "difference",
        primary=False,
    )


def mean_p(
    values: np.ndarray, statistic: Statistic, draws: Draws, records: Draws | None
) -> float | None:
    """p-value of a difference of means: the larger one, where records are exchanged as well."""
    p_value = permutation_p(statistic, draws)
    if records is None or p_value is None:
        return p_value
    single = mean_statistic(records.cells, values)
    other = None if single is None else permutation_p(single, records)
    return p_value if other is None else max(p_value, other)


def _too_few_events(clipped: np.ndarray) -> str | None:
    events = int(min(clipped.sum(), (1 - clipped).sum()))
    if events >= MIN_EVENTS:
        return None
    rarer = "clipped" if clipped.mean() < 0.5 else "not clipped"
    return f"{events} of {len(clipped)} records are {rarer}: too few for an interval or a test"


def _over_models(
    models: Sequence[ModelNumbers], pair: Pair, steps: Sequence[int] | None
) -> Iterator[GroupDifference]:
    """Log-ratio of the two norms, normalised by the first model; slope and area over a series."""
    logs: list[Statistic] = []
    for numbers in models:
        assert numbers.found.gram is not None
        logs.append(Log(norm_statistic(pair.cells, numbers.found.gram), 0.5))
    for place, numbers in enumerate(models[1:], 1):
        yield _contrast(pair, logs, _against_first(place, len(models)), numbers.label)
    if steps is not None and len(models) > 2:
        for name, weights in (
            ("slope_difference", slope_weights(steps)),
            ("area_between_curves", area_weights(steps)),
        ):
            yield _contrast(pair, logs, weights, None, name)


def _contrast(
    pair: Pair,
    logs: Sequence[Statistic],
    weights: Sequence[float],
    model: str | None,
    name: str = "convergence_disparity",
) -> GroupDifference:
    statistic = Combination(logs, weights)
    found = interval(statistic, pair.draws, LEVEL)
    p_value = None if found.value is None else permutation_p(statistic, pair.draws)
    return _difference(model, pair, name, found, p_value, scale="log_ratio", primary=model is None)


def _against_first(place: int, n: int) -> list[float]:
    weights = [0.0] * n
    weights[place], weights[0] = 1.0, -1.0
    return weights


def slope_weights(steps: Sequence[int]) -> list[float]:
    """Weights of the least-squares slope over steps that run from 0 to 1."""
    x = _unit_steps(steps)
    centred = x - x.mean()
    return [float(value) for value in centred / (centred**2).sum()]


def area_weights(steps: Sequence[int]) -> list[float]:
    """Weights of the area (trapezoids) between a curve and its first value, steps from 0 to 1."""
    x = _unit_steps(steps)
    weights = np.zeros(len(x))
    weights[:-1] += np.diff(x) / 2
    weights[1:] += np.diff(x) / 2
    weights[0] -= 1.0
    return [float(value) for value in weights]


def _unit_steps(steps: Sequence[int]) -> np.ndarray:
    x = np.asarray(steps, dtype=np.float64)
    return np.asarray((x - x[0]) / (x[-1] - x[0]))


def _difference(
    model: str | None,
    pair: Pair,
    name: str,
    found: Resampled,
    p_value: float | None,
    *,
    scale: Literal["log_ratio", "difference"],
    primary: bool,
) -> GroupDifference:
    ends = found.interval
    return GroupDifference(
        model=model,
        axis=pair.axis,
        group=pair.names[0],
        other=pair.names[1],
        name=name,
        scale=scale,
        difference=found.value,
        interval=None
        if ends is None
        else Interval(
            low=ends[0],
            high=ends[1],
            level=LEVEL,
            method="bootstrap-t",
            resampling_unit="template",
        ),
        p_value=p_value,
        primary=primary,
        n_templates=pair.cells.n_templates,
        reason=found.reason,
    )


def _adjusted(found: list[GroupDifference]) -> list[GroupDifference]:
    """Holm over the primary differences, Benjamini and Hochberg over the others."""
    result = list(found)
    for primary, method, family in (
        (True, "holm", PRIMARY_FAMILY),
        (False, "bh", EXPLORATORY_FAMILY),
    ):
        places = [place for place, entry in enumerate(found) if entry.primary is primary]
        size = sum(found[place].p_value is not None for place in places)
        adjusted = adjust([found[place].p_value for place in places], method)  # type: ignore[arg-type]
        for place, value in zip(places, adjusted, strict=True):
            change = {
                "p_adjusted": value,
                "correction": method,
                "family": family,
                "family_size": size,
            }
            result[place] = found[place].model_copy(update=change)
    return result
