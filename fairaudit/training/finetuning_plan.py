"""`Plan`: the numbers of a fine-tuning, once the number of records is known."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import UsageError
from fairaudit.results.privacy import examples_of_step
from fairaudit.training.accounting import (
    MIN_NOISE,
    Bound,
    epsilon_bound,
    solve_noise_multiplier,
)
from fairaudit.training.recipe import EPOCHS, Accountant, CdaMode, Mechanism, Recipe

logger = logging.getLogger(__name__)

#: Expected records per step where none is asked for; fewer in a small corpus.
BATCH_SIZE: Final = 256
_DELTA_EXPONENT: Final = -1.1


@dataclass(frozen=True, slots=True)
class Plan:
    """How often records are drawn, and what is done to their gradients.

    Parameters
    ----------
    mechanism : {"none", "dp", "clip_only", "noise_only"}
        Clipping and noise, one of them, or neither.
    n_records : int
        n, number of privacy units.
    steps : int
        T.
    batch_size : int
        Expected number of records in a step, B = q n.
    twins : {"none", "averaged", "separate", "substitution"}
        How counterfactuals are used.
    clip_norm : float or None
        C; None: gradients are not clipped and get no noise.
    noise_multiplier : float
        σ, in units of C.
    delta : float
        δ; of no meaning without noise.
    accountant : {"prv", "rdp"}
        Which bound ε is read from.
    """

    mechanism: Mechanism
    n_records: int
    steps: int
    batch_size: int
    twins: CdaMode
    clip_norm: float | None
    noise_multiplier: float
    delta: float
    accountant: Accountant

    @property
    def sample_rate(self) -> float:
        """q, the probability with which a record (or each of two separate twins) is drawn."""
        return self.batch_size / self.n_records

    @property
    def separate(self) -> bool:
        """Whether a record and its twin are drawn and clipped independently."""
        return self.twins == "separate"

    @property
    def expected_examples(self) -> float:
        """What the summed gradient is divided by: 2B with separate twins, else B."""
        return examples_of_step(self.batch_size, self.twins)

    def epsilon(self, steps: int | None = None) -> float:
        """Record-level ε after some steps, or all."""
        return self.bound(steps).epsilon

    def bound(self, steps: int | None = None, copies: int = 1) -> Bound:
        """ε of a record, or of all its copies, after some steps or all, and its accountant."""
        return self._spent(steps or self.steps, self.separate, copies)

    def row_epsilon(self) -> float | None:
        """ε of one row, where a record's twins are drawn as rows of their own."""
        return self._spent(self.steps, False).epsilon if self.separate else None

    def _spent(self, steps: int, separate: bool, copies: int = 1) -> Bound:
        # Copies are drawn apart, which the RDP accountant does not follow.
        return epsilon_bound(
            self.noise_multiplier,
            self.sample_rate,
            steps,
            self.delta,
            separate_twins=separate,
            copies=copies,
            accountant=self.accountant if copies == 1 else "prv",
        )


def make_plan(recipe: Recipe, n_records: int) -> Plan:
    """Work out batch size, steps, δ and σ; a δ of 1/records or more is warned about.

    Parameters
    ----------
    recipe : Recipe
        What was asked for.
    n_records : int
        n, at least 1.

    Returns
    -------
    Plan
        B, steps, δ and σ; whatever was not asked for by the defaults of `Recipe`.

    Raises
    ------
    UsageError
        If the batch is larger than the data, or no noise reaches the target.
    """
    batch_size = _batch_size(recipe.batch_size, n_records)
    epochs = EPOCHS if recipe.epochs is None else recipe.epochs
    steps = recipe.steps or max(1, math.ceil(epochs * n_records / batch_size))
    delta = n_records**_DELTA_EXPONENT if recipe.delta is None else recipe.delta
    if recipe.mechanism == "dp" and delta >= 1 / n_records:
        logger.warning(
            "delta %.3g is not below 1/records (%.3g): it allows single records to be revealed",
            delta,
            1 / n_records,
        )
    plan = Plan(
        mechanism=recipe.mechanism,
        n_records=n_records,
        steps=steps,
        batch_size=batch_size,
        twins=recipe.twins,
        clip_norm=recipe.clip_norm,
        noise_multiplier=_noise_multiplier(recipe, batch_size / n_records, steps, delta),
        delta=delta,
        accountant=recipe.accountant,
    )
    _tell_floor(recipe, plan)
    return plan


def _tell_floor(recipe: Recipe, plan: Plan) -> None:
    """Say where the noise stops at its least, so that less ε is spent than was asked for."""
    if recipe.mechanism != "dp" or recipe.noise_multiplier is not None:
        return
    if math.isclose(plan.noise_multiplier, MIN_NOISE):
        asked = recipe.epsilon if recipe.row_epsilon is None else recipe.row_epsilon
        logger.warning(
            "epsilon %.4g is asked for; the noise multiplier stops at its least, %g, where epsilon "
            "is %.4g. An epsilon beyond that protects nobody; for less noise give the noise "
            "multiplier itself",
            asked,
            MIN_NOISE,
            plan.epsilon(),
        )


def _batch_size(wanted: int | None, n_records: int) -> int:
    if wanted is None:
        return min(BATCH_SIZE, math.ceil(n_records / 4))
    if wanted > n_records:
        raise UsageError(f"batch size {wanted} is larger than the {n_records} records; lower it")
    return wanted


def _noise_multiplier(recipe: Recipe, sample_rate: float, steps: int, delta: float) -> float:
    if recipe.mechanism in ("none", "clip_only"):
        return 0.0
    if recipe.noise_multiplier is not None:
        return recipe.noise_multiplier
    target = recipe.epsilon if recipe.row_epsilon is None else recipe.row_epsilon
    assert target is not None
    return solve_noise_multiplier(
        target,
        sample_rate,
        steps,
        delta,
        separate_twins=recipe.twins == "separate" and recipe.row_epsilon is None,
        accountant=recipe.accountant,
    )
