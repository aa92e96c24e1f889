"""Is the difference between two groups real: intervals and tests by resampling templates.

Interval: studentised bootstrap of templates (bootstrap-t). Test: the labels of a template's cells
are exchanged between the two groups, and the studentised difference is compared with what that
gives. Where cells are of one size this is exact. Where they are not, the studentised test keeps its
level approximately (Janssen 1997; Chung and Romano 2013), but not for skewed values such as clip
factors; there single records are exchanged within templates as well, and the larger of the two
p-values counts: a difference must be more than chance by both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.moments import Array
from fairaudit.diagnostics.resampled_cells import (
    Cells,
    bootstrap_counts,
    permuted_membership,
    permuted_records,
)
from fairaudit.diagnostics.statistics import Evaluated, Statistic

REPLICATES: Final = 1999
#: More replicates than this share without a value allow no interval.
_MAX_MISSING: Final = 0.01
_BLOCK: Final = 256


@dataclass(frozen=True, slots=True)
class Draws:
    """Resampled weights of the cells of some groups, shared by all statistics and steps.

    Parameters
    ----------
    cells : Cells
        Cells of one group, or of two.
    first : array of shape [m]
        1 for the cells of the group, or the first of two.
    bootstrap : array of shape [R, m]
        How often each cell's template was drawn.
    permuted : array of shape [R + 1, m], or None
        1 where a cell is taken for the first group's; the first row as observed. None for one
        group.
    """

    cells: Cells
    first: Array
    bootstrap: Array
    permuted: Array | None

    @classmethod
    def of_pair(cls, cells: Cells, group: int, replicates: int, rng: np.random.Generator) -> Draws:
        """Draw for two groups."""
        counts = bootstrap_counts(cells, replicates, rng)
        permuted = permuted_membership(cells, group, replicates, rng)
        return cls(
            cells,
            cells.of_group(group),
            counts[:, cells.templates].astype(np.float64),
            permuted.astype(np.float64),
        )

    @classmethod
    def of_records(
        cls, labels: Labels, groups: tuple[int, int], replicates: int, rng: np.random.Generator
    ) -> Draws:
        """Exchange single records of two groups within templates; without a bootstrap."""
        cells = Cells.single(labels, groups)
        permuted = permuted_records(cells, groups[0], replicates, rng)
        none = np.zeros((0, len(cells.counts)))
        return cls(cells, cells.of_group(groups[0]), none, permuted.astype(np.float64))

    @classmethod
    def of_group(cls, cells: Cells, replicates: int, rng: np.random.Generator) -> Draws:
        """Draw for one group by itself."""
        counts = bootstrap_counts(cells, replicates, rng)
        weights = counts[:, cells.templates].astype(np.float64)
        return cls(cells, np.ones(len(cells.counts)), weights, None)


@dataclass(frozen=True, slots=True)
class Resampled:
    """A difference (or a value) with its standard error, interval and p-value."""

    value: float | None
    se: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    reason: str | None = None


def interval(statistic: Statistic, draws: Draws, level: float = 0.95) -> Resampled:
    """Bootstrap-t interval of the statistic: of the difference where the draws have two groups.

    [θ − t_{1−α/2} se, θ − t_{α/2} se] with t = (θ* − θ)/se* over replicates (Efron 1981).
    """
    value, se = _evaluate(statistic, draws, np.ones((1, len(draws.first))))
    if not np.isfinite(value[0]):
        return Resampled(None, reason="below resolution: its norm cannot be told from 0")
    if not se[0] > 0:
        return Resampled(float(value[0]), reason="no spread between templates")
    star, star_se = _evaluate(statistic, draws, draws.bootstrap)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (star - value[0]) / star_se
    missing = np.isnan(t)
    found = Resampled(float(value[0]), float(se[0]))
    if missing.mean() > _MAX_MISSING:
        return Resampled(found.value, found.se, reason="too often below resolution when resampled")
    low, high = np.quantile(t[~missing], [(1 - level) / 2, (1 + level) / 2], method="higher")
    ends = (float(value[0] - high * se[0]), float(value[0] - low * se[0]))
    if not np.isfinite(ends).all():
        return Resampled(found.value, found.se, reason="too few templates with spread")
    return Resampled(found.value, found.se, ends)


def permutation_p(statistic: Statistic, draws: Draws) -> float | None:
    """Two-sided p-value of no difference between two groups: (hits + 1)/(R + 1).

    None where the templates do not differ at all, so that there is nothing to exchange.
    """
    assert draws.permuted is not None, "a test takes two groups"
    value, se = _differences(statistic, draws.cells, draws.permuted, 1 - draws.permuted)
    if se[0] == 0 and value[0] != 0:
        # Two constants that differ: their sizes alone can be compared.
        se = np.ones_like(se)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(value / se)
    # A replicate without a value is not evidence against the null.
    t = np.where(np.isnan(t), np.inf, t)
    if not np.isfinite(t[0]):
        return None
    hits = np.count_nonzero(t[1:] >= t[0] * (1 - 1e-9))
    return (int(hits) + 1) / len(t)


def _evaluate(statistic: Statistic, draws: Draws, weights: Array) -> Evaluated:
    if draws.permuted is None:
        return _singles(statistic, draws.cells, weights)
    return _differences(statistic, draws.cells, weights * draws.first, weights * (1 - draws.first))


def _singles(statistic: Statistic, cells: Cells, weights: Array) -> Evaluated:
    value, influence = statistic(weights)
    return value, _standard_error(cells, influence * weights, weights)


def _differences(statistic: Statistic, cells: Cells, first: Array, second: Array) -> Evaluated:
    """Difference of a statistic between two sets of cells, and its standard error, [R] each."""
    values, errors = [], []
    for start in range(0, len(first), _BLOCK):
        w, v = first[start : start + _BLOCK], second[start : start + _BLOCK]
        one, influence = statistic(w)
        other, other_influence = statistic(v)
        pushed = w * influence - v * other_influence
        values.append(one - other)
        errors.append(_standard_error(cells, pushed, w + v))
    return np.concatenate(values), np.concatenate(errors)


def _standard_error(cells: Cells, pushed: Array, weights: Array) -> Array:
    """√(T/(T − 1) Σ_t c_t E_t²), where c_t copies of a template each push by E_t.

    ``pushed`` holds c_t E_t by cell; a template's cells all have the weight c_t.
    """
    by_template = cells.by_template
    cells_of = by_template.sum(axis=0)
    copies = weights @ by_template / cells_of
    moved = pushed @ by_template
    squares = np.divide(moved**2, copies, out=np.zeros_like(moved), where=copies > 0)
    # Without any cell of a group the influence is NaN, and so is the standard error.
    squares = np.where(np.isnan(moved), np.nan, squares)
    n = cells.n_templates
    return np.asarray(np.sqrt(squares.sum(axis=1) * n / (n - 1)))
