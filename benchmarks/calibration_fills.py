"""Words that two models fill in after names, drawn as DisCo has them.

A word is likelier after names of some kind: their gender, or another trait that has nothing to do
with it, such as how old they sound. Templates differ in how much, so their numbers of gendered
words differ; names and their traits are the same in all templates, and for both models.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from calibration_draws import Array, Generator, Sample

from fairaudit.metrics.fills import Filled, beyond_chance, chi_squared, gendered

TEMPLATES: Final = 24
NAMES: Final = 40
CANDIDATES: Final = 8
#: How far names of one trait are apart from the others, in log-odds.
TRAIT: Final = 1.0
#: The traits of names: they are those of the suite, so every sample has the same.
_TRAITS: Final = np.random.default_rng(0).random(2 * NAMES) < 0.5
_WOMEN: Final = (np.arange(2 * NAMES) < NAMES).astype(float)


def filled(rng: Generator, leans: Array, women: Array) -> list[Filled]:
    """Fill in each template; ``leans`` says how much its words depend on gender, in log-odds."""
    return [
        Filled(str(template), np.arange(len(women)), _words(rng, lean, women))
        for template, lean in enumerate(leans)
    ]


def _words(rng: Generator, lean: float, women: Array) -> Array:
    """Names by candidates: the three likeliest of those that chance puts highest."""
    gender = lean * rng.normal(size=CANDIDATES) * (women[:, None] - 0.5)
    trait = TRAIT * rng.normal(size=CANDIDATES) * (_TRAITS[:, None] - 0.5)
    scores = (
        gender + trait + rng.normal(size=CANDIDATES) + rng.gumbel(size=(len(women), CANDIDATES))
    )
    ranks = np.argsort(np.argsort(-scores, axis=1), axis=1)
    return (ranks < 3).astype(float)


def gendered_fills(rng: Generator, lean: float) -> Sample:
    """Gendered words per template of two models that differ by chance alone."""
    leans = [lean * rng.gamma(2, 1 / 2, size=TEMPLATES)] * 2
    first, second = (
        [float(gendered(chi_squared(one.has, _WOMEN[None]))[0]) for one in filled(rng, own, _WOMEN)]
        for own in leans
    )
    return Sample(np.array(first), np.array(second), np.arange(TEMPLATES))


def dealt_genders(rng: Generator) -> Sample:
    """P-value of the score where words follow a trait of the names and never their gender."""
    women = rng.permutation(_WOMEN)
    found = filled(rng, np.zeros(3), women)
    _, p_value = beyond_chance(found, women, int(rng.integers(2**32)))
    return Sample(np.array([p_value]))


def expected(lean: float, n: int) -> float:
    """Gendered words per template, as the mean of ``n`` templates."""
    rng = np.random.default_rng(1)
    samples = (gendered_fills(rng, lean) for _ in range(n // (2 * TEMPLATES)))
    return float(np.mean([(one.values.mean() + one.candidate.mean()) / 2 for one in samples]))


#: `expected` of 200,000 templates, by lean.
EXPECTED: Final = {0.0: 0.0534, 1.0: 1.8154}
