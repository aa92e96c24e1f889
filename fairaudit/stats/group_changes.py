"""How groups changed between two models: the largest change of any, and that of the largest gap.

**Largest change.** Each group g is held against a reference group, or against the mean of the other
groups: d_g. Its change Δ_g between the models is signed, and the question is the largest of them.
`fairaudit.stats.simultaneous.LargestOf` makes its bounds of those of each group.

**Largest gap.** The gap max − min of the group means is the largest of the differences
D_p = m_i − m_j over ordered pairs p of groups. With those of baseline and candidate its change is

    max_p D_Cp − max_q D_Bq = max_p min_q E_pq = min_q max_p E_pq,    E_pq = D_Cp − D_Bq.

For the pair p that is truly the largest in the candidate, every E_pq is an upper bound of the
change; so max_p min_q of upper bounds is one, if for each p they hold for all q at once. Lower
bounds mirror this. Of the error α, the paired change E_pp takes the larger part, since it decides
where the same two groups are furthest apart in both models; the other pairs share the rest
(Bonferroni), and so leave out what is far from being the largest.

**Widths.** Bounds are Student's with CR2 standard errors, at least as far out as those of the
cluster bootstrap (the hull, as for other means: heavy tails mislead the bootstrap, skewed ones
Student). On the side from which harm comes, the standard error also holds `GroupMeans.unseen`: that
no prompt was seen to jump does not say that none can. Where a group hardly moved, both sides do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from fairaudit.stats.bootstrap import joint_t
from fairaudit.stats.clusters import Array
from fairaudit.stats.group_means import GroupMeans

#: Share of the error of a bound that goes to the pairs other than the one compared.
_OTHERS: Final = 0.25
#: Where the bootstrap is held against Student, and the share of rare extremes that says how many
#: independent looks a search is worth.
_TAIL: Final = 0.025
_FAMILY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of several contrasts, each with Student's bounds of its own width on either side.

    Parameters
    ----------
    value : array of shape [P]
        Signed changes Δ.
    se_below, se_above, df : arrays of shape [P]
        Standard errors towards lower and towards higher values, and their degrees of freedom.
    searched : float
        How many independent numbers a search over all of them amounts to, from 1 to P.
    """

    value: Array
    se_below: Array
    se_above: Array
    df: Array
    searched: float


def reference_contrasts(n_groups: int, reference: int | None) -> Array:
    """Contrasts of each group with the reference, or with the mean of the others, shape [P, K].

    Parameters
    ----------
    n_groups : int
        K.
    reference : int or None
        Place of the reference group; None: each group against the mean of the others.

    Returns
    -------
    array of shape [P, K]
        Rows sum to 0; P is K − 1 with a reference and K without.

    Examples
    --------
    >>> reference_contrasts(3, 0)
    array([[-1.,  1.,  0.],
           [-1.,  0.,  1.]])
    """
    if reference is None:
        return np.asarray(np.eye(n_groups) - (1 - np.eye(n_groups)) / (n_groups - 1))
    against = np.eye(n_groups)
    against[:, reference] -= 1
    return np.delete(against, reference, axis=0)


def changes(means: GroupMeans, contrasts: Array, *, seed: int = 0) -> Changes:
    """Change of each contrast of group means from the baseline to the candidate.

    Parameters
    ----------
    means : GroupMeans
        Of at least 40 clusters, 10 in each group.
    contrasts : array of shape [P, K]
        Rows sum to 0.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Changes
        Change of each contrast in the unit of the values, with what simultaneous bounds are made
        of.
    """
    drawn = _drawn(means, contrasts, seed)
    return _changes(means, contrasts, _extremes(drawn), _searched(drawn))


def _drawn(means: GroupMeans, contrasts: Array, seed: int) -> Array:
    """Replicates of the studentised contrasts, shape [R, P].

    A few clusters that moved make replicates wild, and none make them flat: a group that hardly
    moved has its width from what was not seen, and counts here as standing still.
    """
    moving = means.change_influence * ~means.still
    return joint_t(moving @ contrasts.T, seed=seed)


def _changes(
    means: GroupMeans, contrasts: Array, extremes: tuple[Array, Array], searched: float
) -> Changes:
    variance = ((means.change_influence @ contrasts.T) ** 2).sum(axis=0)
    rises, falls = means.unseen(contrasts), means.unseen(contrasts, up=False)
    own = contrasts**2 * (means.change_influence**2).sum(axis=0)
    df = means.welch(own + falls * means.still)
    below, above = (_beyond(one, df) for one in extremes)
    known = variance + (falls * means.still).sum(axis=1)
    guarded = variance + rises.sum(axis=1)
    return Changes(
        value=contrasts @ means.change,
        se_below=np.sqrt(np.maximum(variance * below**2, known)),
        se_above=np.sqrt(np.maximum(variance * above**2, guarded)),
        df=df,
        searched=searched,
    )


def _extremes(drawn: Array) -> tuple[Array, Array]:
    """Quantiles of t that set the bounds below and above an estimate, shape [P] each."""
    rank = round(_TAIL * (len(drawn) + 1))
    ordered = np.partition(drawn, (rank - 1, len(drawn) - rank), axis=0)
    return ordered[-rank], -ordered[rank - 1]


def _beyond(extreme: Array, df: Array) -> Array:
    """How much further out than Student's such a bound lies, at least 1."""
    factor = extreme / special.stdtrit(df, 1 - _TAIL)
    return np.where(np.isfinite(factor), np.maximum(factor, 1.0), 1.0)


def _searched(drawn: Array) -> float:
    """Effective number of independent columns, by how seldom none of them is extreme.

    With the same share x of extremes in every column, independent ones leave all alone with
    probability (1 − x)^m; dependent ones behave as if there were fewer. A column without spread
    counts by itself.
    """
    varies = np.ptp(drawn, axis=0) > 0
    columns = drawn[:, varies]
    n = columns.shape[1]
    if n == 0:
        return float(drawn.shape[1])
    rank = max(1, round(_FAMILY / n * (len(drawn) + 1)))
    extreme = columns >= np.partition(columns, len(columns) - rank, axis=0)[-rank]
    share = float(extreme.mean(axis=0).max())
    anyone = float(extreme.any(axis=1).mean())
    # With ties a column can be extreme more often than asked for.
    found = np.log1p(-anyone) / np.log1p(-share) if anyone < 1 else n
    return float(np.clip(found, 1, n) + drawn.shape[1] - n)


@dataclass(frozen=True, slots=True)
class GapChange:
    """Bounds of the change of the largest gap, at several levels.

    Parameters
    ----------
    alphas, lows, highs : tuple of float
        One-sided error levels, falling, with the bound on either side.
    """

    alphas: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]


def gap_change(means: GroupMeans, alphas: Sequence[float], *, seed: int = 0) -> GapChange:
    """Bounds of the change of max − min of the group means.

    Parameters
    ----------
    means : GroupMeans
        Of K ≥ 2 groups.
    alphas : sequence of float
        One-sided error levels, falling.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    GapChange
        A lower and an upper bound for each level; they widen as α falls.
    """
    pairs = _ordered_pairs(len(means.groups))
    one_way = pairs[: len(pairs) // 2]
    drawn = _drawn(means, one_way, seed)
    below, above = _extremes(drawn)
    # A pair reversed has its bounds reversed.
    both = np.concatenate([below, above]), np.concatenate([above, below])
    paired = _changes(means, pairs, both, searched=1.0)
    apart = _apart(means, pairs)
    bounds = [_gap_bounds(paired, apart, alpha) for alpha in alphas]
    lows, highs = zip(*bounds, strict=True)
    return GapChange(
        tuple(alphas),
        tuple(np.minimum.accumulate(lows).tolist()),
        tuple(np.maximum.accumulate(highs).tolist()),
    )


def _ordered_pairs(n_groups: int) -> Array:
    """All differences of two groups, shape [K(K − 1), K]; the second half reverses the first."""
    first, second = np.triu_indices(n_groups, 1)
    one_way = np.eye(n_groups)[first] - np.eye(n_groups)[second]
    return np.concatenate([one_way, -one_way])


@dataclass(frozen=True, slots=True)
class _Apart:
    """E_pq = D_Cp − D_Bq of all ordered pairs, shape [N, N] each."""

    value: Array
    se_below: Array
    se_above: Array
    df: NDArray[np.intp]


def _apart(means: GroupMeans, pairs: Array) -> _Apart:
    base, other = means.influence[:, 0], means.influence[:, 1]
    in_base, in_other = base @ pairs.T, other @ pairs.T
    variance = (
        (in_other**2).sum(axis=0)[:, None]
        + (in_base**2).sum(axis=0)[None, :]
        - 2 * in_other.T @ in_base
    )
    variance = np.maximum(variance, 0.0)
    rises, falls = (means.unseen(pairs, up=up).sum(axis=1) for up in (True, False))
    # What raises D_B lowers E.
    above, below = rises[:, None] + falls[None, :], falls[:, None] + rises[None, :]
    return _Apart(
        value=(pairs @ means.candidate)[:, None] - (pairs @ means.baseline)[None, :],
        se_below=np.sqrt(variance + (below if means.still.any() else 0.0)),
        se_above=np.sqrt(variance + above),
        df=_whole_df(means, pairs),
    )


def _whole_df(means: GroupMeans, pairs: Array) -> NDArray[np.intp]:
    """Degrees of freedom of every E_pq, rounded down so that few quantiles are needed."""
    total = np.zeros((len(pairs), len(pairs)))
    squares = np.zeros_like(total)
    still = means.unseen(pairs) * means.still
    for group, df in enumerate(means.df):
        base, other = means.influence[:, :, group].T
        a, b = pairs[:, group][:, None], pairs[:, group][None, :]
        part = a**2 * (other @ other) + b**2 * (base @ base) - 2 * a * b * (other @ base)
        part = np.maximum(part, 0.0) + still[:, group][:, None] + still[:, group][None, :]
        total += part
        squares += part**2 / df
    most = float(means.total_clusters - 1)
    found = np.divide(total**2, squares, out=np.full_like(total, most), where=squares > 0)
    return np.floor(np.minimum(found, most)).astype(np.intp)


def _gap_bounds(paired: Changes, apart: _Apart, alpha: float) -> tuple[float, float]:
    """Lower and upper bound of the change of the gap, each at error ``alpha``."""
    n = len(apart.value)
    t = special.stdtrit(paired.df, 1 - (1 - _OTHERS) * alpha)
    far = _quantiles(apart.df, _OTHERS * alpha / (n - 1))
    lows, highs = apart.value - far * apart.se_below, apart.value + far * apart.se_above
    np.fill_diagonal(lows, paired.value - t * paired.se_below)
    np.fill_diagonal(highs, paired.value + t * paired.se_above)
    return float(lows.max(axis=0).min()), float(highs.min(axis=1).max())


def _quantiles(df: NDArray[np.intp], alpha: float) -> Array:
    known, place = np.unique(df, return_inverse=True)
    return np.asarray(-special.stdtrit(known, alpha)[place.reshape(df.shape)])
