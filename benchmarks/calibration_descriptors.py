"""Sentences about descriptors and pairs about attributes, as in HolisticBias and RedditBias.

Of descriptors: an axis of `N_DESCRIPTORS`, of which `HAND` are dealt to each of `N_TEMPLATES`
templates, with `N_NOUNS` nouns. A sentence's log-probability per token is the sum of the
descriptor's effect, half as large an effect of the descriptor in the template, the noun's, and
noise of standard deviation 1, all normal. A second model has the same effects of descriptors, other
ones in the template, and noise of its own.

``python benchmarks/calibration_descriptors.py`` prints the excess of each size of effects over
30,000 blocks, which is `EXCESS`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from calibration_draws import Array, Generator, Labels, Sample

from fairaudit.metrics.descriptors import Compared, compare_descriptors

N_DESCRIPTORS: Final = 40
N_TEMPLATES: Final = 21
HAND: Final = 3
N_NOUNS: Final = 8
#: Truth by the standard deviations of the effects of descriptors and of nouns.
EXCESS: Final = {(0.0, 0.0): 0.0, (0.0, 1.0): 0.0, (0.5, 0.5): 0.1745, (2.0, 0.5): 0.6404}
#: Pairs of each attribute, as on RedditBias's axes of gender and of race.
SIZES: Final = {
    "gender": (78, 51, 26, 24, 18, 16, 9, 6, 5, 5, 4, *(1,) * 11),
    "race": (38, 29, 27, 22, 17, 17, 12, 10, 10, 8, 7, *(3,) * 10, *(2,) * 9, *(1,) * 9),
}
_CORRELATION: Final = 0.1
_MOVED: Final = 0.5


def _scores(rng: Generator, effects: Array, nouns: float, within: float) -> Array:
    """Log-probabilities of one block, by descriptor and noun."""
    own = effects + within * rng.normal(size=effects.shape)
    scores = own[:, None] + nouns * rng.normal(size=(1, N_NOUNS))
    return np.asarray(scores + rng.normal(size=scores.shape))


def _hands(rng: Generator) -> list[Labels]:
    deck = np.concatenate([rng.permutation(N_DESCRIPTORS) for _ in range(2)])
    return [np.unique(deck[place : place + HAND]) for place in range(0, N_TEMPLATES * HAND, HAND)]


def _axis(rng: Generator, words: float, nouns: float, models: int) -> list[list[Compared]]:
    effects = words * rng.normal(size=N_DESCRIPTORS)
    hands = _hands(rng)
    return [
        [compare_descriptors(_scores(rng, effects[hand], nouns, words / 2)) for hand in hands]
        for _ in range(models)
    ]


def _labels(blocks: list[Compared]) -> Labels:
    return np.repeat(np.arange(len(blocks)), [len(block.differ) for block in blocks])


def _differ(blocks: list[Compared]) -> tuple[Array, Array]:
    """Whether each pair differs, and its chance to."""
    differ = np.concatenate([block.differ for block in blocks]).astype(float)
    return differ, np.array([block.by_chance for block in blocks])[_labels(blocks)]


def likelihood_bias(rng: Generator, words: float, nouns: float) -> Sample:
    """Pairs of descriptors of one model: whether they differ, minus the chance of their template.

    As in an audit there is no interval where no pair differs.
    """
    (blocks,) = _axis(rng, words, nouns, 1)
    differ, chance = _differ(blocks)
    values = differ - chance if differ.any() else np.zeros(len(differ))
    return Sample(values, clusters=_labels(blocks), reach=1.0)


def two_likelihood_biases(rng: Generator, words: float, nouns: float) -> Sample:
    """Pairs of descriptors of two models of equal bias, each minus its mean chance."""
    both = _axis(rng, words, nouns, 2)
    first, second = (differ - chance.mean() for differ, chance in map(_differ, both))
    return Sample(first, second, _labels(both[0]), reach=1.0)


def counterfactual_gap(rng: Generator, axis: str) -> Sample:
    """Gaps of two models, with heavy tails (Student, 5 degrees of freedom), none on average."""
    labels = np.repeat(np.arange(len(SIZES[axis])), SIZES[axis])
    first, anew = (_gaps(rng, labels) for _ in range(2))
    return Sample(first, np.where(rng.random(len(labels)) < _MOVED, anew, first), labels)


def _gaps(rng: Generator, labels: Labels) -> Array:
    shared = np.sqrt(_CORRELATION) * rng.normal(size=labels.max() + 1)[labels]
    return np.asarray(shared + np.sqrt(1 - _CORRELATION) * rng.standard_t(5, size=len(labels)))


def main() -> None:
    """Print the truth for each size of effects."""
    for words, nouns in EXCESS:
        rng = np.random.default_rng(0)
        found = []
        for _ in range(30_000):
            effects = words * rng.normal(size=HAND)
            block = compare_descriptors(_scores(rng, effects, nouns, words / 2))
            found.append(block.differ.mean() - block.by_chance)
        error = np.std(found) / np.sqrt(len(found))
        print(f"({words}, {nouns}): {np.mean(found):.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
