"""Privacy losses of one step, and ε of many by the composition of their distributions.

A loss is discretised on a mesh, composed by FFT, and ε is read off with the errors of both added,
so it is an upper bound (Gopi, Lee and Wutschitz 2021, arXiv:2106.02848). The composition is
Opacus's; losses of records that are
drawn in parts and the mean of a truncated loss are computed here.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from opacus.accountants.analysis.prv import (
    Domain,
    PoissonSubsampledGaussianPRV,
    TruncatedPrivacyRandomVariable,
    compose_heterogeneous,
    discretize,
)
from opacus.accountants.analysis.rdp import compute_rdp, get_privacy_spent
from scipy.special import ndtr, xlog1py, xlogy

Array = NDArray[np.float64]

#: Error of ε that the composition may make; it is added, so the result stays an upper bound.
EPSILON_ERROR: Final = 0.01
#: Points of the mesh that are worth their memory and time; more are needed only where ε is far
#: beyond use, or steps are many millions.
_MAX_POINTS: Final = 2**22
#: Rényi orders by which the mesh's length is found; whole ones are quick, and any are safe.
_ORDERS: Final = (*range(2, 32), *range(32, 64, 4), *range(64, 512, 32))
#: Masses of tails below are lost to rounding.
MIN_DELTA: Final = 1e-12
#: Losses whose exponential is still a finite number.
_MAX_LOSS: Final = 700.0
#: Parts of a record that are followed one by one; with more, any draw counts as all.
MAX_DRAWS: Final = 32
#: Most steps of Newton's method; it takes about six.
_NEWTON: Final = 40
#: Gauss-Legendre panels: evenly spread, and by distance from where a loss changes fast.
_EVEN, _BY_DISTANCE, _NODES = 256, 128, 16


class CompositionError(ArithmeticError):
    """The sum of losses is out of the range of memory or floating point."""


class RecordLoss(PoissonSubsampledGaussianPRV):  # type: ignore[misc]
    """Privacy loss of (1 − q)·N(0, σ²) + q·N(1, σ²) against N(0, σ²)."""

    @property
    def least(self) -> float:
        """Smallest loss."""
        return math.log1p(-self.sample_rate) if self.sample_rate < 1 else -math.inf


class DrawsLoss(PoissonSubsampledGaussianPRV):  # type: ignore[misc]
    """Privacy loss of Σ_k w_k N(k, σ²) against N(0, σ²), with k binomial of some draws at rate q.

    That is what a record (or group of equal records) adds whose parts are drawn and clipped apart:
    two for a record and its separate twin, k for k copies. The loss
    t(x) = log Σ w_k exp(kx/σ² − k²/2σ²) grows with x and is convex, so Newton's steps from the
    right reach each place of it.
    """

    def __init__(self, sample_rate: float, noise_multiplier: float, draws: int) -> None:
        # What the safe domain is sized by: at least as lossy, since any draw counts as all.
        super().__init__(1 - (1 - sample_rate) ** draws, noise_multiplier / draws)
        self._sigma = noise_multiplier
        self._counts = np.arange(draws + 1)
        ways = np.log([float(math.comb(draws, count)) for count in self._counts])
        present, absent = self._counts, draws - self._counts
        self._log_weights = ways + xlogy(present, sample_rate) + xlog1py(absent, -sample_rate)

    @property
    def least(self) -> float:
        """Smallest loss."""
        return float(self._log_weights[0])

    def cdf(self, t: Any) -> Array:
        """P(loss ≤ t) when the record is there."""
        losses = np.asarray(t, dtype=np.float64)
        reached = losses > self.least
        x = self._place(np.where(reached, losses, 1.0))
        mass = np.zeros_like(x)
        for weight, count in zip(np.exp(self._log_weights), self._counts, strict=True):
            mass += weight * ndtr((x - count) / self._sigma)
        return np.where(reached, mass, 0.0)

    def _place(self, losses: Array) -> Array:
        """Return the x at which the loss has given values, all above the smallest."""
        variance = self._sigma**2
        offsets = self._log_weights - self._counts**2 / (2 * variance)
        used = np.isfinite(offsets[1:]).nonzero()[0] + 1
        # No term may exceed what the first leaves of the sum, so each bounds x from above.
        with np.errstate(divide="ignore"):
            left = losses + np.log(-np.expm1(offsets[0] - losses))
        x = np.full_like(losses, np.inf)
        for count in used:
            x = np.minimum(x, (left - offsets[count]) * variance / count)
        for _ in range(_NEWTON):
            sums, slopes = np.full_like(x, np.exp(offsets[0] - losses)), np.zeros_like(x)
            for count in used:
                term = np.exp(offsets[count] + count * x / variance - losses)
                sums += term
                slopes += count * term
            step = np.log(sums) * sums * variance / slopes
            x = x - step
            if not np.abs(step).max(initial=0.0) > 1e-7 * variance:  # squared by the next
                break
        return x


Loss = RecordLoss | DrawsLoss


def record_loss(sample_rate: float, noise_multiplier: float, draws: int = 1) -> Loss:
    """Loss of a record that is drawn in some parts, or of an upper bound where they are many."""
    if draws == 1:
        return RecordLoss(sample_rate, noise_multiplier)
    if draws <= MAX_DRAWS:
        return DrawsLoss(sample_rate, noise_multiplier, draws)
    # Any draw counts as all: a mixture with larger shifts dominates (Choquette-Choo et al. 2023).
    return RecordLoss(1 - (1 - sample_rate) ** draws, noise_multiplier / draws)


class TruncatedLoss(TruncatedPrivacyRandomVariable):  # type: ignore[misc]
    """A loss cut to an interval."""

    def mean(self) -> float:
        """Mean of the loss: t_max − ∫ F(t) dt, panel by panel.

        F has a corner at the smallest loss and rises near 0, within a width that may be any; so
        panels get shorter towards both.
        """
        edges = self._panel_edges()
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        half = np.diff(edges)[:, None] / 2
        places = edges[:-1, None] + half * (1 + nodes)
        area = float((self.cdf(places) * weights * half).sum())
        return float(self.t_max) - area

    def _panel_edges(self) -> Array:
        reach = self.t_max - self.t_min
        distances = np.geomspace(1e-12, reach, _BY_DISTANCE)
        centres = [0.0] if math.isinf(self._prv.least) else [0.0, self._prv.least]
        edges = [np.linspace(self.t_min, self.t_max, _EVEN + 1), np.array(centres)]
        for centre in centres:
            edges += [centre - distances, centre + distances]
        joined = np.unique(np.concatenate(edges))
        inside = joined[(joined > self.t_min) & (joined < self.t_max)]
        return np.concatenate([[self.t_min], inside, [self.t_max]])


#: Losses of steps, each with how many there are of them.
Parts = Sequence[tuple[Loss, int]]


def composed_epsilon(parts: Parts, delta: float) -> float:
    """Upper bound on ε of all steps together at δ.

    The error of the composition is `EPSILON_ERROR`, or a hundredth of a smaller ε as far as the
    mesh allows.

    Raises
    ------
    CompositionError
        If the sum of losses is out of range.
    """
    if delta < MIN_DELTA:
        raise CompositionError(f"delta {delta:.3g}")
    reach, steps = _reach(parts, delta / 1000), sum(times for _, times in parts)
    if not reach < _MAX_LOSS:
        raise CompositionError(f"losses up to {reach:.3g}")
    rough = _composed(parts, delta, reach, EPSILON_ERROR)
    finest = EPSILON_ERROR * _points(steps, delta, reach, EPSILON_ERROR) / (_MAX_POINTS / 4)
    error = max(finest, (rough - EPSILON_ERROR) / 100)
    if error > EPSILON_ERROR / 2:
        return rough
    return min(rough, _composed(parts, delta, reach, error))


def composed_points(parts: Parts, deltas: Sequence[float]) -> list[tuple[float, float]]:
    """Pairs (ε, δ) that all steps together have, from one composition.

    Raises
    ------
    CompositionError
        If the sum of losses is out of range.
    """
    least = min(deltas)
    if least < MIN_DELTA:
        raise CompositionError(f"delta {least:.3g}")
    reach = _reach(parts, least / 1000)
    if not reach < _MAX_LOSS:
        raise CompositionError(f"losses up to {reach:.3g}")
    composed = _composition(parts, least, reach, EPSILON_ERROR)
    found = []
    for delta in deltas:
        # No loss reaches so far: ε is 0 there.
        with contextlib.suppress(RuntimeError):
            _, _, upper = composed.compute_epsilon(delta, least / 1000, EPSILON_ERROR)
            found.append((max(0.0, float(upper)), delta))
    return found


def _composed(parts: Parts, delta: float, reach: float, error: float) -> float:
    composed = _composition(parts, delta, reach, error)
    try:
        _, _, upper = composed.compute_epsilon(delta, delta / 1000, error)
    except (ValueError, RuntimeError) as problem:
        raise CompositionError(str(problem)) from problem
    return max(0.0, float(upper))


def _composition(parts: Parts, delta: float, reach: float, error: float) -> Any:
    """Distribution of the loss of all steps together."""
    steps = sum(times for _, times in parts)
    if not _points(steps, delta, reach, error) < _MAX_POINTS:
        raise CompositionError(f"losses up to {reach:.3g} in {steps} steps")
    domain = Domain.create_aligned(-reach, reach, _mesh(steps, delta, error))
    try:
        return compose_heterogeneous(
            dprvs=[
                discretize(TruncatedLoss(loss, domain.t_min, domain.t_max), domain)
                for loss, _ in parts
            ],
            num_self_compositions=[times for _, times in parts],
        )
    except (ValueError, RuntimeError) as problem:
        raise CompositionError(str(problem)) from problem


def _mesh(steps: int, delta: float, error: float) -> float:
    """Distance of losses on the mesh, for an error of ε that is added."""
    return error / math.sqrt(steps * math.log(12_000 / delta) / 2)


def _points(steps: int, delta: float, reach: float, error: float) -> float:
    return 2 * reach / _mesh(steps, delta, error)


def _reach(parts: Parts, delta_error: float) -> float:
    """Loss beyond which any step and all steps have next to no mass (ibid., remark 5.6)."""
    steps = sum(times for _, times in parts)
    each = [
        compute_rdp(
            q=loss.sample_rate, noise_multiplier=loss.noise_multiplier, steps=1, orders=_ORDERS
        )
        for loss, _ in parts
    ]
    total = sum(times * rdp for rdp, (_, times) in zip(each, parts, strict=True))
    all_steps, _ = get_privacy_spent(orders=_ORDERS, rdp=total, delta=delta_error / 4)
    one_step = max(
        get_privacy_spent(orders=_ORDERS, rdp=rdp, delta=delta_error / (8 * steps))[0]
        for rdp in each
    )
    return float(max(all_steps, one_step, EPSILON_ERROR)) + 3
