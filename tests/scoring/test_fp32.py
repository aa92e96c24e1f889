"""A model in low precision computes in fp32 for a while, and is then as it was (issue 18, 11)."""

from __future__ import annotations

import copy

import pytest
import torch

from fairaudit.errors import ModelError
from fairaudit.scoring import precision
from fairaudit.scoring.load import load_model
from fairaudit.scoring.precision import in_fp32
from tests.architectures import PADDING_MATTERS, build
from tests.conftest import build_model

#: FNet's Fourier transform runs in fp32 only.
OTHERS = [name for name in (*PADDING_MATTERS, "xlm") if name != "fnet"]
FAMILIES = ["gpt2", "llama", "qwen2", "bert", "roberta", "distilbert", *OTHERS]
IDS = torch.tensor([[5, 9, 17, 6, 30, 8]])


def made(name):
    return build(name) if name in OTHERS else build_model(name)


@torch.inference_mode()
def logits(model):
    return model(input_ids=IDS).logits


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", FAMILIES)
def test_it_computes_as_the_widened_model_and_is_then_as_before(name, dtype):
    model, tokenizer = made(name)
    loaded = load_model((model.to(dtype), tokenizer))
    expected = logits(copy.deepcopy(model).float())
    before, state = logits(model), copy.deepcopy(model.state_dict())
    with in_fp32(loaded) as wide:
        assert wide.dtype == "float32"
        assert torch.allclose(logits(wide.model), expected, atol=1e-5)
    assert torch.equal(logits(model), before)
    for key, value in model.state_dict().items():
        assert value.dtype == state[key].dtype
        assert torch.equal(value, state[key])


def test_only_one_block_is_wide_at_a_time():
    model, tokenizer = build_model("gpt2")
    seen = []
    for block in model.transformer.h:
        block.attn.register_forward_hook(
            lambda *_: seen.append([one.mlp.c_fc.weight.dtype for one in model.transformer.h])
        )
    with in_fp32(load_model((model.bfloat16(), tokenizer))) as wide:
        seen.clear()
        logits(wide.model)
    wide_ones = [[dtype == torch.float32 for dtype in dtypes] for dtypes in seen]
    assert wide_ones == [[True, False], [False, True]]


class Unrolled(torch.nn.Module):
    """Calls the parts of its blocks, never the blocks."""

    def __init__(self, blocks):
        super().__init__()
        self.inner = blocks

    def forward(self, hidden):
        for block in self.inner:
            hidden = hidden + block.mlp(block.ln_2(hidden))
        return hidden


def test_blocks_that_are_never_called_are_widened_all_the_same():
    model, tokenizer = build_model("gpt2")
    extra = Unrolled(copy.deepcopy(model.transformer.h))
    model.transformer.ln_f = torch.nn.Sequential(model.transformer.ln_f, extra)
    loaded = load_model((model.bfloat16(), tokenizer))
    expected = logits(copy.deepcopy(model).float())
    with in_fp32(loaded) as wide:
        assert torch.allclose(logits(wide.model), expected, atol=1e-5)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}


def test_weights_that_loading_rounded_are_those_of_the_file(checkpoint):
    exact, rounded = (load_model(checkpoint("llama"), dtype=d) for d in ("float32", "bfloat16"))
    with in_fp32(rounded) as wide:
        assert torch.allclose(logits(wide.model), logits(exact.model), atol=1e-6)
    assert rounded.model.dtype == torch.bfloat16


def test_weights_that_were_not_rounded_are_not_read_again(tmp_path):
    model, tokenizer = build_model("llama")
    model.bfloat16().save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert load_model(tmp_path, dtype="bfloat16").unrounded is None
    assert load_model(tmp_path, dtype="float32").unrounded is None


def test_an_error_inside_leaves_the_model_as_it_was():
    model, tokenizer = build_model("gpt2")
    loaded = load_model((model.bfloat16(), tokenizer))
    with pytest.raises(ValueError, match="stop"), in_fp32(loaded):
        raise ValueError("stop")
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}


def test_too_little_memory_is_said_in_one_line(monkeypatch):
    loaded = load_model(build_model("gpt2"))
    loaded.model.bfloat16()

    def scarce(_part):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(precision._Part, "widen", scarce)
    with pytest.raises(ModelError, match=r"^out of memory while near-ties"), in_fp32(loaded):
        pass
