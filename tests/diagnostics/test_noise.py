"""The noise term of the excess risk against noisy steps that are really taken."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.func import functional_call

from fairaudit.diagnostics.curvature import curvatures, hutchinson, random_signs
from fairaudit.diagnostics.decomposition import noise_risk

ETA, SIGMA, CLIP, SIZE = 0.004, 1.5, 2.0, 8.0


def trained_model():
    """A small model at work: near an optimum the curvature is no longer mere chance."""
    import transformers as tf

    torch.manual_seed(4)
    config = tf.GPT2Config(
        vocab_size=24, n_embd=16, n_layer=1, n_head=2, n_positions=8, bos_token_id=0, eos_token_id=0
    )
    model = tf.GPT2LMHeadModel(config).double().eval()
    ids = torch.randint(1, 24, (16, 8), generator=torch.Generator().manual_seed(1))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model, ids[:5]


@torch.no_grad()
def noisy_steps(model, ids, draws, rng):
    """Mean loss after θ − ηz and θ + ηz minus that at θ, with z the noise of a private step."""
    values = dict(model.named_parameters())
    deviation = SIGMA * CLIP / SIZE

    def loss(moved):
        return functional_call(model, moved, kwargs={"input_ids": ids, "labels": ids}).loss.item()

    start, found = loss(values), []
    for _ in range(draws):
        noise = {
            name: deviation * torch.randn(value.shape, generator=rng, dtype=value.dtype)
            for name, value in values.items()
        }
        pair = [
            loss({name: value + sign * ETA * noise[name] for name, value in values.items()})
            for sign in (-1, 1)
        ]
        found.append(np.mean(pair) - start)
    return np.array(found)


@pytest.mark.long
def test_noise_risk_is_what_antithetic_noisy_steps_cost_on_average():
    model, ids = trained_model()
    inputs = {"input_ids": ids, "labels": ids}
    probes = [
        float(curvatures(model, inputs, random_signs(dict(model.named_parameters()), 0, n),
                         causal=True).mean())
        for n in range(90)
    ]  # fmt: skip
    trace, trace_se = hutchinson(probes)
    term = float(noise_risk(np.array(trace), ETA, SIGMA * CLIP / SIZE))
    simulated = noisy_steps(model, ids, 250, torch.Generator().manual_seed(2))
    error = simulated.std(ddof=1) / np.sqrt(len(simulated))
    assert error <= 0.05 * term
    both = np.hypot(error, term * trace_se / trace)
    assert both <= 0.05 * term
    assert abs(simulated.mean() - term) < 3 * both
    # Without the 1/B² it would be far off.
    assert abs(simulated.mean() - float(noise_risk(np.array(trace), ETA, SIGMA * CLIP))) > 10 * both


def test_hutchinson_has_the_trace_as_its_mean_and_says_how_sure_it_is():
    mean, error = hutchinson([1.0, 2.0, 3.0, 6.0])
    assert mean == pytest.approx(3.0)
    assert error == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    assert hutchinson([5.0]) == (5.0, None)


def test_probes_are_signs_that_depend_on_seed_and_number_alone():
    shape = {"a": torch.zeros(50, 3), "b": torch.zeros(7)}
    first, again = random_signs(shape, 3, 1), random_signs(shape, 3, 1)
    assert all(torch.equal(first[name], again[name]) for name in shape)
    assert not torch.equal(first["a"], random_signs(shape, 3, 2)["a"])
    assert not torch.equal(first["a"], random_signs(shape, 4, 1)["a"])
    assert set(first["a"].unique().tolist()) == {-1.0, 1.0}
