"""A lower bound on ε from one run, by guessing which canaries were in the training text.

Each of m canaries is a record of random tokens that enters the text with probability ½, by a coin
of its own. After training an auditor guesses for r of them whether they were in: those that the
model learned best were, those that it learned least were not. With (ε, δ)-differential privacy the
number W of right guesses cannot be much larger than chance allows:

    P[W ≥ v] ≤ P[B ≥ v] + 2mδ · max_{1≤i≤v} P[v − i ≤ B < v] / i

for B ~ Binomial(r, e^ε / (1 + e^ε)). Where the right side is 5 %, ε is a lower bound that holds
with 95 % confidence. It is far below the truth unless there are many canaries: it finds faults, it
does not measure privacy.

Source: Steinke, Nasr and Jagielski 2023, Privacy auditing with one (1) training run
(arXiv:2305.08846), theorem 5.2 and its appendix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, gammaln, xlog1py, xlogy

Array = NDArray[np.float64]

LEVEL: Final = 0.95
#: Shares of the canaries that are guessed: the surest only, up to all. Each is a bound of its own
#: at a part of the error, so that the best of them holds at the level.
SHARES: Final = (1.0, 0.5, 0.25, 0.1)
#: No bound beyond; with any number of canaries that fits into a run it is out of reach.
_MAX_EPSILON: Final = 60.0


@dataclass(frozen=True, slots=True)
class OneRunBound:
    """What one run says about ε.

    Parameters
    ----------
    epsilon : float
        Lower bound, in nats; 0: nothing was found.
    canaries, guesses, right : int
        Canaries in all, guesses made of them, and guesses that were right.
    level : float
        Confidence.
    """

    epsilon: float
    canaries: int
    guesses: int
    right: int
    level: float


def one_run_bound(
    scores: Array, present: NDArray[np.bool_], delta: float, level: float = LEVEL
) -> OneRunBound:
    """Bound ε from below.

    Parameters
    ----------
    scores : array of shape [m]
        How well the model learned each canary: higher where it was rather in. Must not depend on
        the coins but through the model.
    present : array of bool, shape [m]
        The coins.
    delta : float
        δ of the claim.
    level : float
        Confidence, between 0 and 1.

    Returns
    -------
    OneRunBound
        The highest bound of the shares that are tried; 0 where the guesses are no better than
        chance.
    """
    m, error = len(scores), (1 - level) / len(SHARES)
    found = [
        OneRunBound(_least_epsilon(m, guesses, right, delta, error), m, guesses, right, level)
        for guesses, right in counts_of(scores, present)
    ]
    if not found:
        return OneRunBound(0.0, m, 0, 0, level)
    # Of equal bounds the one of the most guesses, which stands first.
    return max(found, key=lambda bound: bound.epsilon)


def counts_of(scores: Array, present: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Guesses, and right ones among them, for each of `SHARES` that has a guess."""
    order, m = np.argsort(scores, kind="stable"), len(scores)
    found = []
    for half in (int(m * share / 2) for share in SHARES):
        if half > 0:
            right = int((~present[order[:half]]).sum() + present[order[m - half :]].sum())
            found.append((2 * half, right))
    return found


def p_value(m: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Bound on the probability of so many right guesses under (ε, δ)-differential privacy."""
    chance = 1 / (1 + math.exp(-epsilon))
    below = np.arange(right)[::-1].astype(np.float64)
    masses = np.exp(
        gammaln(guesses + 1) - gammaln(below + 1) - gammaln(guesses - below + 1)
        + xlogy(below, chance) + xlog1py(guesses - below, -chance)
    )  # fmt: skip
    steps = np.cumsum(masses) / np.arange(1, right + 1)
    at_least = 1.0 if right == 0 else float(bdtrc(right - 1, guesses, chance))
    return min(1.0, at_least + 2 * m * delta * float(steps.max(initial=0.0)))


def _least_epsilon(m: int, guesses: int, right: int, delta: float, error: float) -> float:
    """Largest ε that so many right guesses rule out; 0 if they rule out none."""
    if p_value(m, guesses, right, 0.0, delta) >= error:
        return 0.0
    low, high = 0.0, 1.0
    while p_value(m, guesses, right, high, delta) < error and high < _MAX_EPSILON:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        if p_value(m, guesses, right, middle, delta) < error:
            low = middle
        else:
            high = middle
    return low
