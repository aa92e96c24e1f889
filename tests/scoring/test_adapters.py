"""PEFT adapters: their base, their keys, and merging without rounding (issue 18, item 5)."""

from __future__ import annotations

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

import fairaudit
from fairaudit.errors import ModelError
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from tests.conftest import CORPUS, build_model, shared

peft = pytest.importorskip("peft")

IDS = torch.tensor([[1, 2, 3, 40, 50, 6]])
TARGETS = {"gpt2": ["c_attn"], "llama": ["q_proj", "v_proj"], "bert": ["query", "value"]}


def adapted(family, base, *, scale=1.0, targets=None, **options):
    """A model with a random adapter on top, and its tokenizer."""
    loaded = load_model(base)
    model, tokenizer = loaded.model, loaded.tokenizer
    torch.manual_seed(1)
    config = peft.LoraConfig(
        r=2, target_modules=targets or TARGETS[family], init_lora_weights=False,
        fan_in_fan_out=family == "gpt2", **options,
    )  # fmt: skip
    model = peft.get_peft_model(model, config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.mul_(scale)
    model.peft_config["default"].base_model_name_or_path = str(base)
    return model.eval(), tokenizer


def save(folder, model, tokenizer=None):
    model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def adapter(checkpoint, tmp_path):
    """An adapter of the small GPT-2, with a tokenizer of its own."""
    return save(tmp_path / "adapter", *adapted("gpt2", checkpoint("gpt2")))


def edit_config(folder, **changes):
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder, change):
    path = folder / "adapter_model.safetensors"
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})


def refusal(folder, **options):
    with pytest.raises(ModelError) as raised:
        load_model(folder, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits.float()


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_scores_of_the_merged_adapter_are_those_of_the_adapter(checkpoint, tmp_path, family):
    model, tokenizer = adapted(family, checkpoint(family))
    loaded = load_model(save(tmp_path / "adapter", model, tokenizer))
    assert torch.allclose(logits(loaded.model), logits(model), atol=1e-5)
    assert type(loaded.model).__name__ == loaded.identity.architecture
    assert loaded.identity.architecture == type(build_model(family)[0]).__name__
    base = load_model(checkpoint(family))
    assert not torch.allclose(logits(loaded.model), logits(base.model), atol=1e-2)
    origin = loaded.identity.adapter
    assert (origin.base, origin.base_revision) == (str(checkpoint(family)), None)
    assert (origin.tokenizer, origin.merged) == ("adapter", True)
    assert origin.base_fingerprint == base.identity.fingerprint
    assert loaded.notes == (f"adapter: adapter merged into {checkpoint(family)}",)


def bf16_base(tmp_path, family):
    model, tokenizer = build_model(family)
    model.bfloat16().save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    return tmp_path / "base"


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_small_update_of_a_bf16_base_is_not_rounded_away(tmp_path, family):
    """The update is 2⁻⁹ of the weights: added to bf16 weights, most of it would vanish."""
    base = bf16_base(tmp_path, family)
    folder = save(tmp_path / "adapter", *adapted(family, base, scale=0.03))
    unmerged = peft.PeftModel.from_pretrained(load_model(base).model, folder).eval()
    wanted, plain = logits(unmerged), logits(load_model(base).model)
    found = logits(load_model(folder).model)
    moved = float((wanted - plain).abs().max())
    assert float((found - wanted).abs().max()) < 1e-3 * moved


def test_asked_for_bf16_the_merged_weights_are_rounded_once(tmp_path):
    base = bf16_base(tmp_path, "llama")
    folder = save(tmp_path / "adapter", *adapted("llama", base, scale=0.03))
    whole, half = load_model(folder), load_model(folder, dtype="bfloat16")
    assert (whole.dtype, half.dtype) == ("float32", "bfloat16")
    pairs = zip(whole.model.parameters(), half.model.parameters(), strict=True)
    assert all(torch.equal(a.bfloat16(), b) for a, b in pairs)
    assert whole.identity.fingerprint == half.identity.fingerprint
    moved = [
        float((a.bfloat16() != b).float().mean())
        for (name, a), b in zip(
            whole.model.named_parameters(), load_model(base).model.parameters(), strict=True
        )
        if "q_proj" in name
    ]
    # Rounded before the sum, a part of the update would be lost that rounding once keeps.
    assert min(moved) > 0.05


def test_the_case_with_a_wrapper_s_prefix_is_refused(tmp_path):
    folder = shutil.copytree(shared("cases", "adapters", "ad_prefix"), tmp_path / "ad_prefix")
    edit_config(folder, base_model_name_or_path=str(shared("models", "gpt2-mini")))
    said = refusal(folder)
    assert "8 weights are missing from the file and would be random" in said
    assert "8 weights are in the file but not used (_module." in said


def test_the_case_without_a_tokenizer_takes_that_of_its_base(tmp_path):
    base = shared("models", "gpt2-mini")
    folder = shutil.copytree(shared("cases", "adapters", "ad_notok"), tmp_path / "ad_notok")
    edit_config(folder, base_model_name_or_path=str(base))
    loaded = load_model(folder)
    assert loaded.tokenizer.get_vocab() == load_model(base).tokenizer.get_vocab()
    assert loaded.identity.adapter.tokenizer == "base"
    assert "ad_notok: the adapter has no tokenizer; that of its base model is used" in loaded.notes


def drop_a_layer(folder):
    def drop(weights):
        for name in [name for name in weights if ".h.1." in name]:
            del weights[name]

    edit_weights(folder, drop)


def rename(old, new):
    def change(weights):
        for name in list(weights):
            weights[name.replace(old, new)] = weights.pop(name)

    return lambda folder: edit_weights(folder, change)


FAULTS = {
    "half of the layers": (drop_a_layer, "2 weights are missing from the file"),
    "prefix": (rename("base_model", "_module.base_model"), "4 weights are in the file but not"),
    "other layers": (rename(".h.1.", ".h.7."), "2 weights are in the file but not used"),
    "no target for them": (
        lambda folder: edit_config(folder, layers_to_transform=[0]),
        "2 weights are in the file but not used",
    ),
    "another rank": (lambda folder: edit_config(folder, r=3), "size mismatch"),
    "another target": (
        lambda folder: edit_config(folder, target_modules=["q_proj"]),
        "adapter cannot be loaded",
    ),
    "a head that is not there": (
        lambda folder: edit_config(folder, modules_to_save=["lm_head"]),
        "cannot be loaded|missing from the file",
    ),
    "no base": (
        lambda folder: edit_config(folder, base_model_name_or_path=None),
        "names no base model",
    ),
    "a base that is not there": (
        lambda folder: edit_config(folder, base_model_name_or_path="./nowhere"),
        r"base model of this adapter: \./nowhere: no such folder",
    ),
    "its own base": (
        lambda folder: edit_config(folder, base_model_name_or_path=str(folder)),
        "its own base",
    ),
    "a revision of a folder": (
        lambda folder: edit_config(folder, revision="v2"),
        "a folder has no revision 'v2'",
    ),
    "config": (
        lambda folder: (folder / "adapter_config.json").write_text("{"),
        r"adapter_config\.json cannot be read",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_adapter_that_does_not_fit_is_refused(adapter, fault):
    damage, words = FAULTS[fault]
    damage(adapter)
    with pytest.raises(ModelError, match=words) as raised:
        load_model(adapter)
    assert "\n" not in str(raised.value)


def test_a_trained_bias_or_module_that_is_missing_is_refused(checkpoint, tmp_path):
    """Keys that no LoRA matrix has: the base's biases, and modules saved as a whole."""
    trained = adapted("bert", checkpoint("bert"), bias="all", modules_to_save=["transform"])
    folder = save(tmp_path / "adapter", *trained)
    assert torch.allclose(logits(load_model(folder).model), logits(trained[0]), atol=1e-5)
    whole = load_file(folder / "adapter_model.safetensors")
    biases = [name for name in whole if "encoder" in name and name.endswith("dense.bias")]
    edit_weights(folder, lambda weights: weights.pop(biases[0]))
    assert "1 weight is missing from the file" in refusal(folder)
    save_file(whole, folder / "adapter_model.safetensors")
    saved = [name for name in whole if "transform.dense.weight" in name]
    assert saved
    edit_weights(folder, lambda weights: weights.pop(saved[0]))
    refusal(folder)


def test_pickled_weights_of_an_adapter_are_refused_whatever_lies_beside_them(adapter):
    weights = load_file(adapter / "adapter_model.safetensors")
    torch.save(weights, adapter / "adapter_model.bin")
    (adapter / "adapter_model.safetensors").unlink()
    assert "only safetensors are read" in refusal(adapter)
    save_file({"other": torch.ones(1)}, adapter / "other.safetensors")
    assert "only safetensors are read" in refusal(adapter)


def test_an_adapter_beside_a_whole_model_is_ambiguous(adapter, checkpoint):
    shutil.copy(checkpoint("gpt2") / "model.safetensors", adapter)
    shutil.copy(checkpoint("gpt2") / "config.json", adapter)
    assert "holds a whole model and an adapter" in refusal(adapter)


def test_neither_adapter_nor_base_has_a_tokenizer(checkpoint, tmp_path):
    base = shutil.copytree(checkpoint("gpt2"), tmp_path / "base")
    for path in base.glob("tokenizer*"):
        path.unlink()
    model, tokenizer = adapted("gpt2", checkpoint("gpt2"))
    model.peft_config["default"].base_model_name_or_path = str(base)
    folder = save(tmp_path / "adapter", model)
    assert "neither the adapter nor its base has a tokenizer" in refusal(folder)
    tokenizer.save_pretrained(folder)
    assert load_model(folder).identity.adapter.base_fingerprint is None


@pytest.mark.filterwarnings("ignore:Could not find a config file")
def test_an_adapter_of_an_adapter(checkpoint, tmp_path):
    first, tokenizer = adapted("gpt2", checkpoint("gpt2"))
    lower = save(tmp_path / "lower", first, tokenizer)
    merged = first.merge_and_unload()
    torch.manual_seed(2)
    config = peft.LoraConfig(
        r=2, target_modules=["c_fc"], init_lora_weights=False, fan_in_fan_out=True
    )
    second = peft.get_peft_model(merged, config).eval()
    second.peft_config["default"].base_model_name_or_path = str(lower)
    loaded = load_model(save(tmp_path / "upper", second))
    assert torch.allclose(logits(loaded.model), logits(second), atol=1e-5)
    assert loaded.identity.adapter.base == str(lower)
    assert loaded.identity.adapter.base_fingerprint == load_model(lower).identity.fingerprint
    edit_config(lower, base_model_name_or_path=str(tmp_path / "upper"))
    assert "its own base" in refusal(tmp_path / "upper")


def test_an_update_of_a_tied_weight_is_refused_where_merging_changes_scores(checkpoint, tmp_path):
    """Beside the base the adapter changes the embedding alone, merged into it the head as well."""
    model, tokenizer = adapted("gpt2", checkpoint("gpt2"), targets=["wte"])
    folder = save(tmp_path / "adapter", model, tokenizer)
    assert "merged into its base, the adapter gives other scores" in refusal(folder)


def test_an_adapter_that_is_a_prompt_cannot_be_merged(checkpoint, tmp_path):
    model, tokenizer = build_model("gpt2")
    config = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    tuned = peft.get_peft_model(model, config)
    tuned.peft_config["default"].base_model_name_or_path = str(checkpoint("gpt2"))
    folder = save(tmp_path / "adapter", tuned, tokenizer)
    assert "a PROMPT_TUNING adapter changes no weights and cannot be merged" in refusal(folder)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the Hub; puts a folder into it as a revision of a repository."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name, revision, folder):
        root = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        commit = f"{abs(hash((name, revision))):040x}"[:40]
        shutil.copytree(folder, root / "snapshots" / commit)
        for absent in {"config.json", "adapter_config.json"} - {p.name for p in folder.iterdir()}:
            (root / ".no_exist" / commit).mkdir(parents=True, exist_ok=True)
            (root / ".no_exist" / commit / absent).touch()
        (root / "refs").mkdir(exist_ok=True)
        (root / "refs" / revision).write_text(commit)

    return put


def moved_base(checkpoint, tmp_path):
    """The small GPT-2 with one other weight."""
    folder = shutil.copytree(checkpoint("gpt2"), tmp_path / "moved")
    weights = load_file(folder / "model.safetensors")
    weights["transformer.h.0.mlp.c_fc.weight"] *= 2
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_the_revision_of_the_base_that_the_adapter_names_is_used(
    hub, checkpoint, tmp_path, adapter
):
    moved = moved_base(checkpoint, tmp_path)
    hub("tiny/base", "main", checkpoint("gpt2"))
    hub("tiny/base", "v2", moved)
    edit_config(adapter, base_model_name_or_path="tiny/base", revision="v2")
    origin = load_model(adapter).identity.adapter
    assert (origin.base, origin.base_revision) == ("tiny/base", "v2")
    assert origin.base_fingerprint == load_model(moved).identity.fingerprint
    assert "at revision 'v2'" in load_model(adapter).notes[0]
    edit_config(adapter, revision=None)
    origin = load_model(adapter).identity.adapter
    assert origin.base_revision is None
    assert origin.base_fingerprint == load_model(checkpoint("gpt2")).identity.fingerprint
    edit_config(adapter, revision="v3")
    assert "tiny/base at revision 'v3'" in refusal(adapter)


def test_an_adapter_on_the_hub_is_merged_like_one_in_a_folder(hub, checkpoint, adapter):
    hub("tiny/base", "main", checkpoint("gpt2"))
    edit_config(adapter, base_model_name_or_path="tiny/base")
    hub("tiny/adapter", "main", adapter)
    here, there = load_model(adapter), load_model("tiny/adapter")
    assert here.identity.fingerprint == there.identity.fingerprint
    assert there.identity.id == "tiny/adapter"
    assert there.identity.adapter == here.identity.adapter
    hub("tiny/adapter", "broken", adapter)
    (edited,) = (adapter.parent / "hub" / "models--tiny--adapter" / "refs").glob("broken")
    snapshot = adapter.parent / "hub" / "models--tiny--adapter" / "snapshots" / edited.read_text()
    drop_a_layer(snapshot)
    assert "2 weights are missing" in refusal("tiny/adapter", revision="broken")


def test_an_audit_of_an_adapter_names_its_base(adapter, checkpoint, tmp_path):
    pairs = shared("cases", "pairs40.csv")
    result = fairaudit.audit(str(adapter), suites=[str(pairs)], output=tmp_path / "audit")
    assert result.provenance.model.adapter.base == str(checkpoint("gpt2"))
    assert result.notes[0] == f"adapter: adapter merged into {checkpoint('gpt2')}"
    stored = json.loads((tmp_path / "audit" / "result.json").read_text())
    assert stored["provenance"]["model"]["adapter"]["tokenizer"] == "adapter"


def test_scores_of_the_audit_s_own_scorer_are_those_of_the_unmerged_adapter(tmp_path):
    """All scores of a text, on a bf16 base with a small update."""
    from fairaudit.items import LogLikelihood

    base = bf16_base(tmp_path, "gpt2")
    folder = save(tmp_path / "adapter", *adapted("gpt2", base, scale=0.03))
    loaded = load_model(folder)
    unmerged = peft.PeftModel.from_pretrained(load_model(base).model, folder).eval()
    requests = [LogLikelihood(line) for line in CORPUS]
    found = [
        SimpleNamespace(scorer=scorer, answers=scorer.run(scorer.plan(requests)))
        for scorer in (Scorer(loaded), Scorer(load_model((unmerged, loaded.tokenizer))))
    ]
    for request in requests:
        merged, beside = (one.answers[request].log_probs for one in found)
        assert merged == pytest.approx(beside, abs=1e-4)
