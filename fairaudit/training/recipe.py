"""`Recipe`: every choice that makes two fine-tunings the same, checked on its own."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from fairaudit.errors import UsageError
from fairaudit.training.accounting import Accountant
from fairaudit.training.draws import CdaMode

Objective = Literal["causal", "masked"]
Ablation = Literal["clip_only", "noise_only"]
Mechanism = Literal["none", "dp", "clip_only", "noise_only"]

MAX_GRAD_NORM: Final = 1.0
EPOCHS: Final = 3.0
#: Largest δ that is accepted: with more, most of what is claimed is that nothing is claimed.
MAX_DELTA: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What `finetune` was asked for; its parameters are described there.

    A δ above `MAX_DELTA` is refused whatever the data; one of 1/records or more is warned about
    once the records are counted, and no gate passes it.

    Raises
    ------
    UsageError
        If a value is out of range, or two of them contradict each other.
    """

    objective: Objective | None = None
    epsilon: float | None = None
    row_epsilon: float | None = None
    noise_multiplier: float | None = None
    delta: float | None = None
    max_grad_norm: float | None = None
    ablation: Ablation | None = None
    accountant: Accountant = "prv"
    steps: int | None = None
    epochs: float | None = None
    batch_size: int | None = None
    max_length: int = 256
    learning_rate: float = 5e-4
    optimizer: Literal["adamw", "sgd"] = "adamw"
    schedule: Literal["linear", "constant"] = "linear"
    warmup: float = 0.05
    weight_decay: float = 0.0
    cda: tuple[str, ...] = ()
    cda_mode: Literal["averaged", "separate", "substitution"] = "averaged"
    lora: int | None = None
    lora_alpha: float | None = None
    lora_targets: tuple[str, ...] = ()
    train: Literal["all", "bias"] = "all"
    freeze: tuple[str, ...] = ()
    save: Literal["merged", "adapter", "both"] = "merged"
    max_rows_per_unit: int = 16
    canaries: int | None = None
    seed: int = 0
    noise_seed: int | None = None

    def __post_init__(self) -> None:
        """Check all values together."""
        for check in (_check_ranges, _check_choices, _check_privacy):
            for complaint in check(self):
                raise UsageError(complaint)

    @property
    def mechanism(self) -> Mechanism:
        """What happens to gradients: nothing, clipping and noise, or one of them alone."""
        if self.ablation is not None:
            return self.ablation
        return "dp" if self._asks_for_noise else "none"

    @property
    def clip_norm(self) -> float | None:
        """C, or None where nothing is clipped and no noise depends on it."""
        if self.mechanism == "none":
            return None
        return MAX_GRAD_NORM if self.max_grad_norm is None else self.max_grad_norm

    @property
    def twins(self) -> CdaMode:
        """How twins enter; ``none`` without CDA."""
        return self.cda_mode if self.cda else "none"

    @property
    def arm(self) -> str:
        """Name of the arm: ``plain``, ``cda``, ``dp``, ``dp_cda``, ``clip_only``, ..."""
        if self.mechanism == "none":
            return "cda" if self.cda else "plain"
        return f"{self.mechanism}_cda" if self.cda else self.mechanism

    @property
    def _asks_for_noise(self) -> bool:
        return any(
            value is not None for value in (self.epsilon, self.row_epsilon, self.noise_multiplier)
        )


def _check_ranges(recipe: Recipe) -> Iterable[str]:
    positive = ("epsilon", "row_epsilon", "max_grad_norm", "epochs", "learning_rate", "lora_alpha")
    for name in positive:
        if not _positive(value := getattr(recipe, name)):
            yield f"{name.replace('_', ' ')} must be above 0 and finite, not {value}"
    for name in ("steps", "batch_size", "lora", "max_rows_per_unit", "canaries"):
        if (value := getattr(recipe, name)) is not None and value < 1:
            yield f"{name.replace('_', ' ')} must be at least 1, not {value}"
    if recipe.delta is not None and not 0 < recipe.delta < 1:
        yield f"delta must lie between 0 and 1, not {recipe.delta}"
    elif recipe.delta is not None and recipe.delta > MAX_DELTA:
        yield f"delta {recipe.delta} allows every record to be revealed; choose one below 1/records"
    if not 0 <= (recipe.noise_multiplier or 0.0) < math.inf:
        yield f"noise multiplier must be finite and not negative, not {recipe.noise_multiplier}"
    if not 0 <= recipe.warmup <= 1:
        yield f"warmup is a share of the steps, between 0 and 1, not {recipe.warmup}"
    if not 0 <= recipe.weight_decay < math.inf:
        yield f"weight decay must be finite and not negative, not {recipe.weight_decay}"
    if recipe.seed < 0 or (recipe.noise_seed or 0) < 0:
        yield "seeds must not be negative"


def _check_choices(recipe: Recipe) -> Iterable[str]:
    if recipe.steps is not None and recipe.epochs is not None:
        yield "give steps or epochs, not both"
    choices = {
        "objective": (None, "causal", "masked"),
        "ablation": (None, "clip_only", "noise_only"),
        "accountant": ("prv", "rdp"),
        "optimizer": ("adamw", "sgd"),
        "schedule": ("linear", "constant"),
        "cda_mode": ("averaged", "separate", "substitution"),
        "train": ("all", "bias"),
        "save": ("merged", "adapter", "both"),
    }
    yield from _check_trained(recipe)
    for name, known in choices.items():
        if (value := getattr(recipe, name)) not in known:
            names = ", ".join(str(one) for one in known if one is not None)
            yield f"'{value}' is no {name.replace('_', ' ')}; there are {names}"
    if recipe.cda_mode != "averaged" and not recipe.cda and recipe.row_epsilon is None:
        yield f"cda mode '{recipe.cda_mode}' has no effect without cda; name the axes to swap"


def _check_trained(recipe: Recipe) -> Iterable[str]:
    if recipe.lora is None:
        asked = {
            "lora alpha": recipe.lora_alpha is not None,
            "lora targets": bool(recipe.lora_targets),
            f"save '{recipe.save}'": recipe.save != "merged",
        }
        for name, given in asked.items():
            if given:
                yield f"{name} has no effect without lora; give the rank of the adapters"
    elif recipe.train != "all" or recipe.freeze:
        yield "with lora the adapters alone are trained; leave out train and freeze"
    for pattern in recipe.freeze:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"freeze '{pattern}' is no regular expression ({error})"


def _check_privacy(recipe: Recipe) -> Iterable[str]:
    targets = (recipe.epsilon, recipe.row_epsilon, recipe.noise_multiplier)
    if sum(value is not None for value in targets) > 1:
        yield "give one of epsilon, row epsilon and noise multiplier"
    if recipe.row_epsilon is not None and recipe.twins != "separate":
        yield (
            "row epsilon is for twins that are drawn separately; a record is one unit here: "
            "use epsilon"
        )
    if recipe.ablation == "noise_only" and not recipe._asks_for_noise:
        yield "noise only: give the epsilon or the noise multiplier of the arm it belongs to"
    if recipe.mechanism == "none" and recipe.max_grad_norm is not None:
        yield "max grad norm has no effect without epsilon; for clipping alone ask for 'clip_only'"
    if recipe.canaries is not None and recipe.mechanism != "dp":
        yield "canaries bound the epsilon of a private run; give epsilon or leave them out"
    if recipe.noise_seed is not None and recipe.mechanism != "dp":
        yield "a noise seed is for tests of private runs; other arms take their noise from the seed"


def _positive(value: Any) -> bool:
    return value is None or 0 < value < math.inf
