"""Models of text and images: their language model is audited, every weight of the file checked."""

from __future__ import annotations

import json

import pytest
import torch
import transformers as tf

from fairaudit.errors import ModelError
from fairaudit.scoring.load import load_model
from tests.conftest import byte_level_tokenizer

TEXT = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": 128,
}  # fmt: skip
VISION = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip


def built(kind):
    """Build a model of text and images with random weights, and its tokenizer."""
    tokenizer = byte_level_tokenizer(bos="<bos>", eos="<eos>", pad="<pad>", mask=None)
    ids = {
        name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")
    }
    text = {**TEXT, **ids, "vocab_size": len(tokenizer) + 4}
    torch.manual_seed(0)
    if kind == "gemma3":
        config = tf.Gemma3Config(
            text_config={**text, "sliding_window": 16}, vision_config=VISION,
            mm_tokens_per_image=4, image_token_index=len(tokenizer),
            boi_token_index=len(tokenizer) + 1, eoi_token_index=len(tokenizer) + 2,
        )  # fmt: skip
        return tf.Gemma3ForConditionalGeneration(config).eval(), tokenizer
    config = tf.LlavaConfig(
        text_config=tf.LlamaConfig(**text), vision_config=tf.CLIPVisionConfig(**VISION),
        image_token_index=len(tokenizer),
    )  # fmt: skip
    return tf.LlavaForConditionalGeneration(config).eval(), tokenizer


@pytest.fixture(params=["gemma3", "llava"])
def multimodal(request, tmp_path):
    model, tokenizer = built(request.param)
    folder = tmp_path / request.param
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder, model, tokenizer


def test_the_text_part_gives_the_scores_of_the_whole(multimodal):
    folder, model, tokenizer = multimodal
    loaded = load_model(folder, device="cpu")
    ids = tokenizer("The nurse said that she was tired.", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        whole = model(input_ids=ids).logits
        found = loaded.model(input_ids=ids).logits
    assert torch.allclose(whole, found, atol=1e-5)
    assert loaded.kind == "causal"
    assert loaded.max_length == 128
    assert loaded.identity.architecture.endswith("ForCausalLM")
    assert loaded.identity.n_parameters < model.num_parameters()
    assert any("images are not asked" in note for note in loaded.notes)


def test_a_model_in_memory_is_read_alike(multimodal):
    folder, model, tokenizer = multimodal
    stored, borrowed = load_model(folder, device="cpu"), load_model((model, tokenizer))
    ours, theirs = dict(stored.model.named_parameters()), borrowed.model.named_parameters()
    assert all(torch.equal(ours[name], weight) for name, weight in theirs)


def test_a_weight_that_is_missing_is_refused_in_the_part_that_is_not_asked_too(multimodal):
    from safetensors.torch import load_file, save_file

    folder, _, _ = multimodal
    path = folder / "model.safetensors"
    weights = load_file(path)
    lost = next(name for name in weights if "vision" in name)
    save_file({k: v for k, v in weights.items() if k != lost}, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match="vision"):
        load_model(folder, device="cpu")


def test_an_encoder_and_decoder_is_still_refused(tmp_path):
    config = {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    byte_level_tokenizer(bos="<s>", eos="</s>", pad="<pad>", mask=None).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="neither a causal nor a masked"):
        load_model(tmp_path, device="cpu")
