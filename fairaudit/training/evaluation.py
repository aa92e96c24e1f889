"""Held-out perplexity, and how far the parameters moved."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from fairaudit.errors import NonFiniteError
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.scorer import forward_of
from fairaudit.training.batches import micro_batches
from fairaudit.training.draws import Example, Labeller
from fairaudit.training.encoding import IGNORED, Record

Array = NDArray[np.float64]

#: Masks of the held-out text are the same for every model.
_MASK_SEED: Final = 0
#: Maskings of a record whose own loss is asked for.
_MASKINGS: Final = 8
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
    losses = _row_losses(loaded, records, label, pad_id)
    loss = float(losses[:, 0].sum() / losses[:, 1].sum())
    # NaN is on neither side.
    if not loss < _LARGEST_LOSS:
        raise NonFiniteError(f"the loss on held-out text is {loss:.3g} nats per token")
    return math.exp(loss)


def record_losses(
    loaded: LoadedModel, records: Sequence[Record], label: Labeller, *, pad_id: int
) -> Array:
    """Mean −log P over the predicted tokens of each record, [n], in nats.

    Parameters are those of `perplexity`. Of a masked model the mean is over several maskings, the
    same ones for every model.
    """
    times = 1 if loaded.kind == "causal" else _MASKINGS
    found = _row_losses(loaded, [record for record in records for _ in range(times)], label, pad_id)
    sums = found.reshape(len(records), -1, 2).sum(axis=1)
    return np.asarray(sums[:, 0] / sums[:, 1])


def _row_losses(
    loaded: LoadedModel, records: Sequence[Record], label: Labeller, pad_id: int
) -> Array:
    """Sum of −log P and number of predicted tokens of each row of each record, [rows, 2]."""
    rng = np.random.default_rng(_MASK_SEED)
    rows = [tuple(label(variants[:1], rng)) for record in records for variants in record]
    examples = [Example(number, row, (1.0,)) for number, row in enumerate(rows)]
    device = next(loaded.model.parameters()).device
    # Where padding changes what the model reads, each row is read alone.
    max_rows = None if forward_of(loaded).batching == "padded" else 1
    found = np.zeros((len(rows), 2))
    with torch.inference_mode():
        for batch in micro_batches(examples, max_rows, pad_id, device):
            labels = batch.inputs.pop("labels")
            logits = loaded.model(**batch.inputs).logits
            if loaded.kind == "causal":
                logits, labels = logits[:, :-1], labels[:, 1:]
            losses = cross_entropy(
                logits.flatten(0, 1).float(),
                labels.flatten(),
                ignore_index=IGNORED,
                reduction="none",
            ).view(labels.shape)
            counts = (labels != IGNORED).sum(dim=1)
            both = torch.stack([losses.double().sum(dim=1), counts.double()], dim=1)
            found[list(batch.records)] = both.cpu().numpy()
    return found


def parameter_distance(model: Any, base: Any) -> float:
    """‖θ − θ_base‖, Euclidean, over all parameters that the two have in common by name.

    An adapter that stands beside a quantised base counts with its product.

    Returns
    -------
    float
        ≥ 0; 0 for a model that did not move.
    """
    before = dict(base.named_parameters())
    changes = (
        parameter.detach().double() - before[name].detach().double()
        for name, parameter in model.named_parameters()
        if name in before
    )
    squared = sum(float(change.square().sum()) for change in changes)
    return math.sqrt(squared + sum(_adapter_changes(model)))


def _adapter_changes(model: Any) -> Iterator[float]:
    """Squared lengths of what adapters that are not merged add to their layers."""
    for module in model.modules():
        if hasattr(module, "get_delta_weight"):
            for name in module.active_adapters:
                change = module.get_delta_weight(name).detach().double()
                yield float(change.square().sum())
