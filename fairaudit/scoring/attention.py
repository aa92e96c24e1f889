"""Whether a model says how much attention each token pays to each other one."""

from __future__ import annotations

import logging
from typing import Any, Final

import torch

from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.forward import eager_attention

logger = logging.getLogger(__name__)

NO_ATTENTION: Final = "the model gives no attention weights from every token to every token"
#: Tokens of the row that is tried; pooled or windowed attention shows at any length.
_TRIED: Final = 24


@torch.inference_mode()
def gives_attention(model: Any, max_length: int | None = None) -> bool:
    """Whether every layer gives weights [rows, heads, T, T] that sum to one for each query.

    Layers that pool tokens (Funnel), look through a window (Longformer) or mix without attention
    (FNet) do not.
    """
    length = _TRIED if max_length is None else min(_TRIED, max_length)
    embedding = model.get_input_embeddings()
    device = input_device(model)
    ids = torch.arange(length, device=device)[None] * 7 % embedding.num_embeddings
    try:
        with eager_attention(model):
            layers = model(input_ids=ids, output_attentions=True).attentions
        return bool(layers) and all(_is_square(layer, length) for layer in layers)
    except Exception as error:
        # Architectures refuse in many ways: an unknown argument, a kernel that cannot be chosen.
        logger.info("no attention weights (%s)", error)
        return False


def _is_square(layer: Any, length: int) -> bool:
    if not isinstance(layer, torch.Tensor) or layer.ndim != 4 or layer.shape[2:] != (length,) * 2:
        return False
    return bool(((layer.float().sum(dim=-1) - 1).abs() < 0.01).all())
