"""Checkpoints that must be refused, each with one clear line, and fingerprints."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from fairaudit.errors import ModelError, UsageError
from fairaudit.scoring.load import load_model
from tests.conftest import build_model


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A copy of a saved GPT-2 that a test may damage."""
    return shutil.copytree(checkpoint("gpt2"), tmp_path / "model")


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_no_such_folder():
    with pytest.raises(ModelError, match="no such folder"):
        load_model("./nowhere/at/all")


def test_hub_id_while_offline():
    with pytest.raises(ModelError, match="cannot be asked while offline"):
        load_model("distilgpt2")


def test_a_file_is_not_a_checkpoint(copy):
    with pytest.raises(ModelError, match="is a file"):
        load_model(copy / "config.json")


def test_folder_without_config(copy):
    (copy / "config.json").unlink()
    with pytest.raises(ModelError, match=r"no config\.json"):
        load_model(copy)


def test_folder_without_tokenizer(copy):
    for path in copy.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(ModelError, match="no tokenizer"):
        load_model(copy)


def test_pickle_weights_only(copy):
    (copy / "model.safetensors").unlink()
    torch.save({}, copy / "pytorch_model.bin")
    with pytest.raises(ModelError, match="only pickle weights"):
        load_model(copy)


def test_no_weights(copy):
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no weights"):
        load_model(copy)


def test_truncated_weights(copy):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="the model cannot be loaded"):
        load_model(copy)


def test_remote_code_is_not_run(copy):
    edit_config(copy, model_type="strange", auto_map={"AutoConfig": "code.Config"})
    (copy / "code.py").write_text("raise SystemExit('this code must not run')")
    with pytest.raises(ModelError, match="--trust-remote-code"):
        load_model(copy)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite(copy, value):
    path = copy / "model.safetensors"
    weights = load_file(path)
    weights["transformer.h.0.mlp.c_fc.bias"][3] = value
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"NaN or infinity \(first in transformer\.h\.0\.mlp"):
        load_model(copy)


def test_missing_head_is_not_made_up(tmp_path):
    model, tokenizer = build_model("llama")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="would be random"):
        load_model(tmp_path)


def test_model_without_language_model_head(copy):
    edit_config(copy, architectures=["GPT2Model"])
    with pytest.raises(ModelError, match="neither a causal nor a masked"):
        load_model(copy)


@pytest.mark.parametrize(
    "options", [{"device": "toaster"}, {"dtype": "float7"}, {"device": "cuda:99"}]
)
def test_devices_and_dtypes_that_do_not_exist(checkpoint, options):
    if options.get("device") == "cuda:99" and torch.cuda.is_available():
        pytest.skip("needs a machine without CUDA")
    with pytest.raises(UsageError):
        load_model(checkpoint("gpt2"), **options)


def test_the_fingerprint_is_of_content_not_of_place_or_storage(copy, checkpoint, tmp_path):
    original = load_model(checkpoint("gpt2")).identity.fingerprint
    assert load_model(copy).identity.fingerprint == original
    assert load_model(build_model("gpt2")).identity.fingerprint == original
    weights = load_file(copy / "model.safetensors")
    weights["transformer.ln_f.bias"][0] += 1e-3
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert load_model(copy).identity.fingerprint != original


def test_half_precision_storage_keeps_the_fingerprint(tmp_path):
    model, tokenizer = build_model("gpt2")
    half = model.half()
    half.save_pretrained(tmp_path / "half")
    tokenizer.save_pretrained(tmp_path / "half")
    model.float().save_pretrained(tmp_path / "full")
    tokenizer.save_pretrained(tmp_path / "full")
    first, second = load_model(tmp_path / "half"), load_model(tmp_path / "full")
    assert first.identity.fingerprint == second.identity.fingerprint
    assert first.dtype == second.dtype == "float32"


def test_a_peft_adapter_is_merged(checkpoint, tmp_path):
    peft = pytest.importorskip("peft")
    base, tokenizer = build_model("gpt2")
    base.config._name_or_path = str(checkpoint("gpt2"))
    config = peft.LoraConfig(
        r=2, target_modules=["c_attn"], fan_in_fan_out=True, init_lora_weights=False
    )
    adapted = peft.get_peft_model(base, config)
    adapted.peft_config["default"].base_model_name_or_path = str(checkpoint("gpt2"))
    adapted.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        expected = adapted.eval()(input_ids=ids).logits
        found = load_model(tmp_path).model(input_ids=ids).logits
    assert torch.allclose(found, expected, atol=1e-5)


def test_roberta_reserves_its_first_positions(checkpoint):
    loaded = load_model(checkpoint("roberta"))
    assert loaded.max_length == 66 - (loaded.tokenizer.pad_token_id + 1)


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation"])
@pytest.mark.parametrize("name", ["someone/kernel", "someone/kernel@main:attend", "paged|x/y"])
def test_a_config_cannot_name_code_of_the_hub_as_its_attention(checkpoint, tmp_path, key, name):
    """Issue 24: with the package `kernels` installed it would have been fetched and run."""
    folder = tmp_path / "model"
    shutil.copytree(checkpoint("gpt2"), folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, key: name}))
    with pytest.raises(ModelError, match=r"asks for attention .* code from elsewhere"):
        load_model(folder)
    (folder / "config.json").write_text(json.dumps({**config, key: "eager"}))
    assert load_model(folder).model.config._attn_implementation == "eager"
