"""Everything that is known of single records of one model, by name: what group values average."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fairaudit.diagnostics.decomposition import Projections, bias_push, excess_risk, noise_risk
from fairaudit.diagnostics.measure import Measured
from fairaudit.diagnostics.moments import Array
from fairaudit.diagnostics.parameters import missing_reason
from fairaudit.diagnostics.swap import SwapParts
from fairaudit.results.diagnostics import ClippingParameters
from fairaudit.vocabulary.influences import Influence
from fairaudit.vocabulary.reasons import NotRun

#: Quantities that are means over records, in the order in which they are printed.
LOSS, MEAN_NORM, CLIP_RATE = "loss", "mean_norm", "clip_rate"
MEAN_CLIP_FACTOR, TURNED_AWAY = "mean_clip_factor", "turned_away"
TRACE, SWAP_ODD_SHARE, CLIP_FACTOR_GAP = "curvature_trace", "swap_odd_share", "clip_factor_gap"
RISKS = ("risk_clipping", "risk_direction", "risk_magnitude", "risk_noise")


@dataclass(frozen=True, slots=True)
class PerRecord:
    """Values per record by quantity, and why others are missing.

    Parameters
    ----------
    values : mapping of str to array of shape [n]
        NaN for a record that the quantity does not concern.
    missing : mapping of str to str
        Reason by quantity.
    """

    values: Mapping[str, Array]
    missing: Mapping[str, str]


def per_record(
    found: Measured, parameters: ClippingParameters, swap: SwapParts | None
) -> PerRecord:
    """Gather the values of single records.

    Parameters
    ----------
    found : Measured
        The model's numbers.
    parameters : ClippingParameters
        C, σ, B and η.
    swap : SwapParts or None
        Comparison with twins, where there are any.
    """
    values: dict[str, Array] = {LOSS: found.losses, MEAN_NORM: found.norms}
    missing: dict[str, str] = {}
    no_clipping = missing_reason(parameters, "max_grad_norm")
    if no_clipping is None:
        assert parameters.max_grad_norm is not None
        values[CLIP_RATE] = (found.norms > parameters.max_grad_norm).astype(np.float64)
        values[MEAN_CLIP_FACTOR] = found.factors
        values[TURNED_AWAY] = _turned_away(found)
    else:
        missing |= dict.fromkeys((CLIP_RATE, MEAN_CLIP_FACTOR, TURNED_AWAY), no_clipping)
    _add_bias(values, missing, found, parameters, no_clipping)
    if isinstance(found.curvature, str):
        missing |= dict.fromkeys((TRACE, *RISKS), found.curvature)
    else:
        values[TRACE] = found.curvature.probes.mean(axis=1)
        _add_risks(values, missing, found, parameters)
    if swap is not None and bool(np.isfinite(swap.share).any()):
        values[SWAP_ODD_SHARE] = swap.share
        if no_clipping is None:
            values[CLIP_FACTOR_GAP] = swap.clip_gap
        else:
            missing[CLIP_FACTOR_GAP] = no_clipping
    else:
        reason = NotRun("no text has a counterfactual twin").reason
        missing |= dict.fromkeys((SWAP_ODD_SHARE, CLIP_FACTOR_GAP), reason)
    return PerRecord(values, missing)


def _turned_away(found: Measured) -> Array:
    """⟨g_i, g_B⟩/‖g_B‖ − ⟨g_i, ḡ_B⟩/‖ḡ_B‖: what of a gradient the turned update leaves behind.

    The mean over a group is ‖g_a‖ (cos(g_a, g_B) − cos(g_a, ḡ_B)), the first-order part of R_dir
    over η‖ḡ_B‖. Unlike the cosines it is linear in g_a, so that it does not depend on how many
    records a group has.
    """
    plain = _reciprocal(found.moments.batch_squared_norm**0.5)
    clipped = _reciprocal(found.moments.clipped_batch_squared_norm**0.5)
    return np.asarray(found.along_batch * plain - found.along_clipped * clipped)


def _reciprocal(value: float) -> float:
    return 1 / value if value > 0 else 0.0


def bias_name(axis: str, *, clipped: bool) -> str:
    """Name of the bias influence on one axis."""
    return Influence(axis, clipped).name


def _add_bias(
    values: dict[str, Array],
    missing: dict[str, str],
    found: Measured,
    parameters: ClippingParameters,
    no_clipping: str | None,
) -> None:
    n, rate = len(found.norms), parameters.learning_rate or 1.0
    for axis, products in found.bias_products.items():
        values[bias_name(axis, clipped=False)] = bias_push(products, rate, n)
        if no_clipping is None:
            pushed = bias_push(found.factors * products, rate, n)
            values[bias_name(axis, clipped=True)] = pushed
        else:
            missing[bias_name(axis, clipped=True)] = no_clipping


def _add_risks(
    values: dict[str, Array],
    missing: dict[str, str],
    found: Measured,
    parameters: ClippingParameters,
) -> None:
    reason = missing_reason(parameters, "max_grad_norm", "learning_rate")
    if reason is not None:
        missing |= dict.fromkeys(RISKS, reason)
        return
    assert parameters.learning_rate is not None
    risk = excess_risk(projections(found), parameters.learning_rate)
    values |= dict(zip(RISKS, (risk.clipping, risk.direction, risk.magnitude), strict=False))
    deviation = noise_deviation(parameters)
    if deviation is None:
        reason = missing_reason(parameters, "noise_multiplier", "batch_size")
        missing[RISKS[3]] = reason or ""
    else:
        values[RISKS[3]] = noise_risk(values[TRACE], parameters.learning_rate, deviation)


def projections(found: Measured) -> Projections:
    """How the records stand to the plain and the clipped update."""
    assert not isinstance(found.curvature, str)
    plain, clipped = (
        found.moments.batch_squared_norm,
        found.moments.clipped_batch_squared_norm,
    )
    return Projections(
        along_batch=found.along_batch,
        along_clipped=found.along_clipped,
        curvature_batch=found.curvature.batch,
        curvature_clipped=found.curvature.clipped,
        norm_ratio=(clipped / plain) ** 0.5 if plain > 0 else 1.0,
    )


def noise_deviation(parameters: ClippingParameters) -> float | None:
    """σC/B, or None where one of them is not known."""
    if missing_reason(parameters, "max_grad_norm", "noise_multiplier", "batch_size") is not None:
        return None
    sigma, clip, size = (
        parameters.noise_multiplier,
        parameters.max_grad_norm,
        parameters.batch_size,
    )
    assert sigma is not None
    assert clip is not None
    assert size is not None
    return sigma * clip / size
