"""ε against another accountant, σ against ε, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from dp_accounting.pld.privacy_loss_distribution import from_mixture_gaussian_mechanism
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairaudit.errors import UsageError
from fairaudit.training.accounting import epsilon, solve_noise_multiplier
from fairaudit.training.composition import (
    EPSILON_ERROR,
    RecordLoss,
    SeparateTwinsLoss,
    TruncatedLoss,
)

#: noise multiplier, sample rate, steps, delta
SETTINGS = [
    (0.6, 0.02, 300, 1e-5),
    (0.7, 0.004, 2000, 1e-6),
    (0.8, 0.05, 100, 1e-5),
    (1.0, 0.01, 1000, 1e-5),
    (1.0, 0.2, 20, 1e-4),
    (1.2, 0.05, 200, 1e-4),
    (2.0, 0.1, 500, 1e-6),
    (3.0, 0.5, 100, 1e-5),
    (5.0, 1.0, 50, 1e-5),
    (8.0, 0.3, 400, 1e-7),
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_epsilon_agrees_with_privacy_loss_distributions(setting):
    noise, rate, steps, delta = setting
    oracle = PLDAccountant()
    event = PoissonSampledDpEvent(rate, GaussianDpEvent(noise))
    oracle.compose(SelfComposedDpEvent(event, steps))
    exact = oracle.get_epsilon(delta)
    # An upper bound never lies below, but for the mesh of the other accountant.
    assert exact - 1e-3 <= epsilon(*setting) <= exact + 0.02


@pytest.mark.parametrize("setting", SETTINGS[2::3])
def test_separate_twins_agree_with_the_gaussian_mixture(setting):
    noise, rate, steps, delta = setting
    weights = [(1 - rate) ** 2, 2 * rate * (1 - rate), rate**2]
    one = from_mixture_gaussian_mechanism(
        noise, [0, 1, 2], weights, value_discretization_interval=4e-4
    )
    exact = one.self_compose(steps).get_epsilon_for_delta(delta)
    assert exact - 1e-3 <= epsilon(*setting, separate_twins=True) <= exact + 0.02


def test_separate_twins_cost_more_than_one_record_and_less_than_group_privacy():
    setting = (1.0, 0.01, 1000, 1e-5)
    single, twins = epsilon(*setting), epsilon(*setting, separate_twins=True)
    # Group privacy at k = 2: (2ε, (1 + e^ε)δ) for a δ that comes out the same.
    inner = 1e-5 / (1 + math.exp(2 * single))
    assert single < twins < 2 * epsilon(1.0, 0.01, 1000, inner)


def test_without_subsampling_one_step_is_the_gaussian_mechanism():
    """δ(ε) = Φ(1/2σ − εσ) − e^ε Φ(−1/2σ − εσ) (Balle and Wang 2018)."""
    from scipy.special import ndtr

    sigma, delta = 2.0, 1e-4
    found = epsilon(sigma, 1.0, 1, delta)

    def exact_delta(eps: float) -> float:
        return float(
            ndtr(0.5 / sigma - eps * sigma) - math.exp(eps) * ndtr(-0.5 / sigma - eps * sigma)
        )

    assert exact_delta(found) <= delta <= exact_delta(found - 2.5 * EPSILON_ERROR)


def test_rdp_is_looser():
    setting = (1.0, 0.01, 1000, 1e-5)
    assert epsilon(*setting) < epsilon(*setting, accountant="rdp") < epsilon(*setting) + 1


@settings(max_examples=8, deadline=None)
@given(st.floats(0.7, 4), st.floats(0.01, 0.3), st.integers(1, 100))
def test_more_noise_costs_less_and_more_steps_cost_more(noise, rate, steps):
    spent = epsilon(noise, rate, steps, 1e-5)
    assert epsilon(noise * 1.2, rate, steps, 1e-5) <= spent + 1e-6
    assert epsilon(noise, rate, 2 * steps, 1e-5) >= spent - EPSILON_ERROR


@pytest.mark.parametrize(
    ("target", "separate"), [(1.0, False), (3.0, False), (10.0, False), (3.0, True)]
)
def test_the_noise_that_is_solved_for_just_meets_the_target(target, separate):
    setting = {"sample_rate": 0.02, "steps": 200, "delta": 1e-5, "separate_twins": separate}
    noise = solve_noise_multiplier(target, **setting)
    assert epsilon(noise, **setting) <= target
    assert epsilon(0.99 * noise, **setting) > target


def test_no_noise_gives_no_guarantee():
    assert epsilon(0.0, 0.1, 10, 1e-5) == math.inf


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ((-1.0, 0.1, 10, 1e-5), "noise multiplier"),
        ((math.nan, 0.1, 10, 1e-5), "noise multiplier"),
        ((1.0, 0.0, 10, 1e-5), "sample rate"),
        ((1.0, 1.1, 10, 1e-5), "sample rate"),
        ((1.0, 0.1, 0, 1e-5), "steps"),
        ((1.0, 0.1, 10, 0.0), "delta"),
        ((1.0, 0.1, 10, 1.0), "delta"),
    ],
)
def test_values_out_of_range_are_refused(setting, message):
    with pytest.raises(UsageError, match=message):
        epsilon(*setting)


@pytest.mark.parametrize("target", [0.0, -1.0, math.inf, math.nan])
def test_targets_out_of_range_are_refused(target):
    with pytest.raises(UsageError, match="epsilon must be above 0"):
        solve_noise_multiplier(target, 0.1, 10, 1e-5)


@pytest.mark.parametrize("kind", [RecordLoss, SeparateTwinsLoss])
@pytest.mark.parametrize("rate", [1e-3, 0.3, 1.0])
def test_the_mean_of_a_loss_is_its_integral(kind, rate):
    """Against the integral over the noise itself, which knows nothing of distribution functions."""
    noise = 0.8
    loss = kind(rate, noise)
    x, step = np.linspace(-15, 15, 600_001, retstep=True)
    if kind is RecordLoss:
        weights = [1 - rate, rate]
    else:
        weights = [(1 - rate) ** 2, 2 * rate * (1 - rate), rate**2]
    with np.errstate(divide="ignore", over="ignore"):
        density = sum(w * stats.norm.pdf(x, k, noise) for k, w in enumerate(weights))
        value = np.log(density) - stats.norm.logpdf(x, 0, noise)
        expected = float((density * value).sum() * step)
        found = TruncatedLoss(loss, -60.0, 60.0).mean()
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("setting", "twins"),
    [
        ((0.05, 0.5, 10_000, 1e-5), False),
        ((1e-9, 0.5, 1, 1e-5), True),
        ((1.0, 0.01, 10**9, 1e-5), False),
        ((1.0, 0.1, 10, 1e-300), True),
    ],
)
def test_claims_beyond_floating_point_get_a_bound_at_once(setting, twins):
    """As in a tampered statement: no time, no memory, and a bound that is never too low."""
    assert epsilon(*setting, separate_twins=twins) > 50
