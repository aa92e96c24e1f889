"""Optimisers, and the course of the learning rate as a function of the step alone."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from fairaudit.training.recipe import Recipe


def make_optimizer(parameters: Iterable[torch.nn.Parameter], recipe: Recipe) -> Any:
    """AdamW, or SGD without momentum."""
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Learning rate of a step, counted from 0.

    It rises linearly over the warm-up, then stays (``constant``) or falls linearly, so that it
    would be 0 one step after the last (``linear``).
    """
    warm = math.ceil(recipe.warmup * steps)
    if step < warm:
        return recipe.learning_rate * (step + 1) / warm
    if recipe.schedule == "constant":
        return recipe.learning_rate
    return recipe.learning_rate * (steps - step) / max(1, steps - warm)


def set_learning_rate(optimizer: Any, value: float) -> None:
    """Set the rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = value
