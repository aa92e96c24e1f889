"""Position embeddings as OPT has them: called with a mask, they read their table two rows down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from torch import Tensor, nn

from fairaudit.gradients.rules.base import Rule
from fairaudit.gradients.rules.embedding import factor


def keep(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """Table rows that the layer reads [R, T]."""
    names = ("attention_mask", "past_key_values_length", "position_ids")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    positions = given.get("position_ids")
    if positions is None:
        mask = given["attention_mask"]
        positions = (mask.cumsum(dim=1) * mask - 1).long()
        positions = positions[:, given.get("past_key_values_length", 0) :]
    return cast(Tensor, positions + module.offset)


OPT_POSITION = Rule(
    (
        "transformers.models.biogpt.modeling_biogpt.BioGptLearnedPositionalEmbedding",
        "transformers.models.opt.modeling_opt.OPTLearnedPositionalEmbedding",
    ),
    ("weight",),
    factor,
    keep,
)
