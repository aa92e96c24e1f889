"""Opacus in hooks mode stores every gradient; where it is exact, the engine equals it."""

from __future__ import annotations

import pytest
import torch
from opacus.grad_sample import GradSampleModule
from torch import nn

from fairaudit.gradients import GradientEngine
from tests.gradients.models import OBJECTIVES, build, make_batch


@pytest.mark.parametrize("family", ["gpt2", "distilgpt2", "llama", "qwen2", "distilbert"])
@pytest.mark.filterwarnings("ignore")
def test_norms_and_sums_equal_stored_gradients(family):
    model, batch = build(family), make_batch(family, rows=4)
    causal = OBJECTIVES[family] == "causal"
    query = GradientEngine(model, objective=OBJECTIVES[family]).query(batch)
    ours, total = query.norms(), query.weighted_sum(torch.tensor([0.5, 1.0, 0.0, 2.0]))

    wrapped = GradSampleModule(model.train(), loss_reduction="sum", strict=False)
    model.eval()
    _enable(wrapped)
    inputs = {name: value for name, value in batch.items() if name != "labels"}
    inputs["position_ids"] = torch.arange(9).expand(4, 9)
    logits, labels = wrapped(**inputs).logits, batch["labels"]
    if causal:
        logits, labels = logits[:, :-1], labels[:, 1:]
    losses = nn.functional.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
    (losses.sum(dim=1) / (labels != -100).sum(dim=1)).sum().backward()
    samples = {
        name: _joined(parameter.grad_sample)
        for name, parameter in model.named_parameters()
        if getattr(parameter, "grad_sample", None) is not None
    }
    norms = torch.stack([value.flatten(1).norm(dim=1) for value in samples.values()]).norm(dim=0)
    assert torch.allclose(ours, norms.double(), rtol=1e-5)
    for name, value in samples.items():
        expected = torch.einsum("i,i...", torch.tensor([0.5, 1.0, 0.0, 2.0]), value)
        scale = float(norms.max()) + float(expected.norm())
        assert float((total[name] - expected).norm()) < 1e-5 * scale


def _enable(wrapped):
    """Opacus records in training mode only; without dropout both modes are the same."""
    for module in wrapped.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    wrapped.train()


def _joined(sample):
    """A parameter used twice has a list of samples."""
    return torch.stack(sample).sum(dim=0) if isinstance(sample, list) else sample
