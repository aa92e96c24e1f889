"""Guesses about canaries against a whole trade-off curve: its arithmetic, coverage and power."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fairaudit.results.privacy import CanaryStatement
from fairaudit.training.accounting import Steps, epsilon, tradeoff_points
from fairaudit.training.foreign_statement import make_foreign_statement
from fairaudit.training.one_run_audit import counts_of, one_run_bound
from fairaudit.training.tradeoff_audit import (
    gaussian_epsilon,
    inverse_of_gaussian,
    inverse_of_points,
    least_gaussian,
    ruled_out,
)
from fairaudit.training.verification import CURVE_ERROR, verify


@pytest.mark.parametrize("eps", [0.0, 0.7, 2.0])
def test_one_guess_under_pure_privacy_is_right_as_randomised_response_is(eps):
    """A single guess is right with probability e^ε/(1 + e^ε) at most, and may be."""
    most = math.exp(eps) / (1 + math.exp(eps))
    inverse = inverse_of_points([(eps, 0.0)])
    assert not ruled_out(1, 1, 1, inverse, most - 1e-9)
    assert ruled_out(1, 1, 1, inverse, most + 1e-9)


@pytest.mark.parametrize("mu", [0.1, 1.0, 3.0])
def test_the_inverse_of_a_gaussian_s_points_is_its_own(mu):
    inverse, exact = None, inverse_of_gaussian(mu)
    deltas = np.geomspace(1e-6, 0.99, 200)
    inverse = inverse_of_points([(gaussian_epsilon(mu, delta), delta) for delta in deltas])
    for y in (0.01, 0.2, 0.5, 0.9, 0.99):
        assert inverse(y) <= exact(y) + 1e-9, "points say less than the curve"
        assert inverse(y) == pytest.approx(exact(y), abs=2e-3)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_a_gaussian_s_epsilon_is_the_accountant_s(sigma):
    assert epsilon(sigma, 1.0, 1, 1e-5) == pytest.approx(
        gaussian_epsilon(1 / sigma, 1e-5), abs=0.02
    )
    assert gaussian_epsilon(1 / sigma, 0.9) == 0.0


def test_points_of_a_run_lie_on_its_bounds():
    points = {d: e for e, d in tradeoff_points(Steps(1.0, 0.1, 20), 1e-6)}
    for delta in (1e-6, 1e-3, 0.02):
        assert points[delta] == pytest.approx(epsilon(1.0, 0.1, 20, delta), abs=0.03)
    assert points[0.9] == 0.0
    assert tradeoff_points(Steps(0.0, 0.1, 20), 1e-6) == []


def test_randomised_response_is_rarely_ruled_out():
    """The worst that pure privacy allows, each of 200 coins told rightly with e^ε/(1 + e^ε)."""
    m, eps, error = 200, 1.0, 0.05
    inverse, chance = inverse_of_points([(eps, 0.0)]), math.exp(1) / (1 + math.exp(1))
    least = next(v for v in range(m + 1) if ruled_out(m, m, v, inverse, error))
    refused = float(stats.binom.sf(least - 1, m, chance))
    assert refused <= error
    assert refused > error / 5, "no looser than it need be"


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_a_gaussian_mechanism_is_covered_and_closer_than_by_one_epsilon(sigma):
    rng, m, delta = np.random.default_rng(3), 1000, 1e-6
    shifts, bounds, older = [], [], []
    for _ in range(40):
        present = rng.random(m) < 0.5
        scores = present + sigma * rng.normal(size=m)
        shifts.append(least_gaussian(m, counts_of(scores, present), 0.05))
        bounds.append(gaussian_epsilon(shifts[-1], delta))
        older.append(one_run_bound(scores, present, delta).epsilon)
    assert np.mean(np.array(shifts) <= 1 / sigma) >= 0.95
    assert np.mean(bounds) > np.mean(older)
    # A tenth of the truth at least: one ε alone says next to nothing of a sigma of 3.
    assert np.mean(shifts) > 0.1 / sigma


def claim_with(counts, planted):
    claim = make_foreign_statement(
        trainer="ours", records=400, batch_size=100, steps=80, noise_multiplier=10.0,
        max_grad_norm=1.0, delta=1e-6,
    )  # fmt: skip
    guesses, right = counts[0]
    canaries = CanaryStatement(
        planted=planted, guesses=guesses, right=right, epsilon_lower_bound=0.0, level=0.95,
        counts=counts,
    )  # fmt: skip
    return claim.model_copy(update={"canaries": canaries})


def test_guesses_that_the_parameters_do_not_allow_refute_a_claim():
    """190 right guesses of 250 bound ε by 0.8, below the claim of 0.97; the curve refutes it."""
    counts = ((1000, 560), (500, 305), (250, 190))
    found = verify(claim_with(counts, 1000))
    assert not found.consistent
    assert "as declared would give so many right guesses" in found.sentence
    assert verify(claim_with(((1000, 520), (500, 265), (250, 140)), 1000)).consistent


def test_correct_runs_of_the_claimed_mechanism_are_rarely_refuted():
    """The strongest canary of a subsampled Gaussian: the sum of its coin times each step's draw."""
    rng, m, q, sigma, steps = np.random.default_rng(4), 300, 0.25, 1.0, 20
    curve = inverse_of_points(tradeoff_points(Steps(sigma, q, steps), 1e-6))
    refused = 0
    for _ in range(60):
        present = rng.random(m) < 0.5
        share = rng.binomial(steps, q, m) * present
        scores = share + sigma * math.sqrt(steps) * rng.normal(size=m)
        counts = counts_of(scores, present)
        refused += any(ruled_out(m, *one, curve, CURVE_ERROR / len(counts)) for one in counts)
    assert refused <= 2
