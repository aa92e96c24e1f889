"""The engine against one backward pass per record, on all families."""

from __future__ import annotations

import pytest
import torch

from fairaudit.gradients import GradientEngine, inner_product
from tests.gradients.models import OBJECTIVES, build, make_batch, oracle, relative

UNITS = {
    "K=1": None,
    "K=2": 2,
    "mixed": torch.tensor([2, 0, 1, 0, 3, 0, 1, 3]),
}


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("tuning", ["full", "lora"])
@pytest.mark.parametrize("family", OBJECTIVES)
def test_everything_equals_one_backward_pass_per_record(family, tuning, units, attention):
    model = build(family, lora=tuning == "lora", attention=attention)
    batch, given = make_batch(family, rows=8), UNITS[units]
    index = given if isinstance(given, torch.Tensor) else torch.arange(8) // (given or 1)
    engine = GradientEngine(model, objective=OBJECTIVES[family])
    query = engine.query(batch, units=given)
    truth = oracle(model, batch, index, OBJECTIVES[family])
    norms, n = truth.norms, query.n_units

    assert torch.allclose(query.losses, truth.losses, rtol=1e-5)
    assert torch.allclose(query.norms(), norms, rtol=1e-5)
    weights = torch.linspace(0.2, 1.7, n)
    assert relative(query.weighted_sum(weights), truth.weighted_sum(weights)) < 1e-5
    # A group is two of the units; the other has weight 0.
    masks = torch.stack([torch.arange(n) % 2 == 0, torch.arange(n) % 2 == 1]).double()
    for mean, mask in zip(
        query.weighted_sums(masks / masks.sum(1, keepdim=True)), masks, strict=True
    ):
        assert relative(mean, truth.weighted_sum(mask / mask.sum())) < 1e-5
    scale = norms[:, None] * norms[None, :]
    assert ((query.gram() - truth.gram).abs() / scale).max() < 1e-5
    generator = torch.Generator().manual_seed(5)
    direction = {
        name: torch.randn(p.shape, generator=generator) for name, p in engine.parameters.items()
    }
    length = inner_product(direction, direction) ** 0.5
    flat = torch.cat([value.double().flatten() for value in direction.values()])
    assert ((query.dot(direction) - truth.matrix @ flat).abs() / (norms * length)).max() < 1e-5
