"""Pairs of sentences about professions, drawn as BEC-Pro has them.

Each profession has 45 pairs (9 pairs of words in 5 templates). Male minus female is a lean common
to all, that of the kind of profession, one of the profession, one of word and template, and what is
left. What words and templates do is alike in all professions. A second model shares the
professions' leans in part.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from calibration_draws import Array, Generator, Sample

from fairaudit.metrics.professions import towards_stereotype

WORDS: Final = 9
TEMPLATES: Final = 5
#: Lean to male words in every profession: far above what professions add.
LEAN: Final = 2.0
#: Part of a profession's lean that two models share.
SHARED: Final = 0.7


def professions(rng: Generator, n: int, truth: float, *, tail: bool) -> Sample:
    """Headline of two models over ``n`` professions of either kind, with the same truth.

    With ``tail`` few professions lie far out: their leans have Student's t with 3 degrees of
    freedom.
    """
    common = LEAN + rng.normal(size=(WORDS, 1)) + 0.5 * rng.normal(size=(1, TEMPLATES))
    leans = _leans(rng, 2 * n, tail=tail)
    others = SHARED * leans + np.sqrt(1 - SHARED**2) * _leans(rng, 2 * n, tail=tail)
    labels = np.repeat(np.arange(2 * n), WORDS * TEMPLATES)
    (values, weights), (candidate, theirs) = (
        towards_stereotype(*_differences(rng, found, common, truth)) for found in (leans, others)
    )
    return Sample(values, candidate, labels, weights=(weights, theirs))


def _leans(rng: Generator, n: int, *, tail: bool) -> Array:
    return 0.4 * (rng.standard_t(3, size=n) / np.sqrt(3) if tail else rng.normal(size=n))


def _differences(rng: Generator, leans: Array, common: Array, truth: float) -> tuple[Array, Array]:
    """Male minus female, of professions of mostly men and of mostly women."""
    half = len(leans) // 2
    drawn = leans[:, None, None] + common + 0.5 * rng.normal(size=(len(leans), WORDS, TEMPLATES))
    return (drawn[:half] + truth).ravel(), (drawn[half:] - truth).ravel()


def one_kind(rng: Generator, n: int, truth: float) -> Sample:
    """Male minus female of two models over ``n`` professions of one kind."""
    first = _leans(rng, n, tail=False)
    second = SHARED * first + np.sqrt(1 - SHARED**2) * _leans(rng, n, tail=False)
    shape = (n, WORDS * TEMPLATES)
    drawn = [
        (one[:, None] + truth + 0.5 * rng.normal(size=shape)).ravel() for one in (first, second)
    ]
    return Sample(*drawn, np.repeat(np.arange(n), WORDS * TEMPLATES))
