"""`torch.nn.LayerNorm`: y = w·x̂ + b with x̂ of mean 0 and variance 1."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from fairaudit.gradients.factors import Dense, Factor
from fairaudit.gradients.rules.base import Rule, summed


def factor(module: nn.Module, name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """Scale w: Σ_t grad_t · x̂_t; b: Σ_t grad_t."""
    module = cast(nn.LayerNorm, module)
    shape = module.normalized_shape
    if name == "bias":
        return Dense(summed(grads, shape))
    if inputs.dtype in (torch.float16, torch.bfloat16):
        inputs = inputs.float()
    normal = nn.functional.layer_norm(inputs, list(shape), eps=module.eps)
    return Dense(summed(normal * grads, shape))


LAYER_NORM = Rule(("torch.nn.modules.normalization.LayerNorm",), ("weight", "bias"), factor)
