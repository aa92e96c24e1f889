"""From noise to ε and back, for records and for pairs of twins.

DP-SGD draws each record with probability q, clips its gradient to norm C and adds noise of standard
deviation σC to the sum. One step is then a Poisson-subsampled Gaussian mechanism; T steps compose
(Abadi et al. 2016). Two cases:

- *one row per record*, and twins that are averaged before clipping: a record changes the sum by at
  most C, so the usual bound holds;
- *twins drawn separately*: a record changes the sum by 0, C or 2C, with probabilities (1 − q)²,
  2q(1 − q) and q². That mixture is bounded as it is, which is much tighter than group privacy. It
  does not matter which of several twins is drawn: each moves the sum by at most C.

A record that stands k times in the data changes the sum by 0, C, ..., kC, binomially: the ε of such
a group is bounded in the same way.

ε is an upper bound from the numerical composition of privacy random variables (Gopi, Lee and
Wutschitz 2021), computed with Opacus, for neighbouring data sets that differ by adding or removing
one record.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from opacus.accountants import RDPAccountant
from scipy.optimize import brentq

from fairaudit.errors import UsageError
from fairaudit.training.composition import (
    CompositionError,
    composed_epsilon,
    composed_points,
    record_loss,
)
from fairaudit.training.recipe import Accountant

#: Least σ that is solved for: with less, ε is beyond use.
MIN_NOISE: Final = 0.3
_MAX_NOISE: Final = 1e4
#: δ at which a trade-off curve is followed.
_DELTAS: Final = (
    1e-5, 1e-4, 1e-3, 3e-3, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.35,
    0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
)  # fmt: skip


class Bound(NamedTuple):
    """An upper bound on ε, and the accountant that gave it."""

    epsilon: float
    accountant: Accountant


def epsilon(
    noise_multiplier: float,
    sample_rate: float,
    steps: int,
    delta: float,
    *,
    separate_twins: bool = False,
    copies: int = 1,
    accountant: Accountant = "prv",
) -> float:
    """Upper bound on ε of T steps at a given δ, per record; see `epsilon_bound`."""
    bound = epsilon_bound(
        noise_multiplier,
        sample_rate,
        steps,
        delta,
        separate_twins=separate_twins,
        copies=copies,
        accountant=accountant,
    )
    return bound.epsilon


def epsilon_bound(
    noise_multiplier: float,
    sample_rate: float,
    steps: int,
    delta: float,
    *,
    separate_twins: bool = False,
    copies: int = 1,
    accountant: Accountant = "prv",
) -> Bound:
    """Upper bound on ε of T steps at a given δ, per record, and which accountant gave it.

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
    copies : int
        k, how often the record stands in the data: ε of adding or removing all of them.
    accountant : {"prv", "rdp"}
        ``rdp`` (Mironov 2017) is looser and always converges; for records in one part only. It is
        also what bounds ε where the other cannot: δ below 1e-12, or losses out of range.

    Returns
    -------
    Bound
        ε ≥ 0, in nats, and the accountant; with ``prv`` the bound is at most `EPSILON_ERROR`
        above the least that can be shown, and a hundredth of ε where that is less.

    Raises
    ------
    UsageError
        If a parameter is out of range, or the accountant does not know the mechanism.
    """
    _check(noise_multiplier, sample_rate, steps, delta)
    if copies < 1:
        raise UsageError(f"copies of a record must be at least 1, not {copies}")
    if noise_multiplier == 0:
        return Bound(math.inf, accountant)
    run = Steps(noise_multiplier, sample_rate, steps, copies * (2 if separate_twins else 1))
    return joint_bound([run], delta, accountant=accountant)


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps of one run: their σ, q and number, and in how many parts a record is drawn.

    Parameters
    ----------
    noise_multiplier : float
        σ, in units of the clipping norm; at least 0.
    sample_rate : float
        q, above 0 and at most 1.
    steps : int
        Noisy updates.
    draws : int
        Parts of a record that are drawn independently.
    """

    noise_multiplier: float
    sample_rate: float
    steps: int
    draws: int = 1


def joint_bound(runs: Sequence[Steps], delta: float, *, accountant: Accountant = "prv") -> Bound:
    """Upper bound on ε of several runs on the same records together; see `epsilon_bound`.

    Parameters
    ----------
    runs : sequence of Steps
        What was done, run by run.
    delta : float
        δ of all together, above 0 and below 1.
    accountant : {"prv", "rdp"}
        Which bound.

    Returns
    -------
    Bound
        ε, at least 0, infinite without noise; and the accountant that gave it.

    Raises
    ------
    UsageError
        If the accountant does not know the mechanism.
    """
    if any(run.noise_multiplier == 0 for run in runs):
        return Bound(math.inf, accountant)
    if accountant == "rdp" and any(run.draws > 1 for run in runs):
        raise UsageError("the RDP accountant covers neither separate twins nor copies; use 'prv'")
    with _calm():
        parts = [
            (record_loss(run.sample_rate, run.noise_multiplier, run.draws), run.steps)
            for run in runs
        ]
        if accountant == "prv":
            # Where the sum of losses is out of range: looser, and of use where ε is beyond use.
            with contextlib.suppress(CompositionError):
                return Bound(composed_epsilon(parts, delta), "prv")
        history = [(loss.noise_multiplier, loss.sample_rate, times) for loss, times in parts]
        return Bound(_renyi(history, delta), "rdp")


def tradeoff_points(run: Steps, delta: float) -> list[tuple[float, float]]:
    """Pairs (ε, δ) of a run, from the given δ up to where ε is 0; none where none can be had."""
    deltas = [delta, *(one for one in _DELTAS if one > delta)]
    if run.noise_multiplier == 0:
        return []
    loss = record_loss(run.sample_rate, run.noise_multiplier, run.draws)
    with _calm(), contextlib.suppress(CompositionError):
        return composed_points([(loss, run.steps)], deltas)
    return []


def solve_noise_multiplier(
    target_epsilon: float,
    sample_rate: float,
    steps: int,
    delta: float,
    *,
    separate_twins: bool = False,
    accountant: Accountant = "prv",
) -> float:
    """Smallest σ, to 0.1 %, whose `epsilon` does not exceed the target; at least `MIN_NOISE`.

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

    low, high = math.log(MIN_NOISE), math.log(1.0)
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


def _renyi(history: list[tuple[float, float, int]], delta: float) -> float:
    """ε from Rényi divergences (Mironov 2017); infinite where floating point has no answer."""
    accountant = RDPAccountant()
    accountant.history = history
    try:
        bound = float(accountant.get_epsilon(delta))
    except (ArithmeticError, ValueError):
        return math.inf
    return math.inf if math.isnan(bound) else max(0.0, bound)


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
