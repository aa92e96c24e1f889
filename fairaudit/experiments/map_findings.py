"""What the scores of a map come to: cells, the law of the moved share, and what it leaves over.

The bias of a model is its mean log-odds, averaged over the axes of the map. Everything that is said
with an interval resamples seeds, but R² over held-out cells, which resamples cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.experiments.map_plan import MapPlan, MapWorldPlan
from fairaudit.experiments.map_scores import Bias
from fairaudit.results import Interval
from fairaudit.results.map import (
    FrequencyPart,
    HeldOut,
    MapCell,
    MapSide,
    MovedShare,
    OverSeeds,
    Side,
)
from fairaudit.stats.claims import SeedDifference, seed_difference
from fairaudit.stats.moved_share import Moves, Parts, fit_share, held_out_fit, split, split_early
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind, read_arm

#: By world, arm and seed.
Scores = Mapping[tuple[str, str, int], Bias]
_LEVEL: Final = 0.95
#: Which stereotypes: all, those about the first group of their axis, those about the second.
_WHOLE, _PARTS = None, (0, 1)


@dataclass(frozen=True, slots=True)
class Table:
    """Scores of a map as arrays over worlds and seeds, NaN where a run failed."""

    plan: MapPlan
    scores: Scores
    #: Names of the plain runs where they were stopped, in the order of their steps.
    path: tuple[str, ...] = ()

    @property
    def worlds(self) -> tuple[MapWorldPlan, ...]:
        """Worlds, in the order of rows."""
        return self.plan.worlds

    def bias(self, arm: str, named: int | None = _WHOLE) -> NDArray[np.float64]:
        """Mean log-odds of an arm over the axes, shape [worlds, seeds]."""
        return np.array(
            [
                [self._mean(world.name, arm, seed, named) for seed in range(self.plan.seeds)]
                for world in self.worlds
            ]
        )

    def _mean(self, world: str, arm: str, seed: int, named: int | None) -> float:
        found = self.scores.get((world, arm, seed))
        return np.nan if found is None else fmean(found[axis, named] for axis in self.plan.axes)

    def seeds_of(self, arm: str) -> NDArray[np.bool_]:
        """Seeds that base, plain along its way, and an arm finished in every world."""
        every = [self.bias(one) for one in (BASE, *self.path, PLAIN, arm)]
        return np.asarray(np.isfinite(np.stack(every)).all(axis=(0, 1)))

    def moves(
        self, arm: str, *, frequency: float | None = None, beside: str | None = None
    ) -> Moves:
        """Return moves of an arm and of the plain one, of whole worlds or of one frequency."""
        seeds = self.seeds_of(beside or arm)
        rows = [
            (place, world.lean, named)
            for place, world in enumerate(self.worlds)
            for named in ((_WHOLE,) if frequency is None else _PARTS)
            if frequency is None or world.frequency(named or 0) == frequency
        ]
        base, plain, own = (
            np.stack([self.bias(one, named)[place, seeds] for place, _, named in rows])
            for one in (BASE, PLAIN, arm)
        )
        return Moves(own - base, plain - base, tuple(lean for _, lean, _ in rows))


def over(found: SeedDifference) -> OverSeeds:
    """Return a number over seeds as results store it."""
    bounds = None
    if found.low is not None and found.high is not None:
        bounds = Interval(
            low=found.low, high=found.high, level=_LEVEL, method="t", resampling_unit="seed"
        )
    return OverSeeds(value=found.value, interval=bounds, n_seeds=found.n_seeds, reason=found.reason)


def level(table: Table, world: int, arm: str) -> OverSeeds:
    """Mean log-odds of an arm in one world, over its seeds."""
    values = table.bias(arm)[world]
    return over(seed_difference(values[np.isfinite(values)].tolist(), _LEVEL))


def cells(table: Table) -> Iterator[MapCell]:
    """Difference of every arm from the plain one in every world, with its two parts."""
    for arm in table.plan.compared:
        parts = _parts(table, arm)
        change = table.bias(arm) - table.bias(PLAIN)
        for place, world in enumerate(table.worlds):
            finite = change[place][np.isfinite(change[place])]
            split_of = None if parts is None else parts[place]
            yield MapCell(
                world=world.name,
                lean=world.lean,
                share=world.share,
                arm=arm,
                change=over(seed_difference(finite.tolist(), _LEVEL)),
                explained=None if split_of is None else over(split_of.explained),
                unexplained=None if split_of is None else over(split_of.unexplained),
                by_axis=_by_axis(table, world.name, arm),
            )


def _parts(table: Table, arm: str) -> Sequence[Parts] | None:
    if not table.seeds_of(arm).any():
        return None
    return split(table.moves(arm))


def _by_axis(table: Table, world: str, arm: str) -> dict[str, float]:
    found = {}
    for axis in table.plan.axes:
        values = [
            own[axis, None] - plain[axis, None]
            for seed in range(table.plan.seeds)
            if (own := table.scores.get((world, arm, seed))) is not None
            and (plain := table.scores.get((world, PLAIN, seed))) is not None
        ]
        if values:
            found[axis] = fmean(values)
    return found


def moved(table: Table) -> Iterator[MovedShare]:
    """Share of the way from base to plain that every arm moved."""
    for arm in table.plan.compared:
        if table.seeds_of(arm).any():
            yield MovedShare(arm=arm, share=over(fit_share(table.moves(arm))))


def held_out(table: Table) -> Iterator[HeldOut]:
    """R² over held-out cells: of all private arms without twins together, then of every arm."""
    arms = [arm for arm in table.plan.compared if table.seeds_of(arm).any()]
    private = [arm for arm in arms if _kind(arm) is ArmKind.DP]
    for name, some in [(None, private), *((arm, [arm]) for arm in arms)]:
        if some:
            yield _held_out(name, [table.moves(arm) for arm in some])


def _held_out(arm: str | None, every: Sequence[Moves]) -> HeldOut:
    found = held_out_fit(every)
    bounds = None
    if found.low is not None and found.high is not None:
        bounds = Interval(
            low=found.low,
            high=found.high,
            level=_LEVEL,
            method="bootstrap-percentile",
            resampling_unit="cell",
        )
    return HeldOut(
        arm=arm,
        r_squared=found.value,
        interval=bounds,
        n_cells=found.n_cells,
        reason=found.reason,
    )


def frequencies(table: Table) -> Iterator[FrequencyPart]:
    """Split every arm's change, by how frequent the group of the stereotype is."""
    known = sorted({world.frequency(named) for world in table.worlds for named in _PARTS})
    for arm in table.plan.compared:
        if not table.seeds_of(arm).any():
            continue
        whole = table.moves(arm)
        for frequency in known:
            own = table.moves(arm, frequency=frequency)
            every = [range(len(own.leans))]
            (found,) = split(whole, own, every)
            early = None
            if table.path:
                ways = [table.moves(stop, beside=arm).arm for stop in table.path]
                of_ways = [
                    table.moves(stop, frequency=frequency, beside=arm).arm for stop in table.path
                ]
                (early,) = split_early(whole, ways, own, of_ways, every)
            yield FrequencyPart(
                arm=arm,
                frequency=frequency,
                change=over(found.change),
                explained=over(found.explained),
                unexplained=over(found.unexplained),
                share=over(fit_share(own)),
                early=None if early is None else over(early.explained),
                beyond_early=None if early is None else over(early.unexplained),
            )


def sides(table: Table) -> Iterator[MapSide]:
    """Mean change where the base leans more than the text, alike, or less."""
    arms = table.plan.compared
    private = [arm for arm in arms if _kind(arm) is ArmKind.DP]
    for name, some in [(None, private), *((arm, [arm]) for arm in arms)]:
        for side in ("more", "same", "less"):
            rows = [place for place, one in enumerate(table.worlds) if _side(one.lean) == side]
            if some and rows:
                yield _mean_change(table, name, some, side, rows)


def _mean_change(
    table: Table, name: str | None, arms: Sequence[str], side: Side, rows: Sequence[int]
) -> MapSide:
    change = np.stack([table.bias(arm) - table.bias(PLAIN) for arm in arms])[:, list(rows)]
    by_seed = change.mean(axis=(0, 1))
    found = seed_difference(by_seed[np.isfinite(by_seed)].tolist(), _LEVEL)
    return MapSide(arm=name, side=side, change=over(found), n_cells=len(rows) * len(arms))


def _side(lean: float) -> Side:
    return "same" if lean == 0 else "more" if lean > 0 else "less"


def _kind(arm: str) -> ArmKind | None:
    found = read_arm(arm)
    return None if found is None else found.kind
