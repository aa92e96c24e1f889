"""Small models of all families, batches, and one backward pass per record as the oracle."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tests.conftest import build_model

OBJECTIVES = {
    "gpt2": "causal",
    "distilgpt2": "causal",
    "opt": "causal",
    "llama": "causal",
    "qwen2": "causal",
    "bert": "masked",
    "roberta": "masked",
    "distilbert": "masked",
}
LORA_TARGETS = {
    "gpt2": ["c_attn", "c_fc"],
    "distilgpt2": ["c_attn", "c_proj"],
    "opt": ["q_proj", "fc1"],
    "llama": ["q_proj", "down_proj"],
    "qwen2": ["v_proj", "up_proj"],
    "bert": ["query", "dense"],
    "roberta": ["query", "value"],
    "distilbert": ["q_lin", "lin1"],
}


def enlarged(model: nn.Module) -> nn.Module:
    """Larger weights than at initialisation: predictions differ, gradients too."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model.eval()


def build_opt() -> nn.Module:
    import transformers as tf

    torch.manual_seed(0)
    config = tf.OPTConfig(
        vocab_size=120, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64,
        max_position_embeddings=64, word_embed_proj_dim=32,
    )  # fmt: skip
    return enlarged(tf.OPTForCausalLM(config))


def build_distilgpt2() -> nn.Module:
    import transformers as tf

    torch.manual_seed(1)
    config = tf.GPT2Config(
        vocab_size=150,
        n_embd=48,
        n_layer=3,
        n_head=4,
        n_positions=64,
        bos_token_id=0,
        eos_token_id=0,
    )
    return enlarged(tf.GPT2LMHeadModel(config))


@functools.cache
def _built(family: str) -> nn.Module:
    if family == "opt":
        return build_opt()
    if family == "distilgpt2":
        return build_distilgpt2()
    # Training a tokenizer does not always end in the same vocabulary; its size decides the weights.
    model = build_model(family)[0]
    model.config.vocab_size = 210
    torch.manual_seed(0)
    return enlarged(type(model)(model.config))


def build(family: str, *, lora: bool = False, attention: str = "sdpa") -> Any:
    """A fresh copy of the family's model, or of it with trainable LoRA adapters."""
    import copy

    model = copy.deepcopy(_built(family))
    model.set_attn_implementation(attention)
    if not lora:
        return model
    import peft

    config = peft.LoraConfig(
        r=4, lora_alpha=8, lora_dropout=0.0, target_modules=LORA_TARGETS[family],
        fan_in_fan_out="gpt2" in family,
    )  # fmt: skip
    adapted = peft.get_peft_model(model, config)
    torch.manual_seed(2)
    with torch.no_grad():
        # The second matrix starts at zero, which would leave the first without a gradient.
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3)
    return adapted.eval()


def make_batch(family: str, rows: int, tokens: int = 9, seed: int = 0) -> dict[str, Tensor]:
    """Rows of different lengths, padded on the right, with repeated tokens."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 20, (rows, tokens), generator=generator)
    lengths = tokens - torch.arange(rows) % 4
    mask = (torch.arange(tokens) < lengths[:, None]).long()
    pad = 1 if family in ("opt", "roberta") else 0
    labels = ids.where(mask.bool(), -100)
    if OBJECTIVES[family] == "masked":
        chosen = torch.rand(ids.shape, generator=generator) < 0.4
        chosen[:, 1] = True
        labels = labels.where(chosen, -100)
        ids = ids.where(~chosen, 4)
    ids = ids.where(mask.bool(), pad)
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def row_loss(model: nn.Module, batch: dict[str, Tensor], row: int, objective: str) -> Tensor:
    """Loss of one row alone, without any help of the engine."""
    single = {name: value[row : row + 1] for name, value in batch.items() if name != "labels"}
    logits, labels = model(**single).logits[0], batch["labels"][row]
    if objective == "causal":
        logits, labels = logits[:-1], labels[1:]
    read = labels != -100
    if not bool(read.any()):
        return logits.sum() * 0.0
    return nn.functional.cross_entropy(logits[read], labels[read])


@dataclass
class Oracle:
    """Gradients of units [U], as full vectors, from one backward pass per row."""

    losses: Tensor
    gradients: list[dict[str, Tensor]]

    @property
    def matrix(self) -> Tensor:
        return torch.stack(
            [
                torch.cat([value.double().flatten() for value in gradient.values()])
                for gradient in self.gradients
            ]
        )

    @property
    def norms(self) -> Tensor:
        return self.matrix.norm(dim=1)

    @property
    def gram(self) -> Tensor:
        return self.matrix @ self.matrix.T

    def weighted_sum(self, weights: Tensor) -> dict[str, Tensor]:
        return {
            name: sum(w * g[name].double() for w, g in zip(weights, self.gradients, strict=True))
            for name in self.gradients[0]
        }


def oracle(model: nn.Module, batch: dict[str, Tensor], units: Tensor, objective: str) -> Oracle:
    """One forward and one backward pass per row; unit = mean over its rows."""
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    n_units, sizes = int(units.max()) + 1, units.bincount()
    gradients = [
        {name: torch.zeros_like(p) for name, p in parameters.items()} for _ in range(n_units)
    ]
    losses = torch.zeros(n_units, dtype=torch.float64)
    for row, unit in enumerate(units.tolist()):
        loss = row_loss(model, batch, row, objective) / sizes[unit]
        losses[unit] += loss.item()
        found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        for (name, _), grad in zip(parameters.items(), found, strict=True):
            if grad is not None:
                gradients[unit][name] += grad
    return Oracle(losses, gradients)


def relative(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """‖found − expected‖ / ‖expected‖ over all parameters."""
    assert set(found) == set(expected)
    error = sum(float((found[name].double() - expected[name]).square().sum()) for name in expected)
    size = sum(float(value.double().square().sum()) for value in expected.values())
    return (error / size) ** 0.5
