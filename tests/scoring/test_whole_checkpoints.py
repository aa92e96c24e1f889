"""Every weight of a model comes from its file, and every weight of the file is used.

Issue 18, item 5: whole models and classifiers. Adapters have a file of their own.
"""

from __future__ import annotations

import json
import shutil

import pytest
import torch
import transformers as tf
from safetensors.torch import load_file, save_file

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.keys import check_keys
from fairaudit.scoring.load import load_model
from fairaudit.scoring.texts.checkpoint import load_classifier
from tests.classifiers import save as save_classifier
from tests.conftest import build_model, shared, word_piece_tokenizer


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A copy of a saved GPT-2 that a test may damage."""
    return shutil.copytree(checkpoint("gpt2"), tmp_path / "model")


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder, change):
    path = folder / "model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file({k: v.contiguous() for k, v in weights.items()}, path, metadata={"format": "pt"})


def refusal(load, folder):
    with pytest.raises(ModelError) as raised:
        load(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_layer_that_the_config_does_not_ask_for_is_refused(copy):
    edit_config(copy, n_layer=1)
    said = refusal(load_model, copy)
    assert "11 weights are in the file but not used" in said
    assert "(transformer.h.1.attn.c_attn.weight, " in said
    assert "config.json" in said


def test_gpt2_mini_with_three_of_its_four_layers_is_refused(tmp_path):
    folder = shutil.copytree(shared("models", "gpt2-mini"), tmp_path / "mini")
    edit_config(folder, n_layer=3)
    assert "transformer.h.3." in refusal(load_model, folder)


def test_weights_of_a_bare_backbone_are_told_by_its_names(copy):
    def strip(weights):
        for name in list(weights):
            weights[name.removeprefix("transformer.")] = weights.pop(name)

    edit_weights(copy, strip)
    ids = torch.tensor([[1, 2, 3]])
    whole = build_model("gpt2")[0]
    assert torch.equal(load_model(copy).model(ids).logits, whole(ids).logits)
    edit_config(copy, n_layer=1)
    assert "11 weights are in the file but not used" in refusal(load_model, copy)


def test_a_prefix_that_a_wrapper_left_is_refused(copy):
    def wrap(weights):
        for name in list(weights):
            weights[f"_module.{name}"] = weights.pop(name)

    edit_weights(copy, wrap)
    said = refusal(load_model, copy)
    assert "missing from the file and would be random" in said
    assert "in the file but not used" in said


def test_an_adapter_that_was_not_merged_into_the_file_is_refused(copy):
    def add(weights):
        weights["transformer.h.0.attn.c_attn.lora_A.weight"] = torch.zeros(2, 32)
        weights["transformer.h.0.attn.c_attn.lora_B.weight"] = torch.zeros(96, 2)

    edit_weights(copy, add)
    assert "2 weights are in the file but not used" in refusal(load_model, copy)


@pytest.mark.parametrize("name", ["ema.transformer.wte.weight", "lm_head.bias", "prompt.weight"])
def test_any_other_weight_without_a_place_is_refused(copy, name):
    edit_weights(copy, lambda weights: weights.update({name: torch.zeros(400)}))
    assert f"1 weight is in the file but not used ({name})" in refusal(load_model, copy)


def test_another_shape_is_refused_with_both_shapes(copy):
    edit_config(copy, n_inner=64)
    said = refusal(load_model, copy)
    assert "of another shape than the model's" in said
    assert "transformer.h.0.mlp.c_fc.weight [32, 128] for [32, 64]" in said


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_half_of_the_layers_missing_is_refused(copy, dtype):
    def drop(weights):
        for name in [name for name in weights if ".h.1." in name]:
            del weights[name]

    edit_weights(copy, drop)
    with pytest.raises(ModelError, match="12 weights are missing from the file"):
        load_model(copy, dtype=dtype)


def bert_with_all_heads(folder):
    """What BERT was published as: its masked head, a pooler and a next-sentence head."""
    tokenizer = word_piece_tokenizer()
    torch.manual_seed(0)
    config = tf.BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    model = tf.BertForPreTraining(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    edit_config(folder, architectures=["BertForMaskedLM"])
    return model


def test_heads_of_other_tasks_are_noted_and_change_nothing(tmp_path):
    model = bert_with_all_heads(tmp_path)
    loaded = load_model(tmp_path)
    (note,) = loaded.notes
    assert "4 weights are of another task's head and not used (bert.pooler.dense.bias" in note
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        expected = model(ids).prediction_logits
        assert torch.allclose(loaded.model(ids).logits, expected, atol=1e-6)


def test_a_layer_too_many_is_refused_beside_heads_of_other_tasks(tmp_path):
    bert_with_all_heads(tmp_path)
    edit_config(tmp_path, num_hidden_layers=1)
    said = refusal(load_model, tmp_path)
    assert "16 weights are in the file but not used (bert.encoder.layer.1." in said


def test_buffers_that_old_versions_stored_are_no_weights(copy, checkpoint, tmp_path):
    def add_masks(weights):
        for layer in range(2):
            weights[f"transformer.h.{layer}.attn.bias"] = torch.ones(1, 1, 64, 64)
            weights[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)
            weights[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)

    edit_weights(copy, add_masks)
    original = load_model(checkpoint("gpt2")).identity.fingerprint
    assert load_model(copy).identity.fingerprint == original
    assert load_model(copy).notes == ()

    bert = shutil.copytree(checkpoint("bert"), tmp_path / "bert")
    positions = {"bert.embeddings.position_ids": torch.arange(64)[None]}
    edit_weights(bert, lambda weights: weights.update(positions))
    assert load_model(bert).notes == ()

    llama = shutil.copytree(checkpoint("llama"), tmp_path / "llama")
    angles = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in range(2)}
    edit_weights(llama, lambda weights: weights.update(angles))
    assert load_model(llama).notes == ()


def test_a_mask_of_a_layer_that_is_not_there_is_no_mask():
    model = build_model("gpt2")[0]
    report = {"missing_keys": set(), "mismatched_keys": set()}
    unused = {"unexpected_keys": {"transformer.h.7.attn.masked_bias"}}
    with pytest.raises(ModelError, match="1 weight is in the file but not used"):
        check_keys(model, report | unused, "model")
    unused = {"unexpected_keys": {"transformer.h.1.attn.masked_bias"}}
    assert check_keys(model, report | unused, "model") == ()


def test_tied_weights_may_be_stored_once_or_twice(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "twice")
    edit_weights(
        folder, lambda w: w.update({"lm_head.weight": w["transformer.wte.weight"].clone()})
    )
    assert load_model(folder).notes == ()


def test_a_head_that_the_config_ties_but_the_file_has_of_its_own_is_scored(copy):
    own = torch.randn(400, 32, generator=torch.Generator().manual_seed(1))
    edit_weights(copy, lambda weights: weights.update({"lm_head.weight": own}))
    assert torch.equal(load_model(copy).model.lm_head.weight, own)


def test_a_value_head_is_another_task_s(copy):
    edit_weights(copy, lambda weights: weights.update({"v_head.summary.weight": torch.ones(1, 32)}))
    (note,) = load_model(copy).notes
    assert "1 weight is of another task's head and not used (v_head.summary.weight)" in note


def classifier_folder(tmp_path):
    return save_classifier(tmp_path / "toxic", steps=1)


def test_a_classifier_with_a_layer_too_many_is_refused(tmp_path):
    folder = classifier_folder(tmp_path)
    edit_weights(
        folder, lambda w: w.update({"bert.encoder.layer.1.output.dense.bias": torch.ones(32)})
    )
    assert "1 weight is in the file but not used (bert.encoder.layer.1" in refusal(
        load_classifier, folder
    )


def test_a_classifier_without_its_head_is_refused(tmp_path):
    folder = classifier_folder(tmp_path)
    edit_weights(folder, lambda weights: weights.pop("classifier.weight"))
    said = refusal(load_classifier, folder)
    assert "1 weight is missing from the file and would be random (classifier.weight)" in said
    assert "saved without its head" in said


def test_a_classifier_with_more_labels_than_its_head_is_refused(tmp_path):
    folder = classifier_folder(tmp_path)
    edit_config(folder, id2label={"0": "a", "1": "b", "2": "toxic"}, label2id={})
    assert "classifier.weight [2, 32] for [3, 32]" in refusal(load_classifier, folder)


def test_a_classifier_may_keep_the_masked_head_it_was_trained_from(tmp_path):
    folder = classifier_folder(tmp_path)
    edit_weights(folder, lambda w: w.update({"cls.predictions.bias": torch.zeros(9)}))
    assert load_classifier(folder).labels == ("neutral", "toxic")


def test_pickles_behind_an_index_are_refused(copy):
    (copy / "model.safetensors").rename(copy / "elsewhere.safetensors")
    index = {"metadata": {}, "weight_map": {"transformer.wte.weight": "pytorch_model.bin"}}
    (copy / "model.safetensors.index.json").write_text(json.dumps(index))
    torch.save({}, copy / "pytorch_model.bin")
    said = refusal(load_model, copy)
    assert "pytorch_model.bin" in said
    assert "only safetensors are read" in said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "holds no JSON object"),
        ("{}", "lists no weights"),
        ('{"weight_map": {"a": "gone.safetensors"}}', "gone.safetensors is missing"),
    ],
)
def test_an_index_that_is_damaged_is_one_line(copy, content, words):
    (copy / "model.safetensors").rename(copy / "elsewhere.safetensors")
    (copy / "model.safetensors.index.json").write_text(content)
    assert words in refusal(load_model, copy)


def test_two_sets_of_weights_in_one_folder_are_refused(copy):
    """A later save in shards leaves an earlier file in place, and the earlier one is loaded."""
    model = build_model("gpt2")[0]
    model.save_pretrained(copy / "later", max_shard_size="20KB")
    for path in (copy / "later").glob("model*"):
        path.rename(copy / path.name)
    assert "holds both model.safetensors and model.safetensors.index.json" in refusal(
        load_model, copy
    )
    (copy / "model.safetensors").unlink()
    ids = torch.tensor([[1, 2, 3]])
    assert torch.equal(load_model(copy).model(ids).logits, model(ids).logits)


def test_a_folder_has_no_revision(copy):
    """A revision that is not used must not enter the record."""
    with pytest.raises(ModelError, match="a folder has no revision 'v2'"):
        load_model(copy, revision="v2")
