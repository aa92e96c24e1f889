"""Small models of further architectures: encoders of all classes, and some that padding changes."""

from __future__ import annotations

from typing import Any

import torch

from tests.conftest import word_piece_tokenizer

#: What padding changes: convolutions, pooling, landmarks, Fourier transforms over the row's width.
PADDING_MATTERS = ["convbert", "funnel", "nystromformer", "fnet"]
#: Encoders that have a causal class and the same head in a masked one.
ENCODERS = ["bert", "roberta", "electra", "xlm", "flaubert"]

_WIDE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 100,
}
_XLM = {
    "emb_dim": 32,
    "n_layers": 2,
    "n_heads": 4,
    "max_position_embeddings": 100,
    "pad_token_id": 0,
}


def build(name: str, *, factor: float | None = None, **changes: Any) -> tuple[Any, Any]:
    """Build a small randomly initialised model with a WordPiece tokenizer.

    Parameters
    ----------
    name : str
        One of those below.
    factor : float or None
        All weights are multiplied by it, so that scores differ. Funnel's scores differ by hundreds
        of nats as they are.
    changes : dict
        Further settings of the model's config.
    """
    import transformers as tf

    tokenizer = word_piece_tokenizer()
    config, model, settings = {
        "bert": (tf.BertConfig, tf.BertLMHeadModel, _WIDE),
        "roberta": (tf.RobertaConfig, tf.RobertaForCausalLM, {**_WIDE, "pad_token_id": 0}),
        "electra": (tf.ElectraConfig, tf.ElectraForCausalLM, {**_WIDE, "embedding_size": 32}),
        "xlm": (tf.XLMConfig, tf.XLMWithLMHeadModel, _XLM),
        "flaubert": (tf.FlaubertConfig, tf.FlaubertWithLMHeadModel, _XLM),
        "xlnet": (
            tf.XLNetConfig,
            tf.XLNetLMHeadModel,
            {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 64},
        ),
        "convbert": (
            tf.ConvBertConfig,
            tf.ConvBertForMaskedLM,
            {**_WIDE, "embedding_size": 32},
        ),
        "funnel": (
            tf.FunnelConfig,
            tf.FunnelForMaskedLM,
            {"block_sizes": [1, 1], "d_model": 32, "n_head": 4, "d_head": 8, "d_inner": 64},
        ),
        "nystromformer": (tf.NystromformerConfig, tf.NystromformerForMaskedLM, _WIDE),
        "fnet": (
            tf.FNetConfig,
            tf.FNetForMaskedLM,
            {key: value for key, value in _WIDE.items() if key != "num_attention_heads"},
        ),
        "mobilebert": (
            tf.MobileBertConfig,
            tf.MobileBertForMaskedLM,
            {
                **_WIDE,
                "true_hidden_size": 32,
                "intra_bottleneck_size": 32,
                "embedding_size": 16,
            },
        ),
    }[name]
    torch.manual_seed(0)
    built = model(config(vocab_size=len(tokenizer), **{**settings, **changes}))
    built.config.architectures = [model.__name__]
    factor = factor or (1.0 if name == "funnel" else 3.0)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(factor)
    return built.eval(), tokenizer
