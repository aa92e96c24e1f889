"""A private step against Opacus, against micro-batches of any size, and without records."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fairaudit.gradients import GradientEngine
from fairaudit.ranks import dealt
from fairaudit.training.draws import Example, Sampler, causal_labels
from fairaudit.training.encoding import Row
from fairaudit.training.optimizers import make_optimizer
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import GradientSum, add_noise, apply_update
from tests.conftest import build_model

CLIP, NOISE, EXPECTED = 1.0, 0.8, 4


def rows(count, rng, longest=12):
    """Return encoded records of one row, of many lengths."""
    return [
        ((Row.of(tuple(rng.integers(1, 300, rng.integers(3, longest)).tolist())),),)
        for _ in range(count)
    ]


def draws(steps, seed=0):
    """Draws of some steps, about a third of them empty."""
    rng = np.random.default_rng(seed)
    sampler = Sampler(rows(20, rng), 0.05, "none", causal_labels, rng)
    return [sampler.draw() for _ in range(steps)]


def trained(examples_by_step, optimizer, max_rows=None, clip=CLIP):
    """Train the tied GPT-2 by our steps; return its parameters."""
    model, _ = build_model("gpt2")
    engine = GradientEngine(model, objective="causal")
    recipe = Recipe(learning_rate=1e-2, optimizer=optimizer)
    update = make_optimizer(engine.parameters.values(), recipe)
    generator = torch.Generator().manual_seed(5)
    gradient = GradientSum(engine, clip, max_rows, 0)
    for examples in examples_by_step:
        sums, _ = gradient.of(examples)
        add_noise(sums, NOISE * CLIP, generator)
        apply_update(engine.parameters, sums, EXPECTED, update)
    return {name: parameter.detach() for name, parameter in engine.parameters.items()}


def trained_by_opacus(examples_by_step, optimizer):
    """Do the same with Opacus's hooks, which hold all gradients per record."""
    from opacus import GradSampleModule
    from opacus.optimizers import DPOptimizer

    model, _ = build_model("gpt2")
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    wrapped = GradSampleModule(model, loss_reduction="sum", strict=False)
    kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[optimizer]
    update = DPOptimizer(
        kind(model.parameters(), lr=1e-2, weight_decay=0.0),
        noise_multiplier=NOISE,
        max_grad_norm=CLIP,
        expected_batch_size=EXPECTED,
        generator=torch.Generator().manual_seed(5),
    )
    for examples in examples_by_step:
        update.zero_grad()
        if examples:
            opacus_loss(wrapped, examples).backward()
        else:
            for parameter in model.parameters():
                parameter.grad_sample = torch.zeros(0, *parameter.shape)
        update.step()
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def opacus_loss(wrapped, examples):
    ids = [example.rows[0][0] for example in examples]
    width = max(map(len, ids))
    padded = torch.tensor([row + (0,) * (width - len(row)) for row in ids])
    read = torch.tensor([[1.0] * len(row) + [0.0] * (width - len(row)) for row in ids])
    places = torch.arange(width).expand(len(ids), width).contiguous()
    logits = wrapped(input_ids=padded, attention_mask=read.long(), position_ids=places).logits
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), padded[:, 1:], reduction="none"
    )
    return ((losses * read[:, 1:]).sum(1) / read[:, 1:].sum(1)).sum()


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_25_private_steps_are_those_of_opacus_on_tied_gpt2(optimizer):
    steps = draws(25)
    sizes = [len(examples) for examples in steps]
    assert min(sizes) == 0
    assert max(sizes) > 1
    ours, theirs = trained(steps, optimizer), trained_by_opacus(steps, optimizer)
    assert ours.keys() == theirs.keys()
    start = dict(build_model("gpt2")[0].named_parameters())
    for name, value in ours.items():
        assert not torch.equal(value, start[name])
        assert float((value - theirs[name]).abs().max()) <= 1e-5, name


@pytest.mark.parametrize("clip", [CLIP, None])
def test_micro_batches_change_nothing_but_rounding(clip):
    drawn = draws(24)
    steps = [[*drawn[start], *drawn[start + 1], *drawn[start + 2]] for start in range(0, 24, 3)]
    whole, single, three = (trained(steps, "sgd", size, clip) for size in (None, 1, 3))
    for name, value in whole.items():
        torch.testing.assert_close(single[name], value, rtol=0, atol=2e-6)
        torch.testing.assert_close(three[name], value, rtol=0, atol=2e-6)


def test_an_empty_draw_is_a_step_of_noise_alone():
    model, _ = build_model("gpt2")
    engine = GradientEngine(model, objective="causal")
    sums, seen = GradientSum(engine, CLIP, None, 0).of([])
    assert (seen.n_examples, seen.loss, seen.clip_rate) == (0, None, None)
    assert all(float(total.abs().max()) == 0 for total in sums.values())
    add_noise(sums, 2.0, torch.Generator().manual_seed(1))
    values = torch.cat([total.flatten() for total in sums.values()]).double()
    # Standard error of a standard deviation: σ/√(2n).
    assert abs(float(values.std()) - 2.0) < 5 * 2.0 / (2 * len(values)) ** 0.5
    assert abs(float(values.mean())) < 5 * 2.0 / len(values) ** 0.5


def test_the_sum_is_that_of_clipped_gradients_of_mean_losses():
    """By hand: autograd on each record alone, its rows weighted, clipped, added."""
    rng = np.random.default_rng(3)
    texts = [row[0][0].ids for row in rows(5, rng)]
    examples = [
        Example(0, ((texts[0], texts[0]),), (1.0,)),
        Example(1, ((texts[1], texts[1]), (texts[2], texts[2])), (0.5, 0.5)),
        Example(2, ((texts[3], texts[3]), (texts[4], texts[4])), (0.25, 0.75)),
    ]
    model, _ = build_model("gpt2")
    engine = GradientEngine(model, objective="causal")
    sums, seen = GradientSum(engine, 1.5, None, 0).of(examples)
    expected = {name: torch.zeros_like(value) for name, value in engine.parameters.items()}
    losses, norms = [], []
    for example in examples:
        loss = sum(
            weight * model(input_ids=torch.tensor([ids]), labels=torch.tensor([ids])).loss
            for (ids, _), weight in zip(example.rows, example.weights, strict=True)
        )
        found = torch.autograd.grad(loss, list(engine.parameters.values()))
        norm = float(torch.cat([part.flatten() for part in found]).norm())
        losses.append(float(loss.detach()))
        norms.append(norm)
        for name, part in zip(expected, found, strict=True):
            expected[name] += min(1.0, 1.5 / norm) * part
    for name, total in sums.items():
        torch.testing.assert_close(total, expected[name], rtol=1e-4, atol=1e-6)
    assert seen.loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert seen.mean_norm == pytest.approx(np.mean(norms), rel=1e-4)
    assert seen.clip_rate == np.mean(np.array(norms) > 1.5)


@pytest.mark.parametrize("size", [2, 3, 4])
def test_ranks_get_equal_loads_of_a_draw_of_few_micro_batches(size):
    """Three full micro-batches dealt to two ranks would keep one of them waiting half the time."""
    rng = np.random.default_rng(3)
    examples = Sampler(rows(400, rng, 40), 0.9, "none", causal_labels, rng).draw()
    gradient = GradientSum(
        GradientEngine(build_model("gpt2")[0], objective="causal"), CLIP, None, 0
    )
    batches = [*gradient.shared_out(examples, size, torch.device("cpu"))]
    assert sorted(record for batch in batches for record in batch.records) == sorted(
        example.record for example in examples
    )
    costs = [batch.inputs["input_ids"].numel() for batch in batches]
    loads = [sum(costs[place] for place in share) for share in dealt(costs, size)]
    assert max(loads) < 1.05 * sum(costs) / size
