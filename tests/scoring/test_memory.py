"""Memory that runs out, and a file that changes under the model (issue 24)."""

from __future__ import annotations

import shutil

import pytest
import torch
import transformers as tf

from fairaudit.scoring.load import load_model
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.scoring.texts.checkpoint import load_classifier
from tests.conftest import build_model
from tests.gguf_files import write_gguf

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: can't allocate "
                 "memory: you tried to allocate 400 bytes. Error code 12 (Cannot allocate memory)"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:20])
def test_every_allocator_is_understood(error):
    assert isinstance(error, MEMORY_ERRORS)
    assert out_of_memory(error)


def test_a_real_allocation_that_fails():
    with pytest.raises(MEMORY_ERRORS) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert out_of_memory(caught.value)


def test_another_error_is_none():
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


def plain(family):
    return lambda checkpoint, place: shutil.copytree(checkpoint(family), place)


def bits(**options):
    """Make a quantised copy of a small Llama, with matrices of whole blocks."""

    def make(_, place):
        pytest.importorskip("bitsandbytes")
        torch.manual_seed(0)
        wider = {"hidden_size": 128, "intermediate_size": 128, "head_dim": 32}
        config = tf.LlamaConfig(**{**build_model("llama")[0].config.to_dict(), **wider})
        wide = place.parent / "wide"
        tf.LlamaForCausalLM(config).save_pretrained(wide)
        tf.AutoModelForCausalLM.from_pretrained(
            wide, quantization_config=tf.BitsAndBytesConfig(**options), device_map={"": "cpu"}
        ).save_pretrained(place)
        build_model("llama")[1].save_pretrained(place)

    return make


def gguf(quantised):
    def make(_, place):
        pytest.importorskip("gguf")
        place.mkdir()
        write_gguf(place / "model.gguf", quantised=quantised)

    return make


def adapter(of):
    """Make an adapter whose base lies beside it."""

    def make(checkpoint, place):
        peft = pytest.importorskip("peft")
        place.mkdir()
        of(checkpoint, place / "base")
        base = tf.AutoModelForCausalLM.from_pretrained(place / "base")
        targets = ["q_proj"] if hasattr(base.config, "head_dim") else ["c_attn"]
        torch.manual_seed(1)
        settings = peft.LoraConfig(r=2, target_modules=targets, init_lora_weights=False,
                                   fan_in_fan_out=targets == ["c_attn"])  # fmt: skip
        peft.get_peft_model(base, settings).save_pretrained(place / "adapter")

    return make


CHECKPOINTS = {
    "gpt2": plain("gpt2"),
    "bert": plain("bert"),
    "8 bit": bits(load_in_8bit=True),
    "4 bit": bits(load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32),
    "gguf": gguf(None),
    "gguf in blocks": gguf("Q8_0"),
    "adapter": adapter(plain("gpt2")),
    "adapter on 4 bit": adapter(bits(load_in_4bit=True, bnb_4bit_compute_dtype=torch.float32)),
}


@torch.no_grad()
def logits(model):
    return model(input_ids=torch.tensor([[1, 2, 3, 40, 50, 6]])).logits.clone()


def overwrite_in_place(folder):
    """Change most bytes of all weights below a folder, as a program that saves over them does."""
    files = [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".gguf")]
    assert files
    for path in files:
        size = path.stat().st_size
        with path.open("r+b") as stream:
            stream.seek(size // 4)
            stream.write(b"\x3f" * (size - size // 4))


@pytest.mark.parametrize("kind", CHECKPOINTS)
def test_a_checkpoint_overwritten_in_place_does_not_change_the_model(checkpoint, tmp_path, kind):
    """A file that stays mapped into memory changes all numbers under the old fingerprint."""
    place = tmp_path / "model"
    CHECKPOINTS[kind](checkpoint, place)
    loaded = load_model(place / "adapter" if "adapter" in kind else place, device="cpu")
    before = logits(loaded.model)
    overwrite_in_place(place)
    assert torch.equal(logits(loaded.model), before)


def test_a_classifier_overwritten_in_place_stays_the_same(tmp_path):
    model, tokenizer = build_model("bert")
    torch.manual_seed(0)
    tf.BertForSequenceClassification(model.config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_classifier(tmp_path, device="cpu")
    before = logits(loaded.model)
    overwrite_in_place(tmp_path)
    assert torch.equal(logits(loaded.model), before)
