"""The law of the moved share: a private model goes part of the way from the base to the plain one.

With b the bias of base, plain and private model in a cell (a text and a setting),

    b_private − b_base = k (b_plain − b_base) + r,

so that

    b_private − b_plain = (1 − k) (b_base − b_plain) + r.

The first part is *explained by moving less*; r, beyond it, is not. It holds what a mechanism adds
and what a way that is not straight leaves over. k is fitted over cells by least squares through the
origin, on means over seeds. What is said of a cell rests on a k that was fitted without the cells
of its lean (held out).

Where the way is not straight, a private model is held against a plain one *stopped early*, where
plain runs had on average gone the same share k (`split_early`).

Seeds are what is resampled. Statistics here are no means, so they go through the jackknife over
seeds, whose pseudo-values are averaged and get Student's interval. This also removes the shrinkage
of k by noise in b_plain, which is of order 1/S.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.stats.bootstrap import REPLICATES, bootstrap_weights
from fairaudit.stats.claims import MIN_SEEDS, SeedDifference, seed_difference
from fairaudit.stats.clusters import Array

#: From the seeds that count, by place, to a vector of statistics.
Statistic = Callable[[NDArray[np.intp]], Array]
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Moves:
    """Bias of two arms less that of the base, in each cell and seed.

    Parameters
    ----------
    arm, plain : array of shape [C, S]
        Change of bias from the base model; finite.
    leans : sequence of float, length C
        By how much the base leans more than the text in each cell; cells of one lean are held out
        together.
    """

    arm: Array
    plain: Array
    leans: Sequence[float]

    def __post_init__(self) -> None:
        """Refuse shapes that do not fit."""
        if self.arm.shape != self.plain.shape or len(self.leans) != len(self.arm):
            raise ValueError("moves need one row per cell and one column per seed in both arms")
        if not (np.isfinite(self.arm).all() and np.isfinite(self.plain).all()):
            raise ValueError("moves must be finite: leave failed seeds out before")

    @property
    def n_seeds(self) -> int:
        """Seeds that both arms finished in every cell."""
        return int(self.arm.shape[1])

    @property
    def without(self) -> NDArray[np.bool_]:
        """For each cell, the cells of other leans: shape [C, C]."""
        leans = np.asarray(self.leans, dtype=float)
        return np.asarray(leans[:, None] != leans[None, :])


@dataclass(frozen=True, slots=True)
class Parts:
    """What a difference of two arms is made of, over seeds: explained + unexplained = change.

    Parameters
    ----------
    change : SeedDifference
        Arm − plain, in the unit of the moves.
    explained : SeedDifference
        What going a share k of the way gives: (1 − k)(base − plain).
    unexplained : SeedDifference
        The rest, r.
    """

    change: SeedDifference
    explained: SeedDifference
    unexplained: SeedDifference


@dataclass(frozen=True, slots=True)
class HeldOutFit:
    """How much of the differences the law explains in cells that it was not fitted on.

    Parameters
    ----------
    value : float or None
        R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)², ȳ of the cells it was fitted on; below 0 where the law
        predicts worse than that mean.
    low, high : float or None
        Percentile bootstrap over cells.
    reason : str or None
        Why there is none.
    """

    value: float | None
    n_cells: int
    low: float | None = None
    high: float | None = None
    reason: str | None = None


def share_moved(arm: Array, plain: Array) -> float:
    """Least squares through the origin of the arm's moves on those of the plain one.

    Parameters
    ----------
    arm, plain : array of shape [C]
        Moves from the base, means over seeds. Where plain nowhere moved, the share is 0.
    """
    way = float(plain @ plain)
    return float(arm @ plain) / way if way > 0 else 0.0


def fit_share(moves: Moves) -> SeedDifference:
    """Share k of the way from base to plain, over all cells, with its interval over seeds.

    Parameters
    ----------
    moves : Moves
        How far plain and private models moved from the base, by cell and seed.

    Returns
    -------
    SeedDifference
        k: 0 stays at the base, 1 goes as far as plain training, below 0 goes the other way.
    """

    def statistic(seeds: NDArray[np.intp]) -> Array:
        return np.array([share_moved(*_means(moves, seeds))])

    return over_seeds(statistic, moves.n_seeds)[0]


def split(
    moves: Moves, of: Moves | None = None, mean_over: Sequence[Sequence[int]] | None = None
) -> list[Parts]:
    """Split the difference of an arm from the plain one into what moving less explains, and not.

    Parameters
    ----------
    moves : Moves
        Cells that k is fitted on: for each lean, those of all other leans.
    of : Moves, optional
        Cells that are split, with the same seeds; default the same.
    mean_over : sequence of sequences of int, optional
        Which cells are averaged for each result; default each on its own.

    Returns
    -------
    list of Parts
        One for each group of cells, in the unit of the moves.
    """
    target = moves if of is None else of
    groups = [[place] for place in range(len(target.leans))] if mean_over is None else mean_over

    def statistic(seeds: NDArray[np.intp]) -> Array:
        k = {lean: _held_out_share(moves, lean, seeds) for lean in set(target.leans)}
        arm, plain = _means(target, seeds)
        change = arm - plain
        explained = np.array([1 - k[lean] for lean in target.leans]) * -plain
        rows = [
            [part[list(group)].mean() for group in groups]
            for part in (change, explained, change - explained)
        ]
        return np.array(rows).ravel()

    found = over_seeds(statistic, target.n_seeds)
    n = len(groups)
    return [
        Parts(found[place], found[n + place], found[2 * n + place]) for place in range(len(groups))
    ]


def split_early(
    moves: Moves,
    path: Sequence[Array],
    of: Moves,
    of_path: Sequence[Array],
    mean_over: Sequence[Sequence[int]],
) -> list[Parts]:
    """Split as `split` does, by a plain model that was stopped where it had gone as far.

    Parameters
    ----------
    moves : Moves
        Cells that k is fitted on.
    path : sequence of arrays of shape [C, S]
        Moves of the plain runs in those cells at some steps, in their order; neither the base nor
        the end, which are added.
    of : Moves
        Cells that are split, with the same seeds.
    of_path : sequence of arrays
        Moves of the plain runs in them, at the same steps.
    mean_over : sequence of sequences of int
        Which cells are averaged for each result.

    Returns
    -------
    list of Parts
        One for each group of cells: *explained* is what stopping early changes.
    """
    ways = [np.zeros_like(moves.plain), *path, moves.plain]
    shown = [np.zeros_like(of.plain), *of_path, of.plain]

    def statistic(seeds: NDArray[np.intp]) -> Array:
        arm, plain = _means(of, seeds)
        early = np.array(
            [
                _at_share(moves, ways, [way[cell] for way in shown], lean, seeds)
                for cell, lean in enumerate(of.leans)
            ]
        )
        rows = [
            [part[list(group)].mean() for group in mean_over]
            for part in (arm - plain, early - plain, arm - early)
        ]
        return np.array(rows).ravel()

    found = over_seeds(statistic, of.n_seeds)
    n = len(mean_over)
    return [Parts(found[place], found[n + place], found[2 * n + place]) for place in range(n)]


def _at_share(
    moves: Moves,
    ways: Sequence[Array],
    shown: Sequence[Array],
    lean: float,
    seeds: NDArray[np.intp],
) -> float:
    """Move of a plain run in one cell when plain runs of other leans had gone the arm's share."""
    others = np.asarray(moves.leans, dtype=float) != lean
    plain = moves.plain[:, seeds].mean(axis=1)[others]
    gone = [share_moved(way[:, seeds].mean(axis=1)[others], plain) for way in ways]
    # A run may waver; the first time it has gone so far is what counts.
    gone = np.maximum.accumulate(gone).tolist()
    values = [float(one[seeds].mean()) for one in shown]
    return float(np.interp(_held_out_share(moves, lean, seeds), gone, values))


def held_out_fit(every: Sequence[Moves], *, seed: int = 0) -> HeldOutFit:
    """R² over held-out cells of one arm, or of several arms with the same cells together.

    The difference of each seed is predicted from the plain moves of the *other* seeds: noise of the
    plain arm stands in both sides of the law and would seem to explain itself.

    Parameters
    ----------
    every : sequence of Moves
        One for each arm, with the same cells; each has its own k.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    HeldOutFit
        R² = 1 − Σ error² / Σ difference², at most 1, below 0 where the law is worse than none;
        with a percentile interval over cells, or the reason why there is no value.
    """
    n_cells = len(every[0].leans) if every else 0
    if not every or min(moves.n_seeds for moves in every) < 2:
        return HeldOutFit(None, n_cells, reason="a prediction takes one seed from the others")
    if len(set(every[0].leans)) < 2:
        return HeldOutFit(None, n_cells, reason="one lean: none is left to fit on")
    errors, spread = (sum(parts) for parts in zip(*map(_squares, every), strict=True))
    total = float(np.sum(spread))
    if total <= 0:
        return HeldOutFit(None, n_cells, reason="all differences are equal: nothing to explain")
    weights = bootstrap_weights(n_cells, REPLICATES, seed).astype(float)
    drawn = weights @ spread
    ratios = (weights @ errors)[drawn > 0] / drawn[drawn > 0]
    low, high = np.quantile(1 - ratios, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return HeldOutFit(1 - float(np.sum(errors)) / total, n_cells, float(low), float(high))


def over_seeds(statistic: Statistic, n_seeds: int, level: float = _LEVEL) -> list[SeedDifference]:
    """Jackknife a vector of statistics over seeds: mean of pseudo-values, Student's interval.

    With S seeds, θ of all and θ₋ₛ without seed s, the pseudo-values are S θ − (S − 1) θ₋ₛ (Tukey
    1958). For a mean they are the seeds' own values. With fewer than three seeds it is θ itself,
    without an interval.
    """
    whole = np.arange(n_seeds)
    if n_seeds == 0:
        return [seed_difference([])]
    found = statistic(whole)
    if n_seeds < MIN_SEEDS:
        return [
            SeedDifference(float(value), n_seeds, reason=seed_difference([0.0] * n_seeds).reason)
            for value in found
        ]
    left_out = np.stack([statistic(np.delete(whole, one)) for one in whole])
    pseudo = n_seeds * found - (n_seeds - 1) * left_out
    return [seed_difference(column.tolist(), level) for column in pseudo.T]


def _means(moves: Moves, seeds: NDArray[np.intp]) -> tuple[Array, Array]:
    return moves.arm[:, seeds].mean(axis=1), moves.plain[:, seeds].mean(axis=1)


def _held_out_share(moves: Moves, lean: float, seeds: NDArray[np.intp]) -> float:
    others = np.asarray(moves.leans, dtype=float) != lean
    arm, plain = _means(moves, seeds)
    return share_moved(arm[others], plain[others])


def _squares(moves: Moves) -> tuple[Array, Array]:
    """Squared errors of prediction, and squared distances from the mean, by cell: [C] each."""
    whole = np.arange(moves.n_seeds)
    change = moves.arm - moves.plain
    others = (moves.plain.sum(axis=1, keepdims=True) - moves.plain) / (moves.n_seeds - 1)
    k = np.array([_held_out_share(moves, lean, whole) for lean in moves.leans])
    predicted = (1 - k)[:, None] * -others
    middle = np.array([change[rest].mean() for rest in moves.without])
    return ((change - predicted) ** 2).sum(axis=1), ((change - middle[:, None]) ** 2).sum(axis=1)
