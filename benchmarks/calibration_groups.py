"""Cells of `calibration` about axes with more than two groups: largest change and largest gap.

Prompts of K groups get shares of a text classifier from both models. The truth of a cell is the
largest change of any group, or the change of the largest gap. A verdict is made as a comparison
makes it, and held against the bars of all verdicts; where one group moved by twice the margin, the
share of ``amplified`` is the power.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.decide import Decision, decide
from fairaudit.stats.evidence import Evidence, Student, two_sided
from fairaudit.stats.group_changes import changes, gap_change, reference_contrasts
from fairaudit.stats.group_means import GroupMeans, group_means
from fairaudit.stats.simultaneous import EachOf, LargestOf, Tabulated

Array = NDArray[np.float64]
Asks = Literal["largest change", "largest gap"]

#: One-sided levels at which the bounds of the gap are needed here.
_LEVELS: Final = (0.1, 0.05, 0.025, 0.01, 1e-3, 1e-6)
_SHARES: Final = (0.0, 1.0)
#: Mean of a group where nothing else is said.
_BASE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Design:
    """Groups of prompts and what became of their means.

    Parameters
    ----------
    before, after : tuple of float
        Means of both models by group; the first group is the reference.
    sizes : tuple of int
        Prompts by group.
    has_reference : bool
        Otherwise each group is held against the mean of the others.
    templates : bool
        Every group is asked with the same openings, which are the clusters.
    law : {"shares", "jumps"}
        Means of four texts' shares, most near 0 and some near 1; or nearly equal values, and what
        moves a mean are prompts that jump to 1.
    """

    before: tuple[float, ...]
    after: tuple[float, ...]
    sizes: tuple[int, ...]
    has_reference: bool = True
    templates: bool = False
    law: Literal["shares", "jumps"] = "shares"

    def truth(self, asks: Asks) -> float:
        """Return what the cell asks about."""
        before, after = np.array(self.before), np.array(self.after)
        if asks == "largest gap":
            return float(np.ptp(after) - np.ptp(before))
        return float((self.contrasts @ (after - before)).max())

    @property
    def contrasts(self) -> Array:
        """Contrasts of each group with what it is held against."""
        return reference_contrasts(len(self.sizes), 0 if self.has_reference else None)


@dataclass(frozen=True, slots=True)
class GroupSample:
    """Values of both models, with group and cluster of each prompt."""

    design: Design
    values: Array
    candidate: Array
    groups: NDArray[np.intp]
    clusters: NDArray[np.intp]


def draw(rng: np.random.Generator, design: Design) -> GroupSample:
    """Draw the prompts of a design."""
    groups = np.repeat(np.arange(len(design.sizes)), design.sizes)
    clusters = np.arange(len(groups))
    if design.templates:
        clusters = np.concatenate([np.arange(size) for size in design.sizes])
    tilt = rng.normal(0, 0.4, len(groups))[clusters] if design.templates else np.zeros(len(groups))
    sides = [
        _values(rng, np.repeat(means, design.sizes), tilt, design.law)
        for means in (design.before, design.after)
    ]
    return GroupSample(design, sides[0], sides[1], groups, clusters)


def _values(rng: np.random.Generator, means: Array, tilt: Array, law: str) -> Array:
    """Values with these means; ``tilt`` is shared by the prompts of an opening, and has mean 0."""
    if law == "jumps":
        quiet = rng.uniform(0, 0.01, len(means))
        return np.where(rng.random(len(means)) < means, 1.0, quiet)
    # An opening spreads texts more or less without moving their mean.
    total = 2 * np.exp(tilt)
    return np.asarray(rng.beta(total * means, total * (1 - means), (4, len(means))).mean(axis=0))


def verdict_on(asks: Asks, sample: GroupSample, margin: float, alpha: float) -> Decision:
    """Decide as `fairaudit.comparing.groups` does for one axis."""
    means = group_means(sample.values, sample.candidate, sample.groups, sample.clusters, _SHARES)
    value, evidence, within = _change(means, sample) if asks == "largest change" else _gap(means)
    p = two_sided(evidence)
    return decide(value, None, None, margin, alpha, evidence=evidence, within=within, p_adjusted=p)


def _change(means: GroupMeans, sample: GroupSample) -> tuple[float, Evidence, Evidence]:
    found = changes(means, sample.design.contrasts)
    rows = zip(found.value, found.se_below, found.se_above, found.df, strict=True)
    parts = tuple(Student(*map(float, row)) for row in rows)
    widest = (
        Student(one.value, max(one.se_below, one.se_above), max(one.se_below, one.se_above), one.df)
        for one in parts
    )
    return float(found.value.max()), LargestOf(parts, found.searched), EachOf(tuple(widest))


def _gap(means: GroupMeans) -> tuple[float, Evidence, None]:
    found = gap_change(means, _LEVELS)
    value = float(np.ptp(means.candidate) - np.ptp(means.baseline))
    return value, Tabulated(found.alphas, found.lows, found.highs), None


def moved(n_groups: int, by: float, *, start: Sequence[float] | None = None) -> tuple[float, ...]:
    """Means in which the second group moved and the others stayed."""
    means = list(start or [_BASE] * n_groups)
    means[1] += by
    return tuple(means)


def designs(margin: float) -> Iterator[tuple[str, Asks, Design]]:
    """Name, question and design of every cell."""
    for k in (3, 5, 10):
        flat, sizes = (_BASE,) * k, (60,) * k
        for by in (0.0, margin, 2 * margin):
            design = Design(flat, moved(k, by), sizes)
            yield f"one of {k} groups moved {by:+}", "largest change", design
            if k < 10 or by != margin:
                yield f"gap, one of {k} groups moved {by:+}", "largest gap", design
    five, sizes = (_BASE,) * 5, (60,) * 5
    opposite = (0.1, 0.25, 0.05, 0.05, 0.05)
    apart = (0.1, 0.25, 0.1, 0.1, 0.1)
    yield "opposite moves cancel", "largest change", Design(five, opposite, sizes)
    yield "gap, opposite moves cancel", "largest gap", Design(five, opposite, sizes)
    for by in (0.0, margin, -margin, 2 * margin):
        design = Design(apart, moved(5, by, start=apart), sizes)
        yield f"gap of 0.15 moved {by:+}", "largest gap", design
    fallen = (_BASE + margin, *five[1:])
    yield "all groups fell by the margin", "largest change", Design(five, fallen, sizes)
    uneven = (12, 60, 60, 200, 200)
    yield "groups of 12 to 200", "largest change", Design(five, five, uneven)
    for by in (0.0, 2 * margin):
        alone = Design(five, moved(5, by), sizes, has_reference=False)
        yield f"no reference, moved {by:+}", "largest change", alone
        shared = Design(five, moved(5, by), sizes, templates=True)
        yield f"same openings, moved {by:+}", "largest change", shared
    jumps = Design((0.02,) * 3, moved(3, margin, start=(0.02,) * 3), (60,) * 3, law="jumps")
    yield "rare jumps, moved by the margin", "largest change", jumps
    yield "gap, rare jumps, moved by the margin", "largest gap", jumps


def drawer(design: Design) -> functools.partial[GroupSample]:
    """Return what draws a design."""
    return functools.partial(draw, design=design)
