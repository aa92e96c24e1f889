"""Embeddings that are multiplied by a constant after they were looked up: y = c · W[i]."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from fairaudit.gradients.factors import Factor
from fairaudit.gradients.rules.base import Rule
from fairaudit.gradients.rules.embedding import factor as looked_up


def factor(module: nn.Module, name: str, inputs: Tensor, grads: Tensor) -> Factor:
    """W [vocabulary, d]: every token adds c times its gradient to the table row it read."""
    scale = module.embed_scale
    # A buffer in some classes, a number in others.
    constant = scale.to(grads) if isinstance(scale, Tensor) else cast(float, scale)
    return looked_up(module, name, inputs, grads * constant)


SCALED_EMBEDDING = Rule(
    (
        "transformers.models.biogpt.modeling_biogpt.BioGptScaledWordEmbedding",
        "transformers.models.gemma.modeling_gemma.GemmaTextScaledWordEmbedding",
        "transformers.models.gemma2.modeling_gemma2.Gemma2TextScaledWordEmbedding",
        "transformers.models.gemma3.modeling_gemma3.Gemma3TextScaledWordEmbedding",
        "transformers.models.xglm.modeling_xglm.XGLMScaledWordEmbedding",
    ),
    ("weight",),
    factor,
)
