"""Bounds at any level: each kind against the interval it stands for, and tests that invert them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from fairaudit.stats.evidence import (
    Evidence,
    Exact,
    Student,
    Tango,
    Wilson,
    evidence_of,
    paired_square,
    two_sided,
)
from fairaudit.stats.one_estimate import Inference, infer
from fairaudit.stats.paired import infer_paired

KINDS: list[Evidence] = [
    Student(0.1, 0.04, 0.05, 17.0),
    Student(-0.2, 0.1, 0.1, None),
    Wilson(0.37, 60),
    Wilson(0.0, 20),
    Exact(0.2, 35),
    Exact(0.1, 200, 0.03, 14.0),
    Tango(9, 3, 44),
    Tango(0, 0, 20),
    Tango(2.5, 1.5, 18.3, 9.0),
]
LEVELS = st.floats(0.001, 0.3)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize(("successes", "n"), [(0, 20), (7, 20), (20, 20), (41, 300)])
def test_wilson_and_exact_equal_statsmodels(successes: int, n: int, level: float) -> None:
    alpha = (1 - level) / 2
    for kind, method in ((Wilson, "wilson"), (Exact, "beta")):
        low, high = proportion_confint(successes, n, alpha=1 - level, method=method)
        evidence = kind(successes / n, n)
        assert evidence.lower(alpha) == pytest.approx(low, abs=1e-12)
        assert evidence.upper(alpha) == pytest.approx(high, abs=1e-12)


def test_student_by_hand() -> None:
    evidence = Student(0.1, 0.04, 0.05, None)
    assert evidence.lower(0.025) == pytest.approx(0.1 - 1.959964 * 0.04, abs=1e-6)
    assert evidence.upper(0.025) == pytest.approx(0.1 + 1.959964 * 0.05, abs=1e-6)
    # The limit lies below θ, where the lower width counts, whichever test asks.
    assert evidence.p_at_most(0.0) == pytest.approx(stats.norm.sf(2.5))
    assert evidence.p_at_least(0.0) == pytest.approx(stats.norm.cdf(2.5))
    assert evidence.p_at_least(0.2) == pytest.approx(stats.norm.sf(2.0))
    assert evidence.p_at_most(0.2) == pytest.approx(stats.norm.cdf(2.0))


def test_exact_test_equals_the_binomial_tail() -> None:
    evidence = Exact(7 / 20, 20)
    assert evidence.p_at_most(0.2) == pytest.approx(stats.binom.sf(6, 20, 0.2), abs=1e-9)
    assert evidence.p_at_least(0.6) == pytest.approx(stats.binom.cdf(7, 20, 0.6), abs=1e-9)


@given(st.sampled_from(KINDS), LEVELS)
@settings(max_examples=80, deadline=None)
def test_a_bound_is_where_its_test_has_that_level(evidence: Evidence, alpha: float) -> None:
    low, high = evidence.lower(alpha), evidence.upper(alpha)
    if low > -1 and not (isinstance(evidence, Wilson | Exact) and low == 0):
        assert evidence.p_at_most(low) == pytest.approx(alpha, abs=1e-6)
        assert evidence.p_at_most(low - 1e-4) < alpha < evidence.p_at_most(low + 1e-4)
    if high < 1:
        assert evidence.p_at_least(high) == pytest.approx(alpha, abs=1e-6)
        assert evidence.p_at_least(high + 1e-4) < alpha < evidence.p_at_least(high - 1e-4)


@given(st.sampled_from(KINDS), LEVELS, LEVELS)
@settings(max_examples=80, deadline=None)
def test_more_confidence_is_further_out(evidence: Evidence, a: float, b: float) -> None:
    small, large = sorted((a, b))
    # Of levels that are neighbours in floating point, bounds differ by rounding alone.
    assert evidence.lower(small) <= evidence.lower(large) + 1e-12
    assert evidence.upper(small) >= evidence.upper(large) - 1e-12


def test_tango_pays_for_estimated_pairs() -> None:
    # With df the score is held against t: without discordant pairs ± t²/(n + t²).
    t = stats.t.ppf(0.975, 9)
    assert Tango(0, 0, 30, 9.0).upper(0.025) == pytest.approx(t * t / (30 + t * t), rel=1e-9)
    assert Tango(5, 1, 30, 9.0).p_at_most(0) > Tango(5, 1, 30).p_at_most(0)


def test_two_sided() -> None:
    assert two_sided(Student(0.1, 0.05, 0.05, None)) == pytest.approx(2 * stats.norm.sf(2))
    assert two_sided(Student(0.0, 0.05, 0.05, None)) == 1
    # Tango's test of no difference is McNemar's without a correction.
    assert two_sided(Tango(9, 3, 44)) == pytest.approx(2 * stats.norm.sf(6 / math.sqrt(12)))


def test_paired_square() -> None:
    assert paired_square(0.1, 0.3) == 0.3
    assert paired_square(-0.5, 0.25) == 0.5
    assert paired_square(0.0, 1.2) == 1


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize(
    ("n", "per_cluster", "p"),
    [(300, 1, 0.5), (60, 1, 0.02), (400, 20, 0.5), (400, 20, 0.03), (400, 8, 0.5)],
)
def test_stored_estimates_give_back_their_interval(
    n: int, per_cluster: int, p: float, level: float
) -> None:
    values = (np.random.default_rng(n + per_cluster).random(n) < p).astype(float)
    found = infer(values, np.arange(n) // per_cluster, is_rate=True, ideal=0.5, level=level)
    assert bounds(found, rebuilt(found, level), level) == pytest.approx(
        (found.low, found.high), abs=1e-9
    )


@pytest.mark.parametrize("level", [0.9, 0.95])
@pytest.mark.parametrize("is_rate", [True, False])
@pytest.mark.parametrize("discordant", [0.0, 0.02, 0.4])
@pytest.mark.parametrize(("n", "per_cluster"), [(50, 1), (400, 20), (400, 8), (30, 1)])
def test_stored_comparisons_give_back_their_interval(
    n: int, per_cluster: int, discordant: float, is_rate: bool, level: float
) -> None:
    rng = np.random.default_rng(n + per_cluster)
    baseline = rng.integers(0, 3, n) / 2
    candidate = np.where(rng.random(n) < discordant, rng.integers(0, 3, n) / 2, baseline)
    found = infer_paired(
        baseline, candidate, np.arange(n) // per_cluster, is_rate=is_rate, level=level
    )
    evidence = found.evidence()
    if evidence is None:
        assert found.reason is not None
        return
    alpha = (1 - level) / 2
    assert (evidence.lower(alpha), evidence.upper(alpha)) == pytest.approx(
        (found.low, found.high), abs=1e-9
    )


def rebuilt(found: Inference, level: float) -> Evidence:
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.method is not None
    return evidence_of(
        found.value,
        method=found.method,
        low=found.low,
        high=found.high,
        level=level,
        se=found.se,
        df=found.df,
        n=found.n,
        n_clusters=found.n_clusters,
    )


def bounds(found: Inference, evidence: Evidence, level: float) -> tuple[float, float]:
    alpha = (1 - level) / 2
    # A result stores intervals cut at the range of a rate.
    return max(0.0, evidence.lower(alpha)), min(1.0, evidence.upper(alpha))
