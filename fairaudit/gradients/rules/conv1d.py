"""GPT-2's `Conv1D`: a linear layer whose weight is stored transposed, y = x W + b."""

from __future__ import annotations

from torch import Tensor, nn

from fairaudit.gradients.factors import Dense, Factor, Outer
from fairaudit.gradients.rules.base import Rule, summed, tokens


def factor(_module: nn.Module, name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """W [in, out]: Σ_t x_t ⊗ grad_t; b [out]: Σ_t grad_t."""
    if name == "weight":
        return Outer(tokens(inputs), tokens(grads))
    return Dense(summed(grads, grads.shape[-1:]))


CONV1D = Rule(("transformers.pytorch_utils.Conv1D",), ("weight", "bias"), factor)
