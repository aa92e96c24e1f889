"""What a query keeps in memory for each token, found by trying the model on short rows.

Autograd keeps what the backward pass needs, and the engine what comes back to trainable layers. Of
both the bytes are counted, so that no architecture need be known; what grows with the square of a
row (attention) is told from what grows with its length by rows of two lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from fairaudit.gradients.engine import GradientEngine

#: Lengths of the rows that are tried, which any model takes.
_SHORT, _LONG = 3, 6
#: The logits, their log-probabilities, and three more of their size while the first batch is
#: compared with autograd.
LOGIT_COPIES: Final = 5


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes that a query takes.

    Attributes
    ----------
    per_token : float
        For each padded token, logits over the vocabulary included.
    per_pair : float
        For each pair of tokens of one row.
    fixed : int
        Whatever the batch: sums and gradients of the trainable parameters, and the two moments of
        an optimiser.
    """

    per_token: float
    per_pair: float
    fixed: int


def footprint_of(engine: GradientEngine) -> Footprint:
    """Count what a query of an engine takes.

    Parameters
    ----------
    engine : GradientEngine
        Its model is tried on two short rows.

    Returns
    -------
    Footprint
        Bytes for each token, each pair of tokens, and whatever the batch.
    """
    short, long = (_kept(engine, length) for length in (_SHORT, _LONG))
    # kept(T) = per_token · T + per_pair · T²
    per_pair = max(0.0, (long / _LONG - short / _SHORT) / (_LONG - _SHORT))
    per_token = max(short / _SHORT - _SHORT * per_pair, 0.0)
    trainable = sum(parameter.numel() for parameter in engine.parameters.values())
    # In fp32: the sum, the gradient and two moments.
    return Footprint(per_token, per_pair, 4 * 4 * trainable)


def _kept(engine: GradientEngine, length: int) -> int:
    """Bytes that one row of some tokens takes."""
    saved: dict[int, int] = {}
    own = {
        value.untyped_storage().data_ptr()
        for value in (*engine.model.parameters(), *engine.model.buffers())
    }

    def note(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return value

    # The logits hold the graph, so that no storage is freed and its address taken by another.
    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        logits, outputs = engine.try_on([[1] * length])
    return sum(saved.values()) + outputs + LOGIT_COPIES * logits.numel() * logits.element_size()
