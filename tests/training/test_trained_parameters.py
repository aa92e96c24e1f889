"""Which parameters are trained, and in which form adapters are saved."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from fairaudit.errors import ModelError, UsageError
from fairaudit.results.training import TrainingRecord
from fairaudit.scoring.load import load_model
from fairaudit.training.finetuning import finetune
from fairaudit.training.verification import verify
from tests.conftest import CORPUS

SHORT = {"steps": 3, "batch_size": 4, "device": "cpu", "learning_rate": 1e-2}


def changed(base, folder):
    """Names of the parameters that a fine-tuning changed."""
    before = dict(load_model(base).model.named_parameters())
    after = dict(load_model(folder).model.named_parameters())
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


@pytest.mark.parametrize("private", [False, True])
def test_biases_alone_are_trained(checkpoint, tmp_path, private):
    base = checkpoint("gpt2")
    options = {"noise_multiplier": 1.0} if private else {}
    done = finetune(
        base, CORPUS, output=tmp_path / "m", train_parameters="bias", **SHORT, **options
    )
    moved = changed(base, done.folder)
    assert moved
    assert all(name.endswith(".bias") for name in moved)
    assert done.training.trained == "bias"
    assert TrainingRecord.load(done.folder) == done.training


def test_frozen_patterns_stay_as_they_are(checkpoint, tmp_path):
    base = checkpoint("gpt2")
    done = finetune(base, CORPUS, output=tmp_path / "m", freeze=[r"wte|wpe", "ln_"], **SHORT)
    moved = changed(base, done.folder)
    assert moved
    assert not any(part in name for name in moved for part in ("wte", "wpe", "ln_"))
    assert done.training.frozen == ("wte|wpe", "ln_")


def test_a_model_without_biases_has_none_to_train(checkpoint, tmp_path):
    with pytest.raises(ModelError, match="no bias that could be trained"):
        finetune(
            checkpoint("llama"), CORPUS, output=tmp_path / "m", train_parameters="bias", **SHORT
        )


def test_adapters_have_the_scale_and_the_layers_that_are_asked_for(checkpoint, tmp_path):
    base = checkpoint("gpt2")
    done = finetune(
        base, CORPUS, output=tmp_path / "m", lora=2, lora_alpha=3.0, lora_targets=["c_attn"],
        **SHORT,
    )  # fmt: skip
    assert done.training.lora.model_dump() == {"rank": 2, "alpha": 3.0, "targets": ("c_attn",)}
    assert {name.split(".")[-2] for name in changed(base, done.folder)} == {"c_attn"}


@pytest.mark.parametrize("save", ["adapter", "both"])
def test_adapters_are_saved_alone_or_beside_the_merged_model(checkpoint, tmp_path, save):
    base = checkpoint("gpt2")
    done = finetune(
        base, CORPUS, output=tmp_path / "m", lora=2, save=save, noise_multiplier=1.0, **SHORT
    )
    place = done.folder / ("." if save == "adapter" else "adapter")
    config = json.loads((place / "adapter_config.json").read_text())
    assert config["r"] == 2
    assert all("lora_" in name for name in load_file(place / "adapter_model.safetensors"))
    assert (done.folder / "model.safetensors").exists() == (save == "both")
    # Either way the folder is the model that the statement is about.
    assert verify(done.folder).consistent
    assert load_model(done.folder).identity.fingerprint == done.privacy.model_fingerprint
    if save == "both":
        whole, adapted = (dict(load_model(one).model.named_parameters())
                          for one in (done.folder, place))  # fmt: skip
        for name, value in whole.items():
            torch.testing.assert_close(adapted[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lora_alpha": 4.0}, "lora alpha has no effect without lora"),
        ({"lora_targets": ["c_attn"]}, "lora targets has no effect without lora"),
        ({"save": "both"}, "save 'both' has no effect without lora"),
        ({"lora": 2, "train_parameters": "bias"}, "the adapters alone are trained"),
        ({"lora": 2, "lora_targets": ["q_proj"]}, "no linear layer is called 'q_proj'; there are"),
        ({"lora": 2, "lora_alpha": 0.0}, "lora alpha must be above 0"),
        ({"freeze": ["["]}, r"freeze '\[' is no regular expression"),
        ({"freeze": ["nowhere"]}, "freeze 'nowhere' is found in no parameter"),
        ({"train_parameters": "some"}, "'some' is no train"),
    ],
)
def test_choices_that_make_no_sense_are_refused(checkpoint, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "m", **SHORT, **options)
    assert not (tmp_path / "m" / "config.json").exists()


def test_an_adapter_of_an_adapter_has_no_base_to_name(checkpoint, tmp_path):
    first = finetune(
        checkpoint("gpt2"), CORPUS, output=tmp_path / "a", lora=2, save="adapter", **SHORT
    )
    with pytest.raises(UsageError, match="is an adapter itself"):
        finetune(first.folder, CORPUS, output=tmp_path / "b", lora=2, save="adapter", **SHORT)
