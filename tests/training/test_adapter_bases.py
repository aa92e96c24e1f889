"""`finetune` and `diagnose` take a PEFT adapter as they promise (issue 18, item 5; issue 22)."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

import fairaudit
from fairaudit.errors import ModelError
from fairaudit.results.training import TrainingRecord
from fairaudit.scoring.load import load_model
from fairaudit.training.finetuning import finetune
from tests.conftest import CORPUS, build_model

peft = pytest.importorskip("peft")

SHORT = {"steps": 3, "batch_size": 4, "device": "cpu"}
ARMS = {"plain": {}, "dp": {"noise_multiplier": 1.0}, "lora": {"lora": 2}}


@pytest.fixture(scope="module")
def adapter(checkpoint, tmp_path_factory):
    """An adapter of the small GPT-2 without a tokenizer."""
    model = build_model("gpt2")[0]
    torch.manual_seed(1)
    config = peft.LoraConfig(
        r=2, target_modules=["c_attn"], init_lora_weights=False, fan_in_fan_out=True
    )
    adapted = peft.get_peft_model(model, config)
    adapted.peft_config["default"].base_model_name_or_path = str(checkpoint("gpt2"))
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def merged(adapter, tmp_path_factory):
    """The same model, saved as a whole."""
    loaded = load_model(adapter)
    folder = tmp_path_factory.mktemp("merged") / "merged"
    loaded.model.save_pretrained(folder)
    loaded.tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("arm", ARMS)
def test_training_starts_from_the_merged_weights(adapter, merged, checkpoint, tmp_path, arm):
    options = {**SHORT, **ARMS[arm]}
    done = finetune(adapter, CORPUS, output=tmp_path / "adapter", **options)
    record = TrainingRecord.load(done.folder)
    assert record.base_adapter.base == str(checkpoint("gpt2"))
    assert record.base_adapter.tokenizer == "base"
    assert record.base_fingerprint == load_model(merged).identity.fingerprint
    assert record.parameter_distance > 0
    # Every weight is trained, those without an adapter as well.
    saved = load_model(done.folder).model.transformer
    before = load_model(merged).model.transformer
    if arm != "lora":
        assert not torch.equal(saved.wpe.weight, before.wpe.weight)
    if arm != "dp":
        whole = finetune(merged, CORPUS, output=tmp_path / "merged", **options)
        first, second = (load_file(d.folder / "model.safetensors") for d in (done, whole))
        assert all(torch.equal(first[name], second[name]) for name in second)
        assert TrainingRecord.load(whole.folder).base_adapter is None


def test_diagnosing_an_adapter_is_diagnosing_the_merged_model(adapter, merged, tmp_path):
    texts = tmp_path / "texts.csv"
    texts.write_text(
        "text,side,story\n"
        + "\n".join(
            f"{who} saw the {what}.,{side},{what}"
            for what in ("river", "house", "snow", "town", "night", "year")
            for side, who in (("first", "The poor farmer"), ("second", "A rich lawyer"))
        )
    )
    found = [
        fairaudit.diagnose(
            model,
            texts=texts,
            group_column="side",
            template_column="story",
            max_grad_norm=1.0,
            noise_multiplier=1.0,
            batch_size=8,
            replicates=199,
            curvature_probes=0,
            labels=["model"],
        )
        for model in (adapter, merged)
    ]
    values = [[(q.key, q.value) for q in result.quantities] for result in found]
    assert values[0] == values[1]
    assert any(value is not None for _, value in values[0])
    identity = found[0].models[0].identity
    assert identity.adapter is not None
    assert any("adapter merged into" in note for note in found[0].notes)
    assert found[1].models[0].identity.adapter is None


def test_an_adapter_with_missing_keys_is_refused_before_anything_is_written(
    adapter, tmp_path, checkpoint
):
    import shutil

    folder = shutil.copytree(adapter, tmp_path / "half")
    config = json.loads((folder / "adapter_config.json").read_text())
    config["layers_to_transform"] = [0]
    (folder / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="in the file but not used"):
        finetune(folder, CORPUS, output=tmp_path / "out", **SHORT)
    with pytest.raises(ModelError, match="in the file but not used"):
        fairaudit.diagnose(folder, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def quantised(tmp_path_factory):
    """A checkpoint in 4 bits, of matrices of whole blocks."""
    pytest.importorskip("bitsandbytes")
    import transformers as tf

    folder = tmp_path_factory.mktemp("quantised")
    model, tokenizer = build_model("llama")
    wider = {"hidden_size": 128, "intermediate_size": 128, "head_dim": 32}
    tf.LlamaForCausalLM(tf.LlamaConfig(**{**model.config.to_dict(), **wider})).save_pretrained(
        folder / "whole"
    )
    settings = tf.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    four = tf.AutoModelForCausalLM.from_pretrained(
        folder / "whole", quantization_config=settings, device_map={"": "cpu"}
    )
    four.save_pretrained(folder / "four")
    tokenizer.save_pretrained(folder / "four")
    return folder / "four"


def test_the_gradients_of_a_quantised_checkpoint_are_not_its_model_s(quantised, tmp_path):
    for options in ({}, {"lora": 2}, {"lora": 2, "save": "both"}):
        with pytest.raises(ModelError, match=r"is quantised .*adapters .*needs its full weights"):
            finetune(quantised, CORPUS, output=tmp_path / "out", **SHORT, **options)
    with pytest.raises(ModelError, match="diagnosing its gradients needs its full weights"):
        fairaudit.diagnose(quantised, device="cpu")


def test_adapters_on_a_quantised_base_are_trained_privately_and_verified(quantised, tmp_path):
    """QLoRA: the base stays in 4 bits, the adapter and its gradients are in float32."""
    done = finetune(
        quantised, CORPUS, output=tmp_path / "out", noise_multiplier=1.0, lora=2, save="adapter",
        learning_rate=1e-2, **SHORT,
    )  # fmt: skip
    assert done.training.parameter_distance > 0
    assert {"q_proj", "down_proj"} <= set(done.training.lora.targets)
    assert fairaudit.verify(done.folder).consistent
    assert not (done.folder / "model.safetensors").exists()
