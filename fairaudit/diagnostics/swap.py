"""Swap-odd share: how much of a record's gradient its counterfactual twins would cancel.

With the twins of a record as one unit, e is the mean of their gradients and o = g − e the rest of
the record's own: with one twin g' these are the swap-even part (g + g')/2 and the swap-odd part
(g − g')/2. Averaging before clipping, as DP training with averaged twins does, cancels o exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fairaudit.diagnostics.encoding import LabelledRow, batches
from fairaudit.diagnostics.moments import Array
from fairaudit.gradients import GradientEngine, Query, clip_factors


@dataclass(frozen=True, slots=True)
class SwapParts:
    """Of n records; NaN for a record without a twin.

    Parameters
    ----------
    share : array of shape [n]
        ‖o‖/‖e‖; 0 where the twins' gradients agree, large where they are opposed.
    clip_gap : array of shape [n]
        s − s': clip factor of the record minus the mean of its twins'. NaN without clipping.
    """

    share: Array
    clip_gap: Array


def swap_parts(
    engine: GradientEngine,
    units: Sequence[Sequence[LabelledRow]],
    *,
    clip_norm: float | None,
    pad_id: int,
    names: Sequence[str],
) -> SwapParts:
    """Compare records with their twins.

    Parameters
    ----------
    engine : GradientEngine
        The model.
    units : sequence of sequence of LabelledRow
        Rows of each record: its own text first, then its twins'; alone where it has none.
    clip_norm : float or None
        C.
    pad_id : int
        Token on places that are masked out.
    names : sequence of str
        Names of the records, for errors.
    """
    found = SwapParts(np.full(len(units), np.nan), np.full(len(units), np.nan))
    with_twins = [place for place, rows in enumerate(units) if len(rows) > 1]
    device = next(iter(engine.parameters.values())).device
    chosen = [units[place] for place in with_twins]
    for batch in batches(chosen, pad_id=pad_id, device=device):
        places = [with_twins[place] for place in batch.places]
        ids = [names[place] for place in places]
        query = engine.query(batch.inputs, units=batch.units, record_ids=ids)
        found.share[places] = _share(query, batch.units)
        if clip_norm is not None:
            found.clip_gap[places] = _clip_gap(query, batch.units, clip_norm)
    return found


def _share(query: Query, units: torch.Tensor) -> Array:
    sizes = units.bincount()[units].double()
    odd = query.regroup(units, _is_first(units).double() - 1 / sizes)
    even = query.norms()
    share = odd.norms() / even
    return np.asarray(share.cpu().numpy())


def _clip_gap(query: Query, units: torch.Tensor, clip_norm: float) -> Array:
    factors = clip_factors(query.regroup().norms(), clip_norm).cpu().double()
    first = _is_first(units)
    twins = torch.zeros(query.n_units, dtype=torch.float64)
    twins.index_add_(0, units[~first], factors[~first])
    gap = factors[first] - twins / (units.bincount() - 1)
    return np.asarray(gap.numpy())


def _is_first(units: torch.Tensor) -> torch.Tensor:
    """Whether a row is its unit's first; the rows of a unit stand together."""
    before = torch.cat([units.new_tensor([-1]), units[:-1]])
    return units != before
