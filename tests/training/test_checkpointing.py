"""Recomputed activations change no gradient, keep dropout off, and take less memory."""

from __future__ import annotations

import pytest
import torch
import transformers as tf

from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine, footprint_of, inner_product
from fairaudit.training.adapters import add_adapters
from fairaudit.training.checkpointing import recompute_activations
from fairaudit.training.draws import Example
from fairaudit.training.finetuning import finetune
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import GradientSum
from tests.conftest import CORPUS
from tests.gradients.models import OBJECTIVES, build

EXAMPLES = [
    Example(n, ((tuple(range(3, 3 + n)), tuple(range(3, 3 + n))),), (1.0,)) for n in (4, 9, 15)
]


def total(model, objective):
    return GradientSum(GradientEngine(model, objective=objective), 0.1, None, 0).of(EXAMPLES)[0]


@pytest.mark.parametrize("lora", [None, 2], ids=["full", "lora"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2", "opt", "bert"])
def test_recomputed_gradients_are_the_same(family, lora):
    model = build(family)
    # Rates that would show, were a layer in training mode.
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.4
        for name in ("dropout", "activation_dropout"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
    if lora is not None:
        model, _ = add_adapters(model, Recipe(lora=lora))
    model.eval()
    before = total(model, OBJECTIVES[family])
    recompute_activations(model)
    after = total(model, OBJECTIVES[family])
    apart = {name: after[name] - before[name] for name in before}
    assert inner_product(apart, apart) ** 0.5 <= 1e-6 * inner_product(before, before) ** 0.5


def test_it_takes_less_memory():
    config = tf.LlamaConfig(
        vocab_size=100, hidden_size=64, num_hidden_layers=6, num_attention_heads=4,
        intermediate_size=256,
    )  # fmt: skip
    model, _ = add_adapters(tf.LlamaForCausalLM(config), Recipe(lora=2, lora_targets=("q_proj",)))
    engine = GradientEngine(model.eval(), objective="causal")
    before = footprint_of(engine).per_token
    recompute_activations(model)
    assert footprint_of(engine).per_token < before / 3


def test_a_whole_run_ends_where_it_would_have(checkpoint, tmp_path):
    done = [
        finetune(
            checkpoint("llama"), CORPUS, output=tmp_path / str(again), noise_multiplier=1.0,
            noise_seed=0, steps=3, batch_size=4, device="cpu", gradient_checkpointing=again,
        )
        for again in (False, True)
    ]  # fmt: skip
    first, second = (one.training.parameter_distance for one in done)
    assert first == pytest.approx(second, rel=1e-5)


def test_blocks_that_drop_out_by_themselves_are_refused():
    model = build("opt")
    next(m for m in model.modules() if type(m).__name__ == "OPTDecoderLayer").dropout = 0.1
    with pytest.raises(ModelError, match="would drop out at random"):
        recompute_activations(model)
    with pytest.raises(ModelError, match="cannot recompute activations"):
        recompute_activations(torch.nn.Linear(2, 2))
