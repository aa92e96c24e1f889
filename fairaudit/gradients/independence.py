"""Whether a row's loss and gradient depend on the rows beside it, tried on rows made for it.

A gradient per record exists only if a record brings the same gradient whatever its batch holds.
A model whose logits change with the padded width (a convolution, pooling, a Fourier transform over
the row) breaks that although it mixes no rows: one long record widens the batch and changes the
gradients of all others. Clipping bounds what a record adds, not what it changes in the rest, so
one record then moves the clipped sum by more than C, and ε does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fairaudit.gradients.engine import GradientEngine
from fairaudit.gradients.losses import IGNORED
from fairaudit.gradients.query import Query
from fairaudit.gradients.rows import Gradient
from fairaudit.gradients.selfcheck import tolerance_of
from fairaudit.gradients.sums import inner_product

Ids = tuple[int, ...]
#: What the model sees, and the labels.
InputAndLabels = tuple[Ids, Ids]


def dependence(
    engine: GradientEngine, rows: Sequence[InputAndLabels], fillers: Sequence[int]
) -> str | None:
    """Compare each row alone, unpadded, with itself in one padded batch of all.

    Parameters
    ----------
    engine : GradientEngine
        The model.
    rows : sequence of (ids, labels)
        Rows of different lengths.
    fillers : sequence of int
        Tokens to pad with, one after the other: what stands on masked places must not matter,
        since training may change what the padding token means.

    Returns
    -------
    str or None
        In words, by how much the first row that differs does so; None if none does.
    """
    together = [_query(engine, rows, filler) for filler in fillers]
    tolerance = tolerance_of({parameter.dtype for parameter in engine.model.parameters()})
    for number, row in enumerate(rows):
        loss, gradient = _of_row(_query(engine, [row], fillers[0]), 0)
        for beside in together:
            other_loss, other = _of_row(beside, number)
            apart = max(abs(other_loss - loss) / (abs(loss) + 1.0), _distance(other, gradient))
            if not apart <= tolerance:
                return (
                    "the gradient of a record depends on the records beside it and on their "
                    f"padding (by {apart:.2g} of its length)"
                )
    return None


def _query(engine: GradientEngine, rows: Sequence[InputAndLabels], filler: int) -> Query:
    width = max(len(ids) for ids, _ in rows)
    seen = torch.tensor([ids + (filler,) * (width - len(ids)) for ids, _ in rows])
    labels = torch.tensor([found + (IGNORED,) * (width - len(found)) for _, found in rows])
    mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows])
    return engine.query({"input_ids": seen, "attention_mask": mask, "labels": labels})


def _of_row(query: Query, number: int) -> tuple[float, Gradient]:
    """Loss and gradient of one row of a batch."""
    one = torch.zeros(query.n_units, dtype=torch.float64)
    one[number] = 1.0
    return float(query.losses[number]), query.weighted_sum(one.to(query.losses.device))


def _distance(found: Gradient, expected: Gradient) -> float:
    """‖found − expected‖ / ‖expected‖."""
    apart = {name: found[name] - value for name, value in expected.items()}
    size = inner_product(expected, expected) ** 0.5
    return inner_product(apart, apart) ** 0.5 / size if size else 0.0
