"""Precision: what rounding may touch, and quantised checkpoints, which stay as they are."""

from __future__ import annotations

import importlib.util
import json
import shutil

import pytest
import torch
import transformers as tf
from safetensors.torch import load_file, save_file

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.weights import quantization
from fairaudit.scoring.load import fingerprint, load_model
from tests.conftest import build_model

IDS = torch.tensor([[1, 2, 3, 40, 50, 6] * 8])


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits.float()


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2", "bert"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounded_to_half_a_model_scores_as_if_loaded_so(checkpoint, family, dtype):
    """Angles of rotary positions are no weights: rounded, they would turn late positions away."""
    auto = tf.AutoModelForMaskedLM if family == "bert" else tf.AutoModelForCausalLM
    expected = auto.from_pretrained(checkpoint(family), dtype=getattr(torch, dtype)).eval()
    loaded = load_model(checkpoint(family), dtype=dtype)
    assert loaded.dtype == dtype
    assert torch.equal(logits(loaded.model), logits(expected))


def test_a_config_that_names_a_narrower_type_rounds_nothing(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    edit_config(folder, dtype="float16")
    for dtype in ("float32", "bfloat16"):
        whole = load_model(checkpoint("gpt2"), dtype=dtype)
        found = load_model(folder, dtype=dtype)
        assert found.identity.fingerprint == whole.identity.fingerprint
        assert torch.equal(logits(found.model), logits(whole.model))


def test_a_file_of_two_types_rounds_nothing(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    wte = weights["transformer.wte.weight"].bfloat16()
    save_file(
        weights | {"transformer.wte.weight": wte},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    whole = load_model(folder)
    half = load_model(folder, dtype="bfloat16")
    assert whole.identity.fingerprint == half.identity.fingerprint
    assert torch.equal(whole.model.transformer.wte.weight, wte.float())
    other = "transformer.h.0.mlp.c_fc.weight"
    assert torch.equal(whole.model.get_parameter(other), weights[other])


def test_the_fingerprint_includes_stored_buffers(tmp_path):
    """Issue 18, item 14: a buffer that is stored changes scores as a weight does."""
    model, tokenizer = build_model("gpt2")
    plain = load_model((model, tokenizer)).identity.fingerprint
    model.transformer.register_buffer("shift", torch.zeros(3), persistent=False)
    assert load_model((model, tokenizer)).identity.fingerprint == plain
    model.transformer.register_buffer("scale", torch.ones(3))
    ones = load_model((model, tokenizer)).identity.fingerprint
    model.transformer.scale[1] = 2.0
    twos = load_model((model, tokenizer)).identity.fingerprint
    model.transformer.register_buffer("count", torch.tensor(2**24))
    count = load_model((model, tokenizer)).identity.fingerprint
    model.transformer.count += 1
    assert len({plain, ones, twos, count, load_model((model, tokenizer)).identity.fingerprint}) == 5
    model.transformer.scale[1] = float("nan")
    with pytest.raises(ModelError, match=r"NaN or infinity \(first in transformer\.scale"):
        load_model((model, tokenizer))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "bitsandbytes 8 bit"),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "fp4"},
            "bitsandbytes 4 bit fp4",
        ),
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq 4 bit"),
        ({"quant_method": "fp8"}, "fp8"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "a": {"weights": {"num_bits": 8}},
                    "b": {"weights": {"num_bits": 4}},
                    "c": {"weights": None},
                },
            },
            "compressed-tensors 4 and 8 bit",
        ),
    ],
)
def test_how_a_checkpoint_is_quantised_is_named(settings, words):
    assert quantization(tf.GPT2Config(quantization_config=settings)) == words
    assert quantization(tf.GPT2Config()) is None


BITS = {
    "4 bit": {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
    "8 bit": {"quant_method": "bitsandbytes", "load_in_8bit": True},
}


@pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is not None, reason="bitsandbytes is there"
)
@pytest.mark.parametrize("bits", BITS)
def test_a_quantised_checkpoint_without_its_package_is_one_line(checkpoint, tmp_path, bits):
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    edit_config(folder, quantization_config=BITS[bits])
    with pytest.raises(ModelError) as raised:
        load_model(folder)
    said = str(raised.value)
    assert f"quantised by bitsandbytes {bits}" in said
    assert "pip install" in said
    assert "\n" not in said


PACKAGES = {
    "gptq": ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "optimum", "gptq 4 bit"),
    "torchao": ({"quant_method": "torchao", "quant_type": "int8_weight_only"}, "torchao", ""),
    "compressed-tensors": (
        {
            "quant_method": "compressed-tensors",
            "format": "pack-quantized",
            "config_groups": {"a": {"targets": ["Linear"], "weights": {"num_bits": 4}}},
        },
        "compressed_tensors",
        "compressed-tensors 4 bit",
    ),
}


@pytest.mark.parametrize("method", PACKAGES)
def test_each_method_names_the_package_that_it_needs(checkpoint, tmp_path, method):
    settings, package, how = PACKAGES[method]
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is there")
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    edit_config(folder, quantization_config=settings)
    with pytest.raises(ModelError, match=f"pip install {package.replace('_', '-')}") as raised:
        load_model(folder)
    assert how in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_method_that_transformers_passes_over_is_refused(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    edit_config(folder, quantization_config={"quant_method": "odd"})
    with pytest.raises(ModelError, match="does not know; if the weights are plain numbers"):
        load_model(folder)


def test_blocks_that_cannot_run_here_are_unpacked_and_recorded(checkpoint, tmp_path):
    """Without a GPU `transformers` turns fp8 into bfloat16."""
    if torch.cuda.is_available():
        pytest.skip("fp8 runs on this machine")
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    edit_config(folder, quantization_config={"quant_method": "fp8"})
    loaded = load_model(folder)
    assert loaded.identity.quantization == "fp8"
    assert loaded.identity.stored_as == "safetensors F32, fp8"
    assert loaded.notes == ("model: fp8 was unpacked to plain weights to run on this device",)


def wide_llama():
    """Like the small Llama, with matrices of whole blocks, as bitsandbytes on a CPU needs them."""
    torch.manual_seed(0)
    wider = {"hidden_size": 128, "intermediate_size": 128, "head_dim": 32}
    return tf.LlamaForCausalLM(
        tf.LlamaConfig(**{**build_model("llama")[0].config.to_dict(), **wider})
    )


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide")
    wide_llama().save_pretrained(folder)
    build_model("llama")[1].save_pretrained(folder)
    return folder


@pytest.fixture
def quantised(wide, tmp_path):
    """A 4-bit or 8-bit copy of a small Llama, as people publish them."""
    pytest.importorskip("bitsandbytes")

    def make(bits):
        options = {name: value for name, value in BITS[bits].items() if name != "quant_method"}
        if bits == "4 bit":
            options["bnb_4bit_compute_dtype"] = torch.float32
        model = tf.AutoModelForCausalLM.from_pretrained(
            wide,
            quantization_config=tf.BitsAndBytesConfig(**options),
            device_map={"": "cpu"},
        )
        folder = tmp_path / bits.replace(" ", "-")
        model.save_pretrained(folder)
        build_model("llama")[1].save_pretrained(folder)
        for module in model.modules():
            if hasattr(module, "support_avx512bf16_for_cpu"):
                module.support_avx512bf16_for_cpu = False
        return folder, model.eval()

    return make


@pytest.mark.parametrize("bits", BITS)
def test_a_quantised_checkpoint_stays_quantised_and_is_recorded(quantised, wide, bits):
    folder, model = quantised(bits)
    loaded = load_model(folder, device="cpu")
    assert loaded.identity.quantization.startswith(f"bitsandbytes {bits}")
    assert not loaded.model.model.layers[0].self_attn.q_proj.weight.is_floating_point()
    assert torch.equal(logits(loaded.model), logits(model))
    assert loaded.identity.stored_as.endswith(loaded.identity.quantization)
    whole = load_model(wide)
    assert loaded.identity.n_parameters == whole.identity.n_parameters
    assert loaded.identity.fingerprint != whole.identity.fingerprint


@pytest.mark.parametrize("bits", BITS)
def test_reading_the_weights_of_a_quantised_model_leaves_them_as_they_are(quantised, bits):
    """bitsandbytes 0.50 repacks 4-bit weights in place, and then saves other ones."""
    loaded = load_model(quantised(bits)[0], device="cpu")
    before, known = logits(loaded.model), fingerprint(loaded.model, loaded.tokenizer)
    loaded.model.state_dict()
    assert torch.equal(logits(loaded.model), before)
    assert known == loaded.identity.fingerprint
    assert fingerprint(loaded.model, loaded.tokenizer) == known


@pytest.mark.parametrize("bits", BITS)
def test_the_scales_of_a_quantised_weight_are_part_of_the_fingerprint(quantised, bits):
    folder, _ = quantised(bits)
    before = load_model(folder, device="cpu").identity.fingerprint
    assert load_model(folder, device="cpu").identity.fingerprint == before
    path = folder / "model.safetensors"
    weights = load_file(path)
    name = next(key for key in weights if key.endswith(("absmax", "SCB")))
    save_file(weights | {name: weights[name] * 2}, path, metadata={"format": "pt"})
    assert load_model(folder, device="cpu").identity.fingerprint != before


def test_an_adapter_stands_beside_the_weights_of_a_quantised_base(quantised, tmp_path):
    peft = pytest.importorskip("peft")
    folder, model = quantised("4 bit")
    torch.manual_seed(1)
    adapted = peft.get_peft_model(
        model, peft.LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False)
    ).eval()
    adapted.peft_config["default"].base_model_name_or_path = str(folder)
    adapted.save_pretrained(tmp_path / "adapter")
    loaded = load_model(tmp_path / "adapter", device="cpu")
    assert torch.equal(logits(loaded.model), logits(adapted))
    assert loaded.identity.adapter.merged is False
    assert loaded.identity.architecture == "LlamaForCausalLM"
    assert f"adapter: adapter on top of quantised {folder}" in loaded.notes
