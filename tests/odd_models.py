"""Small masked models whose layers do not pay attention from every token to every token."""

from __future__ import annotations

from typing import Any

import torch
import transformers as tf

from tests.conftest import word_piece_tokenizer

#: Looks through a window, pools tokens, mixes them without attention.
ODD = ("longformer", "funnel", "fnet")


def build_odd(family: str) -> tuple[Any, Any]:
    """Build a small randomly initialised model of such a family, with a fitting tokenizer."""
    torch.manual_seed(0)
    tokenizer = word_piece_tokenizer()
    size = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id}
    wide = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    if family == "longformer":
        config = tf.LongformerConfig(
            max_position_embeddings=80, attention_window=4, num_attention_heads=4, **wide, **size
        )
        model = tf.LongformerForMaskedLM(config)
    elif family == "funnel":
        config = tf.FunnelConfig(
            d_model=32,
            n_head=4,
            d_head=8,
            d_inner=64,
            block_sizes=[1, 1],
            vocab_size=len(tokenizer),
        )
        model = tf.FunnelForMaskedLM(config)
    else:
        config = tf.FNetConfig(max_position_embeddings=80, **wide, **size)
        model = tf.FNetForMaskedLM(config)
    model.config.architectures = [type(model).__name__]
    return model.eval(), tokenizer
