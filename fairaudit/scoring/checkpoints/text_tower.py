"""The language model inside a model of text and images: Gemma 3 and its kin.

Such a checkpoint (``...ForConditionalGeneration``) is read whole, so that every weight of its file
is checked. What is audited is the causal language model that its text runs through: the same
modules, with the head, under the class that `transformers` has for its ``text_config``.
"""

from __future__ import annotations

from typing import Any, Final

import torch
import transformers

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.weights import quantization

_MULTIMODAL: Final = "ForConditionalGeneration"


def has_text_tower(config: Any) -> bool:
    """Whether a config is that of a decoder with parts for other inputs beside its text."""
    names = config.architectures or []
    return (
        any(name.endswith(_MULTIMODAL) for name in names)
        and getattr(config, "text_config", None) is not None
        and not getattr(config, "is_encoder_decoder", False)
    )


def text_tower(model: Any, name: str) -> tuple[Any, tuple[str, ...]]:
    """Return the causal language model inside a multimodal one, and what to tell about it.

    Raises
    ------
    ModelError
        If it is quantised, or its parts are not where such models have them.
    """
    if quantization(model.config) is not None:
        raise ModelError(f"{name}: the text part of a quantised multimodal model cannot be read")
    inner = getattr(model, "model", model)
    tower, head = getattr(inner, "language_model", None), getattr(model, "lm_head", None)
    config = model.config.get_text_config()
    try:
        with torch.device("meta"):
            causal = transformers.AutoModelForCausalLM.from_config(config)
    except ValueError as error:
        kind = type(model).__name__
        raise ModelError(f"{name}: {kind} has no causal language model to audit") from error
    if tower is None or head is None or type(causal.base_model) is not type(tower):
        raise ModelError(f"{name}: the text part of {type(model).__name__} is not known")
    setattr(causal, causal.base_model_prefix, tower)
    causal.set_output_embeddings(head)
    causal.config.architectures = [type(causal).__name__]
    causal.generation_config = model.generation_config
    note = f"{name}: the text part of {type(model).__name__} is audited; images are not asked"
    return causal, (note,)
