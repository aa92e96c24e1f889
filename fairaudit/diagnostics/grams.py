"""Inner products of all pairs of records, exact or through sketches, and moments made of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from fairaudit.diagnostics.encoding import Batch
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.moments import Array, Moments
from fairaudit.diagnostics.sketch import Sketch
from fairaudit.gradients import GradientEngine, Query


def exact_gram(
    gram: Array, batch: Batch, query: Query, later: Iterable[tuple[Batch, Query]]
) -> None:
    """Fill in the products of one batch's records with each other and with those of later batches.

    Two batches are held at a time, so the batches are run again and again: n²/2 pairs of them.
    """
    here = batch.places
    gram[np.ix_(here, here)] = query.gram().cpu().numpy()
    for other, other_query in later:
        products = query.gram(other_query).cpu().numpy()
        gram[np.ix_(here, other.places)] = products
        gram[np.ix_(other.places, here)] = products.T


def sketched_gram(
    engine: GradientEngine, queries: Iterable[tuple[Batch, Query]], norms: Array, *, seed: int
) -> tuple[Array, float]:
    """Estimate the Gram matrix from one sketch a record, and measure how far it errs.

    Each record's gradient is formed by itself, sketched and dropped. Norms are known exactly, so
    only the cosines are estimated.

    Returns
    -------
    gram : array of shape [n, n]
        ⟨g_i, g_j⟩, with exact squared norms on the diagonal.
    error : float
        Largest relative error of a squared norm by the sketch.
    """
    sketch = Sketch(engine.parameters, seed=seed)
    found = np.zeros((len(norms), sketch.buckets))
    for batch, query in queries:
        for unit, place in enumerate(batch.places):
            chosen = torch.zeros(query.n_units, dtype=torch.float64)
            chosen[unit] = 1.0
            found[place] = sketch(query.weighted_sum(chosen.to(query.losses.device))).numpy()
    lengths = np.linalg.norm(found, axis=1)
    positive = norms > 0
    error = float(np.abs((lengths[positive] / norms[positive]) ** 2 - 1).max(initial=0.0))
    unit_sketches = found / np.where(lengths > 0, lengths, 1.0)[:, None]
    gram = (unit_sketches @ unit_sketches.T) * np.outer(norms, norms)
    np.fill_diagonal(gram, norms**2)
    return gram, error


def moments_of_gram(gram: Array, factors: Array, labels: Labels) -> Moments:
    """Moments of the groups from inner products of records."""
    member = labels.membership
    clipped_member = member * factors[:, None]
    same = labels.templates[:, None] == labels.templates[None, :]
    paired = np.where(same, gram, 0.0)
    return Moments(
        counts=labels.counts,
        plain=member.T @ gram @ member,
        clipped=clipped_member.T @ gram @ clipped_member,
        mixed=member.T @ gram @ clipped_member,
        plain_paired=member.T @ paired @ member,
        clipped_paired=clipped_member.T @ paired @ clipped_member,
        pairs=member.T @ same.astype(np.float64) @ member,
    )
