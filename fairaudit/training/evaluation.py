"""Held-out perplexity, and how far the parameters moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from fairaudit.errors import NonFiniteError
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.scorer import forward_of
from fairaudit.training.batches import micro_batches
from fairaudit.training.draws import Example, Labeller
from fairaudit.training.encoding import Record
from fairaudit.training.masking import IGNORED

#: Masks of the held-out text are the same for every model.
_MASK_SEED: Final = 0
#: Nats per token; beyond it the perplexity is no number.
_LARGEST_LOSS: Final = 700.0


def perplexity(
    loaded: LoadedModel, records: Sequence[Record], label: Labeller, *, pad_id: int
) -> float:
    """Exp of the mean −log P over all predicted tokens of some records, without their twins.

    Parameters
    ----------
    loaded : LoadedModel
        The model, as it is.
    records : sequence of Record
        Encoded records.
    label : Labeller
        The objective; for a masked model the perplexity is that of the masked tokens.
    pad_id : int
        Token on places that are masked out.

    Returns
    -------
    float
        At least 1; lower is better.

    Raises
    ------
    NonFiniteError
        If the model has diverged so far that there is none.
    """
    rng = np.random.default_rng(_MASK_SEED)
    examples = [
        Example(number, tuple(label(variants[:1], rng)), (1.0,))
        for number, record in enumerate(records)
        for variants in record
    ]
    device = next(loaded.model.parameters()).device
    # Where padding changes what the model reads, each row is read alone.
    max_rows = None if forward_of(loaded).batching == "padded" else 1
    total, tokens = 0.0, 0
    with torch.inference_mode():
        for batch in micro_batches(examples, max_rows, pad_id, device):
            labels = batch.inputs.pop("labels")
            logits = loaded.model(**batch.inputs).logits
            if loaded.kind == "causal":
                logits, labels = logits[:, :-1], labels[:, 1:]
            total += float(
                cross_entropy(
                    logits.flatten(0, 1).float(),
                    labels.flatten(),
                    ignore_index=IGNORED,
                    reduction="sum",
                )
            )
            tokens += int((labels != IGNORED).sum())
    loss = total / tokens
    # NaN is on neither side.
    if not loss < _LARGEST_LOSS:
        raise NonFiniteError(f"the loss on held-out text is {loss:.3g} nats per token")
    return math.exp(loss)


def parameter_distance(model: Any, base: Any) -> float:
    """‖θ − θ_base‖, Euclidean, over all parameters that the two have in common by name.

    Returns
    -------
    float
        ≥ 0; 0 for a model that did not move.
    """
    before = dict(base.named_parameters())
    squared = sum(
        float((parameter.detach().double() - before[name].detach().double()).square().sum())
        for name, parameter in model.named_parameters()
    )
    return math.sqrt(squared)
