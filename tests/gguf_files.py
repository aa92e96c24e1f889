"""GGUF files of the small Llama of the tests, written as llama.cpp's converter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import build_model

#: Names of a layer's weights in a GGUF file, by their names in the model.
_LAYER = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of queries and keys in llama.cpp's order: the halves of a head, in turn."""
    rows, columns = weight.shape
    halves = weight.reshape(heads, 2, rows // heads // 2, columns)
    return halves.swapaxes(1, 2).reshape(rows, columns)


def tensors_of(model: Any) -> dict[str, np.ndarray]:
    """Weights of a Llama by their names in a GGUF file."""
    weights = {name: value.detach().numpy() for name, value in model.named_parameters()}
    found = {
        "token_embd.weight": weights["model.embed_tokens.weight"],
        "output_norm.weight": weights["model.norm.weight"],
        "output.weight": weights["lm_head.weight"],
    }
    for layer in range(model.config.num_hidden_layers):
        for ours, theirs in _LAYER.items():
            found[f"blk.{layer}.{theirs}.weight"] = weights[f"model.layers.{layer}.{ours}.weight"]
        for name, heads in (
            ("attn_q", model.config.num_attention_heads),
            ("attn_k", model.config.num_key_value_heads),
        ):
            key = f"blk.{layer}.{name}.weight"
            found[key] = interleaved(found[key], heads)
    return found


def write_gguf(
    path: Path,
    *,
    quantised: str | None = None,
    architecture: str = "llama",
    tokens: int | None = None,
    without: str | None = None,
    extra: dict[str, np.ndarray] | None = None,
) -> Path:
    """Write the small Llama as a GGUF file.

    ``quantised``: type of all matrices; ``tokens``: size of the tokenizer, if not the model's own;
    ``without``: a tensor to leave out; ``extra``: further tensors.
    """
    gguf = pytest.importorskip("gguf")
    model, tokenizer = build_model("llama")
    config = model.config
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("small")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(len(tokenizer))
    _add_tokenizer(writer, tokenizer, tokens or len(tokenizer))
    kind = None if quantised is None else gguf.GGMLQuantizationType[quantised]
    for name, value in (tensors_of(model) | (extra or {})).items():
        if name == without:
            continue
        if kind is not None and value.ndim == 2:
            writer.add_tensor(name, gguf.quantize(value, kind), raw_dtype=kind)
        else:
            writer.add_tensor(name, np.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: Any, tokenizer: Any, size: int) -> None:
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    names = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    names += [f"<more{i}>" for i in range(size - len(names))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(names[:size])
    special = set(tokenizer.all_special_tokens)
    writer.add_token_types([3 if name in special else 1 for name in names[:size]])
    writer.add_token_merges([" ".join(pair) for pair in backend["model"]["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
