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
from fairaudit.training.accounting import (
    MIN_NOISE,
    epsilon,
    epsilon_bound,
    solve_noise_multiplier,
)
from fairaudit.training.composition import (
    EPSILON_ERROR,
    MAX_DRAWS,
    TruncatedLoss,
    record_loss,
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


@pytest.mark.long
@pytest.mark.parametrize("setting", SETTINGS[2::3])
def test_separate_twins_agree_with_the_gaussian_mixture(setting):
    noise, rate, steps, delta = setting
    weights = [(1 - rate) ** 2, 2 * rate * (1 - rate), rate**2]
    one = from_mixture_gaussian_mechanism(
        noise, [0, 1, 2], weights, value_discretization_interval=4e-4
    )
    exact = one.self_compose(steps).get_epsilon_for_delta(delta)
    assert exact - 1e-3 <= epsilon(*setting, separate_twins=True) <= exact + 0.02


@pytest.mark.long
@pytest.mark.parametrize("copies", [2, 7])
@pytest.mark.parametrize("setting", [SETTINGS[2], SETTINGS[5], (1.5, 0.004, 2000, 1e-6)])
def test_copies_of_a_record_agree_with_the_gaussian_mixture(setting, copies):
    noise, rate, steps, delta = setting
    weights = stats.binom.pmf(range(copies + 1), copies, rate)
    one = from_mixture_gaussian_mechanism(
        noise, list(range(copies + 1)), list(weights), value_discretization_interval=1e-3
    )
    exact = one.self_compose(steps).get_epsilon_for_delta(delta)
    found = epsilon_bound(*setting, copies=copies)
    if found.accountant == "prv":
        assert exact - 3e-3 <= found.epsilon <= exact + 0.02
    else:
        assert found.epsilon >= exact - 3e-3


def test_very_many_copies_get_a_bound_that_counts_any_draw_as_all():
    setting = (40.0, 0.01, 20, 1e-5)
    followed, bounded = (epsilon(*setting, copies=k) for k in (MAX_DRAWS, MAX_DRAWS + 1))
    assert followed < bounded
    assert epsilon(40.0, 0.01, 20, 1e-5, copies=10**6) == math.inf or bounded < 1e9


def test_the_slack_of_a_small_epsilon_is_small():
    """A hundredth of a nat was half of a claim of 0.02."""
    setting = (20.0, 0.01, 100, 1e-5)
    oracle = PLDAccountant(value_discretization_interval=1e-5)
    oracle.compose(SelfComposedDpEvent(PoissonSampledDpEvent(0.01, GaussianDpEvent(20.0)), 100))
    exact = oracle.get_epsilon(1e-5)
    assert exact < 0.05
    assert exact - 1e-5 <= epsilon(*setting) <= 1.03 * exact


def test_the_bound_names_the_accountant_that_gave_it():
    assert epsilon_bound(1.0, 0.01, 100, 1e-11).accountant == "prv"
    assert epsilon_bound(1.0, 0.01, 100, 1e-13).accountant == "rdp"
    assert epsilon_bound(1.0, 0.01, 100, 1e-5, accountant="rdp").accountant == "rdp"


def test_the_least_noise_is_where_epsilon_is_beyond_use():
    setting = {"sample_rate": 0.02, "steps": 200, "delta": 1e-5}
    assert solve_noise_multiplier(1000.0, **setting) == pytest.approx(MIN_NOISE)


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


@pytest.mark.parametrize("draws", [1, 2, 5])
@pytest.mark.parametrize("rate", [1e-3, 0.3, 1.0])
def test_the_mean_of_a_loss_is_its_integral(draws, rate):
    """Against the integral over the noise itself, which knows nothing of distribution functions."""
    noise = 0.8
    loss = record_loss(rate, noise, draws)
    x, step = np.linspace(-25, 25, 1_000_001, retstep=True)
    weights = stats.binom.pmf(range(draws + 1), draws, rate)
    with np.errstate(divide="ignore", over="ignore"):
        density = sum(w * stats.norm.pdf(x, k, noise) for k, w in enumerate(weights))
        value = np.log(density) - stats.norm.logpdf(x, 0, noise)
        expected = float((density * value).sum() * step)
        found = TruncatedLoss(loss, -90.0, 90.0).mean()
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
