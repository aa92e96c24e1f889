"""A private step on adapters of the real chat model, against one backward pass per record."""

from __future__ import annotations

import copy

import pytest
import torch

from fairaudit.gradients import GradientEngine
from fairaudit.scoring.load import load_model
from fairaudit.training.adapters import add_adapters
from fairaudit.training.draws import Example
from fairaudit.training.optimizers import make_optimizer
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import GradientSum, add_noise, apply_update
from tests.real.conftest import fetching

pytestmark = pytest.mark.real

NOISE, EXPECTED, RATE = 0.8, 5, 0.1
TEXTS = (
    "The nurse said that she was tired.",
    "Yes.",
    "In 1931 he moved to Vienna, where he taught mathematics and wrote about what it rests on.",
    "The doctor and the farmer met at the mill, and neither of them spoke for a while.",
    "Bread, salt and two apples",
)


#: What rounding explains in 30 layers: the same sums in fp64 are equal to 11 digits.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-4}


@pytest.fixture(scope="module")
def model(real):
    """Adapters on all layers, away from where they start: there half of the gradients are zero."""
    loaded = load_model(real(fetching().SMOLLM2), device="cpu")
    adapted, _ = add_adapters(loaded.model, Recipe(lora=4, seed=1))
    torch.manual_seed(0)
    with torch.no_grad():
        for weight in trained(adapted).values():
            weight.add_(0.02 * torch.randn_like(weight))
    return adapted.eval(), [tuple(loaded.tokenizer(text)["input_ids"]) for text in TEXTS]


def trained(model):
    return {name: one for name, one in model.named_parameters() if one.requires_grad}


def one_by_one(model, rows):
    """Gradient of each record, alone and without padding."""
    weights = trained(model)
    for row in rows:
        ids = torch.tensor([row])
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        yield dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))


def length(gradient):
    return float(sum(one.double().square().sum() for one in gradient.values()) ** 0.5)


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_private_lora_step_is_that_of_one_backward_pass_per_record(model, dtype):
    adapted, rows = model
    adapted, tolerance = copy.deepcopy(adapted).to(dtype), TOLERANCE[dtype]
    gradients = [*one_by_one(adapted, rows)]
    norms = [length(one) for one in gradients]
    clip = sorted(norms)[2]
    factors = [min(1.0, clip / norm) for norm in norms]
    assert min(factors) < 1 == max(factors)
    wanted = {
        name: sum(
            factor * one[name].double() for factor, one in zip(factors, gradients, strict=True)
        )
        for name in gradients[0]
    }
    engine = GradientEngine(adapted, objective="causal")
    assert set(engine.parameters) == set(wanted)
    examples = [Example(n, ((row, row),), (1.0,)) for n, row in enumerate(rows)]
    sums, seen = GradientSum(engine, clip, len(rows), 0).of(examples)
    assert seen.mean_norm == pytest.approx(sum(norms) / len(norms), rel=tolerance)
    error = length({name: sums[name] - wanted[name] for name in wanted}) / length(wanted)
    assert error < tolerance
    print(f"{len(wanted)} tensors, norms {min(norms):.2f} to {max(norms):.2f}, error {error:.1e}")

    before = {name: one.detach().clone() for name, one in engine.parameters.items()}
    update = make_optimizer(engine.parameters.values(), Recipe(learning_rate=RATE, optimizer="sgd"))
    add_noise(sums, NOISE * clip, torch.Generator().manual_seed(5))
    noise = {name: torch.zeros_like(one) for name, one in sums.items()}
    add_noise(noise, NOISE * clip, torch.Generator().manual_seed(5))
    apply_update(engine.parameters, sums, EXPECTED, update)
    for name, one in engine.parameters.items():
        step = RATE * (wanted[name] + noise[name].double()) / EXPECTED
        torch.testing.assert_close(one.double(), before[name] - step, rtol=0, atol=tolerance)
