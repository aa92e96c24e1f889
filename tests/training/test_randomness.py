"""Noise from OS entropy: normal, never twice the same, and not to be found by trying seeds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from fairaudit.training.randomness import draw_generator, noise_generator
from fairaudit.training.steps import add_noise

CPU = torch.device("cpu")


@pytest.mark.parametrize("deviation", [0.3, 4.0])
def test_noise_is_normal_with_the_deviation_asked_for(deviation):
    sums = {"a": torch.zeros(300, 200), "b": torch.zeros(40_000)}
    add_noise(sums, deviation, noise_generator(CPU, None))
    values = torch.cat([total.flatten() for total in sums.values()]).double().numpy()
    low, high = stats.chi2.ppf([5e-4, 1 - 5e-4], len(values))
    assert low < (values**2).sum() / deviation**2 < high
    assert stats.kstest(values / deviation, "norm").pvalue > 1e-3


def test_generators_from_entropy_differ():
    first, second = (torch.rand(8, generator=noise_generator(CPU, None)) for _ in range(2))
    assert not torch.equal(first, second)
    assert not np.array_equal(draw_generator(None).random(8), draw_generator(None).random(8))


def test_generators_from_a_seed_repeat():
    first, second = (torch.rand(8, generator=noise_generator(CPU, 3)) for _ in range(2))
    assert torch.equal(first, second)
    assert np.array_equal(draw_generator(3).random(8), draw_generator(3).random(8))
    assert not np.array_equal(draw_generator(3).random(8), draw_generator(4).random(8))


def test_all_words_of_the_state_come_from_entropy():
    """PyTorch keeps 32 bits of a seed, so a seeded state could be found by trying all of them."""
    low, high = (torch.Generator().manual_seed(seed) for seed in (7, 7 + 2**32))
    assert torch.equal(torch.rand(4, generator=low), torch.rand(4, generator=high))
    states = [noise_generator(CPU, None).get_state().view(torch.int64)[3:627] for _ in range(2)]
    assert int((states[0] == states[1]).sum()) <= 1
    assert int(states[0].min()) >= 0
    assert int(states[0].max()) < 2**32
    mean = float(states[0].double().mean()) / 2**32
    assert abs(mean - 0.5) < 5 * (1 / 12 / 624) ** 0.5


def test_no_noise_draws_nothing():
    generator = noise_generator(CPU, 1)
    before = generator.get_state()
    sums = {"a": torch.ones(3)}
    add_noise(sums, 0.0, generator)
    assert torch.equal(sums["a"], torch.ones(3))
    assert torch.equal(generator.get_state(), before)
