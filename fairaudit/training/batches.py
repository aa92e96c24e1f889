"""Packing the examples of a step into micro-batches that fit into memory.

All rows of an example are in one micro-batch, since its gradient is clipped as a whole. Examples of
the same number of rows and similar length go together; how they are packed changes nothing but
rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch

from fairaudit.training.draws import Example
from fairaudit.training.encoding import IGNORED

#: Padded tokens of a micro-batch where the number of rows is left to the program.
TOKEN_BUDGET: Final = 2048


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Tensors of some examples.

    Parameters
    ----------
    inputs : dict
        ``input_ids``, ``attention_mask`` and ``labels``, [rows, tokens].
    rows_per_example : int
        K: rows 0 to K − 1 are the first example's, and so on.
    row_weights : tensor of shape [rows]
        Weight of each row within its example.
    records : tuple of int
        Record of each example.
    """

    inputs: dict[str, torch.Tensor]
    rows_per_example: int
    row_weights: torch.Tensor
    records: tuple[int, ...]


def micro_batches(
    examples: Sequence[Example], max_rows: int | None, pad_id: int, device: torch.device
) -> Iterator[MicroBatch]:
    """Pack examples; none gives no micro-batch.

    Parameters
    ----------
    examples : sequence of Example
        The draw of a step.
    max_rows : int or None
        Most rows of a micro-batch, though an example of more rows has one of its own; None: as
        many as keep to `TOKEN_BUDGET`.
    pad_id : int
        Token on the places that are masked out.
    device : torch.device
        Where the tensors go.
    """
    waiting: list[Example] = []
    for example in sorted(examples, key=shape):
        if waiting and not _fits(waiting, example, max_rows):
            yield _tensors(waiting, pad_id, device)
            waiting = []
        waiting.append(example)
    if waiting:
        yield _tensors(waiting, pad_id, device)


def shape(example: Example) -> tuple[int, int]:
    """Return rows and longest row of an example; those of one shape go well together."""
    return len(example.rows), max(len(ids) for ids, _ in example.rows)


def _fits(waiting: Sequence[Example], example: Example, max_rows: int | None) -> bool:
    rows_per_example, length = shape(example)
    if rows_per_example != len(waiting[0].rows):
        return False
    rows = (len(waiting) + 1) * rows_per_example
    return rows * length <= TOKEN_BUDGET if max_rows is None else rows <= max_rows


def _tensors(examples: Sequence[Example], pad_id: int, device: torch.device) -> MicroBatch:
    rows = [row for example in examples for row in example.rows]
    width = max(len(ids) for ids, _ in rows)
    weights = [weight for example in examples for weight in example.weights]
    inputs = {
        "input_ids": _padded([ids for ids, _ in rows], pad_id, width),
        "attention_mask": _padded([(1,) * len(ids) for ids, _ in rows], 0, width),
        "labels": _padded([labels for _, labels in rows], IGNORED, width),
    }
    return MicroBatch(
        {name: tensor.to(device) for name, tensor in inputs.items()},
        len(examples[0].rows),
        torch.tensor(weights, dtype=torch.float64, device=device),
        tuple(example.record for example in examples),
    )


def _padded(rows: Sequence[tuple[int, ...]], filler: int, width: int) -> torch.Tensor:
    return torch.tensor([row + (filler,) * (width - len(row)) for row in rows], dtype=torch.long)
