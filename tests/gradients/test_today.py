"""Small models that people fine-tune today: exact in full and with adapters, or refused by name.

Issue 22: scaled embeddings, norms that add 1 to their scale or normalise heads apart, written-out
linear layers, routers and experts.
"""

from __future__ import annotations

import pytest
import torch
import transformers as tf

from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine
from tests.gradients.models import enlarged, oracle, relative

SIZE = {
    "vocab_size": 120, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
MLP = SIZE | {"intermediate_size": 64}
GROUPED = MLP | {"num_key_value_heads": 2}
HEADS = GROUPED | {"head_dim": 8}
OLD = {"vocab_size": 120, "n_positions": 64, "n_embd": 32, "n_layer": 2, "n_head": 4}
XGLM = {
    "vocab_size": 120, "d_model": 32, "ffn_dim": 64, "num_layers": 2, "attention_heads": 4,
    "max_position_embeddings": 64,
}  # fmt: skip
BLOOM = {"vocab_size": 120, "hidden_size": 32, "n_layer": 2, "n_head": 4}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}

FAMILIES = {
    "gemma": ("Gemma", HEADS),
    "gemma2": ("Gemma2", HEADS),
    "gemma3": ("Gemma3", HEADS),
    "smollm3": ("SmolLM3", GROUPED),
    "olmo2": ("Olmo2", GROUPED),
    "granite": ("Granite", GROUPED),
    "cohere": ("Cohere", GROUPED | {"use_qk_norm": True}),
    "xglm": ("XGLM", XGLM),
    "biogpt": ("BioGpt", MLP),
    "falcon": ("Falcon", SIZE),
    "falcon, new": ("Falcon", SIZE | {"new_decoder_architecture": True, "num_kv_heads": 2}),
    "qwen3": ("Qwen3", HEADS),
    "mistral": ("Mistral", GROUPED),
    "phi": ("Phi", GROUPED),
    "gpt-neox": ("GPTNeoX", MLP),
    "gpt-j": ("GPTJ", OLD | {"rotary_dim": 4}),
    "stablelm": ("StableLm", GROUPED),
    "starcoder2": ("Starcoder2", GROUPED),
    "bloom": ("Bloom", BLOOM),
    "mixtral": ("Mixtral", GROUPED | {"num_local_experts": 4}),
    "qwen2-moe": ("Qwen2Moe", GROUPED | EXPERTS | {"shared_expert_intermediate_size": 32}),
    "qwen3-moe": ("Qwen3Moe", HEADS | EXPERTS),
    "mpnet": ("MPNet", MLP),
    "deberta": (
        "DebertaV2",
        MLP | {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16},
    ),
    "electra": ("Electra", MLP | {"embedding_size": 32}),
    "albert": ("Albert", MLP | {"embedding_size": 32}),
}
MASKED = {"mpnet", "deberta", "electra", "albert"}
#: Their kernels or masks know no fp64.
SINGLE = {"xglm", "mixtral", "qwen2-moe", "qwen3-moe"}
#: Trained in full: the layer that the message names, with what to do.
REFUSED = {
    "mixtral": r"'model.layers.0.mlp.gate.weight' of MixtralTopKRouter .*freeze it",
    "qwen2-moe": r"'model.layers.0.mlp.gate.weight' of Qwen2MoeTopKRouter .*freeze it",
    "qwen3-moe": r"experts.gate_up_proj' of Qwen3MoeExperts .*freeze it",
    "mpnet": r"relative_attention_bias'\] get an input that is broadcast .*freeze them",
    "deberta": r"pos_key_proj'.* get an input that is broadcast .*freeze them",
}


def build(family):
    kind, size = FAMILIES[family]
    name = "Gemma3TextConfig" if family == "gemma3" else f"{kind}Config"
    config = getattr(tf, name)(**size)
    config._attn_implementation = "eager"
    torch.manual_seed(0)
    task = "ForMaskedLM" if family in MASKED else "ForCausalLM"
    model = enlarged(getattr(tf, kind + task)(config))
    return model if family in SINGLE else model.double()


def with_adapters(model, leave=()):
    import peft

    names = {
        name.rsplit(".", 1)[-1]
        for name, module in model.named_modules()
        if type(module).__name__.endswith("Linear")
    }
    targets = sorted(n for n in names if not any(part in n for part in ("head", *leave)))
    dtype = next(model.parameters()).dtype
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules=targets))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    return adapted.to(dtype).eval()


def batch(masked):
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 60, (4, 9), generator=generator)
    mask = (torch.arange(9) < (9 - torch.arange(4) % 4)[:, None]).long()
    labels = ids.where(mask.bool(), -100)
    if masked:
        chosen = torch.rand(ids.shape, generator=generator) < 0.4
        chosen[:, 1] = True
        labels, ids = labels.where(chosen, -100), ids.where(~chosen, 4)
    return {"input_ids": ids.where(mask.bool(), 0), "attention_mask": mask, "labels": labels}


def error_of(model, family):
    objective = "masked" if family in MASKED else "causal"
    rows, weights = batch(family in MASKED), torch.tensor([0.5, 1.0, -2.0, 0.3])
    expected = oracle(model, rows, torch.arange(4), objective)
    found = GradientEngine(model, objective=objective).query(rows)
    norms = found.norms(dtype=torch.float64)
    assert torch.allclose(norms, expected.norms, rtol=1e-4)
    return relative(found.weighted_sum(weights), expected.weighted_sum(weights.tolist()))


@pytest.mark.parametrize("family", [one for one in FAMILIES if one not in REFUSED])
def test_trained_in_full(family):
    assert error_of(build(family), family) < (2e-5 if family in SINGLE else 1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_trained_by_adapters(family):
    # DeBERTa projects one table of positions for the whole batch: no gradient of a record there.
    leave = ("pos_",) if family == "deberta" else ()
    assert error_of(with_adapters(build(family), leave), family) < (
        3e-5 if family in SINGLE else 1e-6
    )


@pytest.mark.parametrize("family", REFUSED)
def test_what_has_no_gradient_per_record_is_refused_by_name(family):
    with pytest.raises(ModelError, match=REFUSED[family]):
        GradientEngine(build(family), objective="masked" if family in MASKED else "causal").query(
            batch(family in MASKED)
        )


@pytest.mark.parametrize("family", ["deberta", "falcon"])
def test_the_adapters_of_the_fine_tuner_suit_them(family):
    from fairaudit.training.adapters import add_adapters
    from fairaudit.training.recipe import Recipe

    adapted, record = add_adapters(build(family), Recipe(lora=2))
    assert not any(name.startswith("pos_") for name in record.targets)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    assert error_of(adapted.double().eval(), family) < 1e-6
