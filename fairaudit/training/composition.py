"""Privacy losses of one step, and ε of many by the composition of their distributions.

A loss is discretised on a mesh, composed by FFT, and ε is read off with the errors of both added,
so it is an upper bound (Gopi, Lee and Wutschitz 2021, arXiv:2106.02848). The composition is
Opacus's; losses of separate twins and the mean of a truncated loss are computed here.
"""

from __future__ import annotations

import math
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
from scipy.special import ndtr

Array = NDArray[np.float64]

#: Error of ε that the composition may make; it is added, so the result stays an upper bound.
EPSILON_ERROR: Final = 0.01
#: Points of the mesh that are worth their memory and time; more are needed only where ε is far
#: beyond use, or steps are many millions.
_MAX_POINTS: Final = 2**22
#: Rényi orders by which the mesh's length is found; whole ones are quick, and any are safe.
_ORDERS: Final = (*range(2, 32), *range(32, 64, 4), *range(64, 512, 32))
#: Masses of tails below are lost to rounding.
_MIN_DELTA: Final = 1e-12
#: Losses whose exponential is still a finite number.
_MAX_LOSS: Final = 700.0
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


class SeparateTwinsLoss(PoissonSubsampledGaussianPRV):  # type: ignore[misc]
    """Privacy loss of Σ_k w_k N(k, σ²) against N(0, σ²) for k = 0, 1, 2.

    With y = exp(x/σ²) the loss e^t = Σ w_k y^k exp(−k²/2σ²) is a quadratic in y that grows with x,
    so its distribution function needs one root.
    """

    def __init__(self, sample_rate: float, noise_multiplier: float) -> None:
        # What the safe domain is sized by: at least as lossy, since any draw counts as both.
        super().__init__(1 - (1 - sample_rate) ** 2, noise_multiplier / 2)
        q, self._sigma = sample_rate, noise_multiplier
        self._weights = ((1 - q) ** 2, 2 * q * (1 - q), q**2)

    @property
    def least(self) -> float:
        """Smallest loss."""
        return math.log(self._weights[0]) if self._weights[0] > 0 else -math.inf

    def cdf(self, t: Any) -> Array:
        """P(loss ≤ t) when the record is there."""
        none, one, two = self._weights
        linear = one * math.exp(-1 / (2 * self._sigma**2))
        square = two * math.exp(-2 / self._sigma**2)
        rest = np.exp(np.asarray(t, dtype=np.float64)) - none
        reached = rest > 0
        rest = np.where(reached, rest, 1.0)
        # The root without cancellation, for rest near 0 and for q = 1 (no linear term) alike.
        y = 2 * rest / (linear + np.sqrt(linear**2 + 4 * square * rest))
        x = self._sigma**2 * np.log(y)
        mass = sum(weight * ndtr((x - k) / self._sigma) for k, weight in enumerate(self._weights))
        return np.where(reached, mass, 0.0)


Loss = RecordLoss | SeparateTwinsLoss


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


def composed_epsilon(loss: Loss, steps: int, delta: float) -> float:
    """Upper bound on ε of some steps at δ.

    Raises
    ------
    CompositionError
        If the sum of losses is out of range.
    """
    delta_error = delta / 1000
    reach = _reach(loss, steps, delta_error)
    if delta < _MIN_DELTA:
        raise CompositionError(f"delta {delta:.3g}")
    mesh = EPSILON_ERROR / math.sqrt(steps * math.log(12 / delta_error) / 2)
    if not (reach < _MAX_LOSS and 2 * reach / mesh < _MAX_POINTS):
        raise CompositionError(f"losses up to {reach:.3g} on a mesh of {mesh:.3g}")
    domain = Domain.create_aligned(-reach, reach, mesh)
    try:
        one_step = discretize(TruncatedLoss(loss, domain.t_min, domain.t_max), domain)
        composed = compose_heterogeneous(dprvs=[one_step], num_self_compositions=[steps])
        _, _, upper = composed.compute_epsilon(delta, delta_error, EPSILON_ERROR)
    except (ValueError, RuntimeError) as error:
        raise CompositionError(str(error)) from error
    return max(0.0, float(upper))


def _reach(loss: Loss, steps: int, delta_error: float) -> float:
    """Loss beyond which one step and all steps have next to no mass (ibid., remark 5.6)."""
    rdp = compute_rdp(
        q=loss.sample_rate, noise_multiplier=loss.noise_multiplier, steps=1, orders=_ORDERS
    )
    all_steps, _ = get_privacy_spent(orders=_ORDERS, rdp=steps * rdp, delta=delta_error / 4)
    one_step, _ = get_privacy_spent(orders=_ORDERS, rdp=rdp, delta=delta_error / (8 * steps))
    return float(max(all_steps, one_step, EPSILON_ERROR)) + 3
