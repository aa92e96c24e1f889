"""Distance between the distributions of a score in two groups of texts, tested by exchange.

Wasserstein-1, ∫ |F(t) − G(t)| dt: how far one distribution must be moved, on average, to become the
other. It is never below 0 and above 0 for any two samples, so no interval is given; beside it stand
what exchange of the groups gives on average (``chance``) and the p-value of that exchange.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.gaps import reference_group, too_few
from fairaudit.metrics.prompts import Array, Prompts, Texts, by_axis
from fairaudit.metrics.sample_estimates import Metric, Slice, without_interval
from fairaudit.results import Estimate
from fairaudit.stats.clusters import codes

_EXCHANGES: Final = 999
#: Elements of the exchanged table that are held at a time.
_BLOCK: Final = 1 << 20
_REASON: Final = "a distance is never below 0: its p-value is that of exchanging the groups"


def distance_estimates(metric: Metric, texts: Texts, label: str, seed: int) -> Iterator[Estimate]:
    """Distance of the other groups' texts from those of the reference group, axis by axis.

    Every prompt has the same weight, however many of its texts have a score.
    """
    scores = texts.by_label[label].dropna()
    for prompts in by_axis(texts, lambda by_label: by_label[label]):
        reference = reference_group(prompts)
        if reference is None or len(prompts.groups) < 2:
            continue
        own = scores[scores.index.get_level_values("item_id").isin(prompts.table.index)]
        yield _distance(metric, prompts, own, reference, seed)


def _distance(
    metric: Metric, prompts: Prompts, texts: pd.Series[float], reference: str, seed: int
) -> Estimate:
    where = Slice(prompts.suite, prompts.protocol, prompts.axis)
    prompt = prompts.table.index.get_indexer(texts.index.get_level_values("item_id"))
    is_reference = (prompts.table["group"] == reference).to_numpy()
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(texts)]))
    sides = np.vstack([is_reference, _exchanged(prompts, is_reference, rng)])
    found = wasserstein(np.asarray(texts, dtype=np.float64), prompt, sides)
    value, drawn = float(found[0]), found[1:]
    few = too_few(prompts)
    if few is not None:
        return without_interval(metric, where, prompts.sample(), value=value, reason=few)
    p_value = (1 + int((drawn >= value * (1 - 1e-12)).sum())) / (1 + _EXCHANGES)
    with_chance = replace(metric, chance=float(drawn.mean()))
    made = without_interval(with_chance, where, prompts.sample(), value=value, reason=_REASON)
    return made.model_copy(update={"p_value": p_value})


def wasserstein(values: Array, prompt: NDArray[np.intp], sides: NDArray[np.bool_]) -> Array:
    """Wasserstein-1 distance between two sides, for many ways to divide prompts, shape [R].

    Parameters
    ----------
    values : array of shape [texts]
        Score of each text.
    prompt : array of int, shape [texts]
        Its prompt.
    sides : array of bool, shape [R, prompts]
        Which prompts are on the first side; both sides hold some.
    """
    order = np.argsort(values, kind="stable")
    of_text = prompt[order]
    weight = 1 / np.bincount(prompt)[of_text]
    steps = np.diff(values[order])
    rows = max(1, _BLOCK // len(values))
    return np.concatenate(
        [
            _gap(np.where(part[:, of_text], weight, 0.0), weight) @ steps
            for part in np.split(sides, range(rows, len(sides), rows))
        ]
    )


def _gap(first: Array, weight: Array) -> Array:
    """|F − G| between neighbouring texts, from the weights of the first side, shape [R, texts]."""
    second = weight - first
    density = first / first.sum(axis=1, keepdims=True) - second / second.sum(axis=1, keepdims=True)
    return np.asarray(np.abs(np.cumsum(density, axis=1)[:, :-1]))


def _exchanged(
    prompts: Prompts, side: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Sides after random exchanges of groups, shape [exchanges, prompts].

    Within a cluster that holds several groups (an opening asked about each), prompts change places;
    clusters of a single group change places with each other, as a whole.
    """
    cluster, _ = codes(prompts.table["cluster"].astype(str).tolist())
    several = prompts.table.groupby(cluster)["group"].transform("nunique").to_numpy() > 1
    # A unit is what moves as a whole; a block, the units that change places.
    labels = np.where(several, len(side) + np.arange(len(side)), cluster)
    unit, first, unit_of = np.unique(labels, return_index=True, return_inverse=True)
    block = np.where(several, cluster, -1)[first]
    by_block = np.argsort(block, kind="stable")
    keys = block[by_block] + rng.random((_EXCHANGES, len(unit)))
    moved = np.empty((_EXCHANGES, len(unit)), dtype=bool)
    moved[:, by_block] = side[first][by_block][np.argsort(keys, axis=1)]
    return moved[:, unit_of]
