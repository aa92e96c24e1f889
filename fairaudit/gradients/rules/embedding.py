"""`torch.nn.Embedding`, of tokens, positions or token types."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from fairaudit.errors import ModelError
from fairaudit.gradients.factors import Factor, Lookup
from fairaudit.gradients.rules.base import Rule, tokens


def factor(module: nn.Module, _name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """W [vocabulary, d]: every token adds its gradient to the table row it read.

    The row `padding_idx` gets none through this layer, as in PyTorch.
    """
    module = cast(nn.Embedding, module)
    if module.max_norm is not None or module.scale_grad_by_freq:
        raise ModelError(
            "an embedding with max_norm or scale_grad_by_freq has no gradient per record; "
            "switch these off or freeze it"
        )
    index, right = inputs.reshape(inputs.shape[0], -1), tokens(grads)
    if module.padding_idx is not None:
        right = right.masked_fill((index == module.padding_idx)[:, :, None], 0.0)
    return Lookup(index, right)


EMBEDDING = Rule(("torch.nn.modules.sparse.Embedding",), ("weight",), factor)
