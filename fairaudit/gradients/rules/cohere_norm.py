"""Cohere's layer norm: y = w·x̂ with x̂ of mean 0 and variance 1, and no bias.

Of queries and keys x̂ is that of each head, and w has the shape [heads, d].
"""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from fairaudit.gradients.factors import Dense, Factor
from fairaudit.gradients.rules.base import Rule, summed


def factor(module: nn.Module, _name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """Scale w: Σ_t grad_t · x̂_t."""
    # The layer itself computes in fp32.
    values = inputs.float()
    epsilon = cast(float, module.variance_epsilon)
    normal = nn.functional.layer_norm(values, [values.shape[-1]], eps=epsilon)
    return Dense(summed(normal.to(grads.dtype) * grads, cast(Tensor, module.weight).shape))


COHERE_NORM = Rule(
    ("transformers.models.cohere.modeling_cohere.CohereLayerNorm",), ("weight",), factor
)
