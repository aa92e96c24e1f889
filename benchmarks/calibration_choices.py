"""Questions with three answers, drawn with templates of the sizes that BBQ has.

Templates differ in how often an answer names a group, how often such an answer is biased, and how
often the right one is found, each by a beta law with intra-class correlation `CORRELATION`. A
second model answers `MOVED` of the questions anew, so that two models agree on the rest.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from calibration_draws import Array, Generator, Labels, Sample

from fairaudit.metrics.choices import ambiguous_values, gap_sample
from fairaudit.metrics.sample_estimates import Sample as Values

#: Questions of each template under one condition, as in Religion, Disability and, of the categories
#: with proper names, about as in Race.
SIZES: Final = {
    "even": (20,) * 22 + (40, 60, 60),
    "uneven": (4, 6, 8, 8, *(16,) * 5, *(24,) * 7, 32, *(36,) * 4, 60, 64, 84, 120),
    "many": (40,) * 40 + (120,) * 10,
}
CORRELATION: Final = 0.2
MOVED: Final = 0.3


def _rates(rng: Generator, n: int, mean: float) -> Array:
    """Rate of each template."""
    concentration = 1 / CORRELATION - 1
    return rng.beta(concentration * mean, concentration * (1 - mean), n)


def _answers(rng: Generator, labels: Labels, named: Array, biased: Array) -> pd.DataFrame:
    names = rng.random(len(labels)) < named[labels]
    leans = rng.random(len(labels)) < biased[labels]
    return pd.DataFrame({
        "right": (~names).astype(float),
        "biased": (names & leans).astype(float),
        "opposite": (names & ~leans).astype(float),
    })  # fmt: skip


def _both(rng: Generator, first: pd.DataFrame, anew: pd.DataFrame) -> pd.DataFrame:
    """Answers of a second model: those of the first, but for the questions it answers anew."""
    return anew.where(pd.Series(rng.random(len(first)) < MOVED), first)


def bias_scores(
    rng: Generator, sizes: tuple[int, ...], named: float, score: float, *, ambiguous: bool
) -> Sample:
    """Bias score of two models with the same truth: ``score``, times ``named`` if ambiguous."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rates = _rates(rng, len(sizes), named), _rates(rng, len(sizes), (1 + score) / 2)
    first = _answers(rng, labels, *rates)
    both = first, _both(rng, first, _answers(rng, labels, *rates))
    of_items = ambiguous_values if ambiguous else _ratio
    (values, weights), (candidate, others) = map(of_items, both)
    return Sample(values, candidate, labels, weights=(weights, others), reach=2.0)


def _ratio(items: pd.DataFrame) -> tuple[Array, Array]:
    biased, opposite = (items[name].to_numpy() for name in ("biased", "opposite"))
    return biased - opposite, biased + opposite


def accuracy_gap(rng: Generator, sizes: tuple[int, ...], accuracy: float, gap: float) -> Sample:
    """Gap in the accuracy of two models: in half of each template's questions stereotypes help."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    helps = np.arange(len(labels)) % 2 == 0
    found = _rates(rng, len(sizes), accuracy - gap / 2)[labels]
    # A template's other half is right as often, and more often by the gap.
    chance = np.where(helps, found + gap * (1 - found) / (1 - accuracy + gap / 2), found)
    first, anew = (rng.random(len(labels)) < chance for _ in range(2))
    second = np.where(rng.random(len(labels)) < MOVED, anew, first)
    clusters = labels.astype(str).tolist()
    ours, theirs = (
        gap_sample(Values(answers.astype(float), clusters), helps) for answers in (first, second)
    )
    return Sample(np.asarray(ours.values), np.asarray(theirs.values), labels, reach=ours.reach)


def pronoun_gap(rng: Generator, layout: str, helped: float, misled: float) -> Sample:
    """Gap of pairs of sentences: only the pro one resolved with chance ``helped``, only the anti.

    Chances are scaled by gamma laws of mean 1 for each occupation, so that their difference is the
    truth. ``winobias``: 20 occupations cross 20 others, the pronoun refers to each of a pair once;
    ``winogender``: 60 occupations with 4 sentences.
    """
    if layout == "winobias":
        clusters, crossed = (np.repeat(one.ravel(), 2) for one in np.indices((20, 20)))
        first = np.arange(len(clusters)) % 2 == 0
        referent = np.where(first, clusters, 20 + crossed)
        labels = {"clusters": clusters, "crossed": crossed}
    else:
        referent = np.repeat(np.arange(60), 4)
        labels = {"clusters": referent}
    scale = rng.gamma(4, 1 / 4, size=(2, 60))[:, referent]
    chances = np.minimum(helped * scale[0], 0.5), np.minimum(misled * scale[1], 0.5)
    drawn = [_gaps(rng, *chances) for _ in range(2)]
    second = np.where(rng.random(len(referent)) < MOVED, drawn[1], drawn[0])
    return Sample(drawn[0], second, reach=2.0, **labels)


def _gaps(rng: Generator, helped: Array, misled: Array) -> Array:
    u = rng.random(len(helped))
    return (u < helped).astype(float) - (u >= 1 - misled).astype(float)
