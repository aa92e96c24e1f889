"""The numbers of groups, pairs of groups and the whole batch in one model, with intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from fairaudit.diagnostics import per_record
from fairaudit.diagnostics.bias import BiasScore
from fairaudit.diagnostics.curvature import hutchinson
from fairaudit.diagnostics.decomposition import bias_noise
from fairaudit.diagnostics.inference import Draws, Resampled, interval
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.measure import Measured
from fairaudit.diagnostics.moments import Array, Moments, cosine, norm, ratio
from fairaudit.diagnostics.parameters import missing_reason
from fairaudit.diagnostics.per_record import PerRecord, noise_deviation
from fairaudit.diagnostics.records import MIN_TEMPLATES
from fairaudit.diagnostics.resampled_cells import Cells
from fairaudit.diagnostics.statistics import Log, Mean, SquaredNorm, Statistic
from fairaudit.results.diagnostics import ClippingParameters, Quantity
from fairaudit.results.types import Interval
from fairaudit.vocabulary.influences import influence_of
from fairaudit.vocabulary.reasons import NotRun

LEVEL: Final = 0.95
TOO_FEW_TWINS: Final = NotRun(
    f"texts of fewer than {MIN_TEMPLATES} templates have a counterfactual twin"
).reason
BELOW_RESOLUTION: Final = "below resolution: the estimate of the squared norm is not positive"

_CLIPPED: Final = (
    "norm_of_mean_clipped",
    "attenuation",
    "clipping_bias",
    "clipping_bias_relative",
    "clipping_cosine",
    "clipped_batch_cosine",
    "misalignment",
    "effective_weight",
)


@dataclass(frozen=True, slots=True)
class ModelNumbers:
    """What is known of one model, ready to be put into words of the result.

    Parameters
    ----------
    label : str
        Of the model.
    found : Measured
        Its numbers.
    records : PerRecord
        Values of single records.
    labels : Labels
        Of the records.
    parameters : ClippingParameters
        C, σ, B and η.
    bias : mapping of str to BiasScore
        Bias scores by axis; their gradients are not needed here.
    """

    label: str
    found: Measured
    records: PerRecord
    labels: Labels
    parameters: ClippingParameters
    bias: Mapping[str, tuple[float, float, int]]


def quantities(numbers: ModelNumbers, replicates: int, seed: int) -> list[Quantity]:
    """All quantities of one model."""
    return [
        *_batch(numbers),
        *_bias(numbers),
        *(
            found
            for group in range(len(numbers.labels.group_names))
            for found in _of_group(numbers, group, replicates, seed)
        ),
        *_conflicts(numbers),
    ]


def bias_summary(score: BiasScore) -> tuple[float, float, int]:
    """M, ‖∇M‖ and the number of pairs: a bias score without its gradient."""
    return score.value, score.gradient_norm, score.n_pairs


def _batch(numbers: ModelNumbers) -> Iterator[Quantity]:
    moments, n = numbers.found.moments, len(numbers.found.norms)
    plain, clipped = moments.batch_squared_norm**0.5, moments.clipped_batch_squared_norm**0.5
    yield Quantity(model=numbers.label, axis="all", name="batch_norm", value=plain, n=n)
    reason = missing_reason(numbers.parameters, "max_grad_norm")
    values = {"batch_norm_clipped": clipped, "norm_ratio": ratio(clipped, plain)}
    for name, value in values.items():
        shown = None if reason else value
        yield Quantity(model=numbers.label, axis="all", name=name, value=shown, n=n, reason=reason)


def _bias(numbers: ModelNumbers) -> Iterator[Quantity]:
    rate = numbers.parameters.learning_rate or 1.0
    deviation = noise_deviation(numbers.parameters)
    reason = missing_reason(numbers.parameters, "max_grad_norm", "noise_multiplier", "batch_size")
    for axis, (value, gradient_norm, n_pairs) in numbers.bias.items():
        noise = None if deviation is None else bias_noise(gradient_norm, rate, deviation)
        found = {"bias_score": value, "bias_gradient_norm": gradient_norm, "bias_noise": noise}
        for name, number in found.items():
            yield Quantity(
                model=numbers.label,
                axis=axis,
                name=name,
                value=number,
                n=n_pairs,
                reason=reason if number is None else None,
            )


def _of_group(numbers: ModelNumbers, group: int, replicates: int, seed: int) -> Iterator[Quantity]:
    labels = numbers.labels
    axis, name = labels.group_names[group]
    cells = Cells.of(labels, (group,))
    rng = np.random.default_rng(np.random.SeedSequence([seed, 1, group]))
    draws = Draws.of_group(cells, replicates, rng)
    common = {
        "model": numbers.label,
        "axis": axis,
        "group": name,
        "n": int(labels.counts[group]),
        "n_templates": cells.n_templates,
    }
    for quantity, found in _resampled(numbers, group, cells, draws):
        yield Quantity(**common, name=quantity, **found)
    for quantity, found in _plug_in(numbers, group):
        yield Quantity(**common, name=quantity, **found)
    for quantity, reason in numbers.records.missing.items():
        if concerns(quantity, axis, labels):
            yield Quantity(**common, name=quantity, value=None, reason=reason)


def _resampled(
    numbers: ModelNumbers, group: int, cells: Cells, draws: Draws
) -> Iterator[tuple[str, dict[str, object]]]:
    """Quantities whose interval comes from resampled templates."""
    axis, _ = numbers.labels.group_names[group]
    for name, values in numbers.records.values.items():
        if not concerns(name, axis, numbers.labels):
            continue
        statistic = mean_statistic(cells, values)
        if statistic is None:
            yield name, {"value": None, "reason": TOO_FEW_TWINS}
            continue
        scale = float(cells.counts.sum()) if influence_of(name) is not None else 1.0
        found = _scaled(interval(statistic, draws, LEVEL), scale)
        extra = {"se": _probe_error(numbers, group)} if name == per_record.TRACE else {}
        yield name, {**found, **extra}
    yield from _norm_of_mean(numbers, group, cells, draws)


def mean_statistic(cells: Cells, values: Array) -> Mean | None:
    """Mean over records for which the value is known.

    None where a group has it in fewer templates than are needed.
    """
    known = np.isfinite(values)
    counts = cells.sums(known.astype(np.float64))
    if known.all():
        return Mean(cells.sums(values), counts)
    for group in np.unique(cells.groups):
        if np.count_nonzero(counts[cells.groups == group]) < MIN_TEMPLATES:
            return None
    return Mean(cells.sums(np.where(known, values, 0.0)), counts)


def norm_statistic(cells: Cells, gram: Array) -> SquaredNorm:
    """Unbiased squared norm of the mean over the cells of a group."""
    return SquaredNorm(cells.products(gram), cells.counts)


def _norm_of_mean(
    numbers: ModelNumbers, group: int, cells: Cells, draws: Draws
) -> Iterator[tuple[str, dict[str, object]]]:
    value = norm(float(numbers.found.moments.unbiased()[group, group]))
    if value is None:
        yield "norm_of_mean", {"value": None, "reason": BELOW_RESOLUTION}
        return
    gram = numbers.found.gram
    if gram is None:
        reason = "no interval: products of pairs of records were not computed"
        yield "norm_of_mean", {"value": value, "reason": reason}
        return
    statistic: Statistic = Log(norm_statistic(cells, gram), 0.5)
    found = interval(statistic, draws, LEVEL)
    ends = None
    if found.interval is not None and found.value is not None:
        # Around the exact value, where the inner products are those of sketches.
        shift = math.log(value) - found.value
        ends = tuple(math.exp(min(end + shift, 700.0)) for end in found.interval)
    yield "norm_of_mean", {"value": value, "interval": _interval(ends), "reason": found.reason}


def _scaled(found: Resampled, scale: float) -> dict[str, object]:
    ends = None if found.interval is None else tuple(scale * end for end in found.interval)
    value = None if found.value is None else scale * found.value
    return {"value": value, "interval": _interval(ends), "reason": found.reason}


def _interval(ends: tuple[float, ...] | None) -> Interval | None:
    if ends is None:
        return None
    return Interval(
        low=ends[0], high=ends[1], level=LEVEL, method="bootstrap-t", resampling_unit="template"
    )


def _probe_error(numbers: ModelNumbers, group: int) -> float | None:
    """Return the standard error of the trace over Hutchinson probes."""
    assert not isinstance(numbers.found.curvature, str)
    inside = numbers.labels.groups == group
    return hutchinson(list(numbers.found.curvature.probes[inside].mean(axis=0)))[1]


def _plug_in(numbers: ModelNumbers, group: int) -> Iterator[tuple[str, dict[str, object]]]:
    """Quantities of the group means as they are, without an interval."""
    moments = numbers.found.moments
    squared, batch = float(moments.squared_norms[group]), moments.batch_squared_norm
    yield "naive_norm_of_mean", {"value": math.sqrt(max(squared, 0.0))}
    yield "batch_cosine", {"value": cosine(float(moments.along_batch[group]), squared, batch)}
    yield "record_share", {"value": float(moments.counts[group] / moments.n)}
    reason = missing_reason(numbers.parameters, "max_grad_norm")
    clipped = dict.fromkeys(_CLIPPED) if reason else _clipped(moments, numbers, group)
    for name, value in clipped.items():
        missing = reason or (BELOW_RESOLUTION if value is None else None)
        yield name, {"value": value, "reason": missing}
    deviation = noise_deviation(numbers.parameters)
    reason = missing_reason(numbers.parameters, "max_grad_norm", "noise_multiplier", "batch_size")
    signal = None
    if deviation is not None:
        along = float(moments.along_clipped_batch[group])
        signal = ratio(along, math.sqrt(max(squared, 0.0)) * deviation)
        reason = NotRun("the noise multiplier is 0").reason if signal is None else None
    yield "signal_to_noise", {"value": signal, "reason": reason}


def _clipped(moments: Moments, numbers: ModelNumbers, group: int) -> dict[str, float | None]:
    plain, clipped = moments.squared_norms[group], moments.clipped_squared_norms[group]
    both, batch = moments.along_clipped[group], moments.batch_squared_norm
    clipped_batch = moments.clipped_batch_squared_norm
    bias = math.sqrt(max(float(plain - 2 * both + clipped), 0.0))
    before = cosine(float(moments.along_batch[group]), float(plain), batch)
    after = cosine(float(moments.along_clipped_batch[group]), float(plain), clipped_batch)
    inside = numbers.labels.groups == group
    factors = numbers.found.factors
    return {
        "norm_of_mean_clipped": norm(float(moments.unbiased(clipped=True)[group, group])),
        "attenuation": ratio(math.sqrt(clipped), math.sqrt(plain)),
        "clipping_bias": bias,
        "clipping_bias_relative": ratio(bias, math.sqrt(plain)),
        "clipping_cosine": cosine(float(both), float(plain), float(clipped)),
        "clipped_batch_cosine": after,
        "misalignment": None if before is None or after is None else before - after,
        "effective_weight": float(factors[inside].sum() / factors.sum()),
    }


def _conflicts(numbers: ModelNumbers) -> Iterator[Quantity]:
    """Cosines of all pairs of groups, from pairs of records of different templates."""
    reason = missing_reason(numbers.parameters, "max_grad_norm")
    names, counts = numbers.labels.group_names, numbers.labels.counts
    for name, clipped in (("conflict", False), ("conflict_clipped", True)):
        products = numbers.found.moments.unbiased(clipped=clipped)
        for a in range(len(names)):
            for b in range(a + 1, len(names)):
                value = cosine(float(products[a, b]), float(products[a, a]), float(products[b, b]))
                missing = reason if clipped else None
                yield Quantity(
                    model=numbers.label,
                    axis=names[a][0],
                    group=names[a][1],
                    other=_other(names[a], names[b]),
                    name=name,
                    value=None if missing else value,
                    n=int(counts[a] + counts[b]),
                    reason=missing or (BELOW_RESOLUTION if value is None else None),
                )


def _other(first: tuple[str, str], second: tuple[str, str]) -> str:
    """Name of the second group; with its axis where that is another."""
    return second[1] if first[0] == second[0] else f"{second[0]}/{second[1]}"


def concerns(name: str, axis: str, labels: Labels) -> bool:
    """Whether a quantity is shown for groups of an axis: influence on another axis' bias is not.

    Groups of a user's column stand on no axis of bias; they are shown with all of them.
    """
    influence = influence_of(name)
    if influence is None:
        return True
    return influence.axis == axis or axis not in ("gender", "race", "religion")
