"""`torch.nn.Linear`: y = x Wᵀ + b. LoRA adapters of PEFT consist of these."""

from __future__ import annotations

from torch import Tensor, nn

from fairaudit.gradients.factors import Dense, Factor, Outer
from fairaudit.gradients.rules.base import Rule, summed, tokens


def factor(_module: nn.Module, name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """W [out, in]: Σ_t grad_t ⊗ x_t; b [out]: Σ_t grad_t."""
    if name == "weight":
        return Outer(tokens(grads), tokens(inputs))
    return Dense(summed(grads, grads.shape[-1:]))


LINEAR = Rule(
    (
        "torch.nn.modules.linear.Linear",
        # The same product, written out.
        "transformers.models.falcon.modeling_falcon.FalconLinear",
    ),
    ("weight", "bias"),
    factor,
)
