"""How much a preference depends on the wording, against a known world."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from fairaudit.auditing.run_audit import audit
from fairaudit.metrics.sample_estimates import Slice
from fairaudit.metrics.tables import Part
from fairaudit.metrics.wording import spread, spread_estimate


def drawn(rng, k, n, tau, sigma):
    values = rng.normal(0, tau, size=(k, 1)) + rng.normal(0, sigma, size=(k, n))
    return values.mean(axis=1), values.var(axis=1, ddof=1) / n


def test_by_hand() -> None:
    # Means 0, 2, 4: variance 4. Errors 1, 1, 1: τ² = 3.
    value, low, high = spread(np.array([0.0, 2.0, 4.0]), np.ones(3))
    assert value == pytest.approx(math.sqrt(3))
    # Without one of them the variances are 2, 8 and 2.
    pseudo = 3 * math.log(4) - 2 * np.log([2.0, 8.0, 2.0])
    half = 4.302652729749462 * pseudo.std(ddof=1) / math.sqrt(3)
    assert (low, high) == pytest.approx((0.0, math.sqrt(4 * math.exp(half) - 1)))


def test_wordings_that_do_not_matter_have_no_spread() -> None:
    rng = np.random.default_rng(0)
    found = [spread(*drawn(rng, 64, 18, 0.0, 1.0)) for _ in range(300)]
    covered = np.mean([low == 0 for _, low, _ in found])
    assert covered >= 0.94
    assert np.mean([value**2 for value, _, _ in found]) < 0.02


@pytest.mark.parametrize(("k", "n"), [(24, 14), (64, 18)])
@pytest.mark.parametrize("tau", [0.3, 1.0])
def test_the_interval_covers_the_spread(k: int, n: int, tau: float) -> None:
    """Nominally 95 %; over few templates the jackknife is a little short."""
    rng = np.random.default_rng(1)
    found = [spread(*drawn(rng, k, n, tau, 1.0)) for _ in range(600)]
    covered = np.mean([low <= tau <= high for _, low, high in found])
    assert covered >= 0.90
    assert np.sqrt(np.mean([value**2 for value, _, _ in found])) == pytest.approx(tau, rel=0.05)


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_what_occupations_prefer_by_themselves_is_no_spread(tau: float) -> None:
    """Occupations lean by ±2 nats, half of them to each side, and each template asks 14 of 24."""
    rng = np.random.default_rng(2)
    found = []
    for _ in range(40):
        wording = rng.normal(0, tau, size=24)
        rows = [
            {"cluster": f"c{i}", "group": "ab"[i % 2], "template": f"t{(i + step) % 24}",
             "odds": (2 if i % 2 else -2) + wording[(i + step) % 24] + rng.normal(0, 0.5)}
            for i in range(24)
            for step in range(14)
        ]  # fmt: skip
        items = pd.DataFrame(rows).assign(anti_stereotype=0.0)
        items = items.assign(stereotype=items["odds"], item_id=range(len(items)))
        part = Part("age", None, items.set_index("item_id"), 0)
        found.append(spread_estimate(part, Slice("templates", "templates/p", "age")))
    values = [one.value for one in found]
    assert np.sqrt(np.mean(np.square(values))) == pytest.approx(tau, abs=0.08)
    covered = np.mean([one.interval.low <= tau <= one.interval.high for one in found])
    assert covered >= 0.85


def test_it_stands_beside_the_embedded_templates(checkpoint) -> None:
    result = audit(checkpoint("gpt2"), suites=["templates"], axes=["age", "gender"])
    found = [one for one in result.estimates if one.name == "template_spread"]
    assert {(one.axis, one.n_clusters) for one in found} == {("age", 24), ("gender", 64)}
    assert all(one.interval.low <= one.value <= one.interval.high for one in found)
    assert not any(one.primary for one in found)
