"""From noise to ε and back, for records and for pairs of twins.

DP-SGD draws each record with probability q, clips its gradient to norm C and adds noise of standard
deviation σC to the sum. One step is then a Poisson-subsampled Gaussian mechanism; T steps compose
(Abadi et al. 2016). Two cases:

- *one row per record*, and twins that are averaged before clipping: a record changes the sum by at
  most C, so the usual bound holds;
- *twins drawn separately*: a record changes the sum by 0, C or 2C, with probabilities (1 − q)²,
  2q(1 − q) and q². That mixture is bounded as it is, which is much tighter than group privacy.

ε is an upper bound from the numerical composition of privacy random variables (Gopi, Lee and
Wutschitz 2021), computed with Opacus, for neighbouring data sets that differ by adding or removing
one record.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from opacus.accountants import RDPAccountant
from opacus.accountants.analysis.prv import (
    Domain,
    PoissonSubsampledGaussianPRV,
    TruncatedPrivacyRandomVariable,
    compose_heterogeneous,
    compute_safe_domain_size,
    discretize,
)
from scipy.optimize import brentq
from scipy.special import ndtr

from fairaudit.errors import UsageError

Accountant = Literal["prv", "rdp"]
Array = NDArray[np.float64]

#: Error of ε that the composition may make; it is added, so the result stays an upper bound.
EPSILON_ERROR: Final = 0.01
_MAX_NOISE: Final = 1e4


def epsilon(
    noise_multiplier: float,
    sample_rate: float,
    steps: int,
    delta: float,
    *,
    separate_twins: bool = False,
    accountant: Accountant = "prv",
) -> float:
    """Upper bound on ε of T steps at a given δ, per record.

    Parameters
    ----------
    noise_multiplier : float
        σ, noise in units of the clipping norm; 0 gives infinity.
    sample_rate : float
        q, the probability with which each record (or each twin) enters a step; 0 < q ≤ 1.
    steps : int
        T, at least 1.
    delta : float
        δ, between 0 and 1.
    separate_twins : bool
        Whether a record and its counterfactual twin are drawn and clipped independently.
    accountant : {"prv", "rdp"}
        ``rdp`` (Mironov 2017) is looser and always converges; not for separate twins.

    Returns
    -------
    float
        ε ≥ 0, in nats; at most `EPSILON_ERROR` above the least that can be shown.

    Raises
    ------
    UsageError
        If a parameter is out of range, or the accountant does not know the mechanism.
    """
    _check(noise_multiplier, sample_rate, steps, delta)
    if noise_multiplier == 0:
        return math.inf
    if accountant == "rdp" and separate_twins:
        raise UsageError("the RDP accountant does not cover separate twins; use 'prv'")
    with _calm():
        if accountant == "rdp":
            rdp = RDPAccountant()
            rdp.history = [(noise_multiplier, sample_rate, steps)]
            return float(rdp.get_epsilon(delta))
        kind = _SeparateTwinsPRV if separate_twins else PoissonSubsampledGaussianPRV
        return _composed(kind(sample_rate, noise_multiplier), steps, delta)


def solve_noise_multiplier(
    target_epsilon: float,
    sample_rate: float,
    steps: int,
    delta: float,
    *,
    separate_twins: bool = False,
    accountant: Accountant = "prv",
) -> float:
    """Smallest σ, to 0.1 %, whose `epsilon` does not exceed the target.

    Parameters are those of `epsilon`.

    Raises
    ------
    UsageError
        If no noise up to 10,000 reaches the target.
    """
    if not 0 < target_epsilon < math.inf:
        raise UsageError(f"epsilon must be above 0 and finite, not {target_epsilon}")

    def excess(log_noise: float) -> float:
        spent = epsilon(
            math.exp(log_noise),
            sample_rate,
            steps,
            delta,
            separate_twins=separate_twins,
            accountant=accountant,
        )
        return spent - target_epsilon

    low, high = math.log(0.3), math.log(1.0)
    while excess(high) > 0:
        low, high = high, high + math.log(2)
        if high > math.log(_MAX_NOISE):
            raise UsageError(
                f"no noise reaches epsilon {target_epsilon} in {steps} steps; train fewer steps"
            )
    if excess(low) <= 0:
        return math.exp(low)
    root = float(brentq(excess, low, high, xtol=2.5e-4))
    while excess(root) > 0:
        root += 2.5e-4
    return math.exp(root)


class _SeparateTwinsPRV(PoissonSubsampledGaussianPRV):  # type: ignore[misc]
    """Privacy loss of Σ_k w_k N(k, σ²) against N(0, σ²) for k = 0, 1, 2.

    With y = exp(x/σ²) the loss e^t = Σ w_k y^k exp(−k²/2σ²) is a quadratic in y that grows with x,
    so its distribution function needs one root.
    """

    def __init__(self, sample_rate: float, noise_multiplier: float) -> None:
        # What the safe domain is sized by: at least as lossy, since any draw counts as both.
        super().__init__(1 - (1 - sample_rate) ** 2, noise_multiplier / 2)
        q, self._sigma = sample_rate, noise_multiplier
        self._weights = ((1 - q) ** 2, 2 * q * (1 - q), q**2)

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


def _composed(prv: PoissonSubsampledGaussianPRV, steps: int, delta: float) -> float:
    """Discretise, compose by FFT, and read off the upper bound."""
    delta_error = delta / 1000
    reach = compute_safe_domain_size(
        prvs=[prv],
        max_self_compositions=[steps],
        eps_error=EPSILON_ERROR,
        delta_error=delta_error,
    )
    mesh = EPSILON_ERROR / math.sqrt(steps * math.log(12 / delta_error) / 2)
    domain = Domain.create_aligned(-reach, reach, mesh)
    truncated = TruncatedPrivacyRandomVariable(prv, domain.t_min, domain.t_max)
    one_step = discretize(truncated, domain)
    composed = compose_heterogeneous(dprvs=[one_step], num_self_compositions=[steps])
    _, _, upper = composed.compute_epsilon(delta, delta_error, EPSILON_ERROR)
    return max(0.0, float(upper))


@contextlib.contextmanager
def _calm() -> Iterator[None]:
    """Silence what is no news: infinite losses at the rim, and RDP orders at theirs.

    RDP only sizes the domain of the composition; a rim of its orders makes that larger, not wrong.
    """
    with np.errstate(divide="ignore", over="ignore"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Optimal order is the")
        yield


def _check(noise_multiplier: float, sample_rate: float, steps: int, delta: float) -> None:
    if not 0 <= noise_multiplier < math.inf:
        raise UsageError(f"noise multiplier must be finite and not negative: {noise_multiplier}")
    if not 0 < sample_rate <= 1:
        raise UsageError(f"sample rate must lie in (0, 1], not {sample_rate}")
    if steps < 1:
        raise UsageError(f"steps must be at least 1, not {steps}")
    if not 0 < delta < 1:
        raise UsageError(f"delta must lie between 0 and 1, not {delta}")
