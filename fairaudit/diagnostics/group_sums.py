"""Moments from the sums of groups, each held once: no Gram matrix, one pass over the records."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.moments import Array, Moments
from fairaudit.gradients import Gradient, GradientEngine, Query, inner_product


class GroupSums:
    """Adds up gradients by group, plain and clipped; 2A gradients are held.

    Parameters
    ----------
    engine : GradientEngine
        The model.
    labels : Labels
        Group and template of each record. Records of one template must come in one query.
    """

    def __init__(self, engine: GradientEngine, labels: Labels) -> None:
        groups = range(len(labels.group_names))
        self._labels = labels
        self._plain = [engine.zeros() for _ in groups]
        self._clipped = [engine.zeros() for _ in groups]
        size = (len(self._plain), len(self._plain))
        self._plain_paired, self._clipped_paired = np.zeros(size), np.zeros(size)
        self._pairs = _pairs(labels)
        #: Whether every record has a template of its own: then pairs are records with themselves.
        self._single = len(np.unique(labels.templates)) == len(labels.templates)

    def add(self, places: Array, query: Query, factors: Tensor) -> None:
        """Add the records at some places, which are the units of a query, with their factors."""
        groups = self._labels.groups[places]
        for group in np.unique(groups).tolist():
            chosen = torch.from_numpy(groups == group).to(factors)
            query.weighted_sum(chosen, into=self._plain[group])
            if bool((factors != 1).any()):
                query.weighted_sum(chosen * factors, into=self._clipped[group])
            else:
                query.weighted_sum(chosen, into=self._clipped[group])
        self._add_paired(places, query, factors)

    def _add_paired(self, places: Array, query: Query, factors: Tensor) -> None:
        member = self._labels.membership[places]
        clipped = member * factors.cpu().numpy()[:, None]
        if self._single:
            products = np.diag(query.norms().cpu().numpy() ** 2)
        else:
            templates = self._labels.templates[places]
            same = templates[:, None] == templates[None, :]
            products = np.where(same, query.gram().cpu().numpy(), 0.0)
        self._plain_paired += member.T @ products @ member
        self._clipped_paired += clipped.T @ products @ clipped

    def batch_means(self) -> tuple[Gradient, Gradient]:
        """g_B and ḡ_B, the means over all records."""
        n = float(self._labels.counts.sum())
        return _mean(self._plain, n), _mean(self._clipped, n)

    def moments(self) -> Moments:
        """Inner products of what was added so far."""
        return Moments(
            counts=self._labels.counts,
            plain=_own_products(self._plain),
            clipped=_own_products(self._clipped),
            mixed=_products(self._plain, self._clipped),
            plain_paired=self._plain_paired,
            clipped_paired=self._clipped_paired,
            pairs=self._pairs,
        )


def _pairs(labels: Labels) -> Array:
    """Σ_t n_at n_bt, [A, A]."""
    cells = np.zeros((int(labels.templates.max()) + 1, len(labels.group_names)))
    np.add.at(cells, (labels.templates, labels.groups), 1.0)
    return np.asarray(cells.T @ cells)


def _own_products(sums: list[Gradient]) -> Array:
    found = np.zeros((len(sums), len(sums)))
    for a, first in enumerate(sums):
        for b, second in enumerate(sums[: a + 1]):
            found[a, b] = found[b, a] = inner_product(first, second)
    return found


def _products(first: list[Gradient], second: list[Gradient]) -> Array:
    return np.array([[inner_product(a, b) for b in second] for a in first])


def _mean(sums: list[Gradient], n: float) -> Gradient:
    return {name: sum(part[name] for part in sums) / n for name in sums[0]}  # type: ignore[misc]
