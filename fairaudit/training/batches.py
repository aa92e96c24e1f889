"""Packing the examples of a step into micro-batches that fit into memory.

All rows of an example are in one micro-batch, since its gradient is clipped as a whole. Examples of
the same number of rows and similar length go together; how they are packed changes nothing but
rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch

from fairaudit.training.draws import Example
from fairaudit.training.encoding import IGNORED

#: Padded tokens of a micro-batch where the number of rows is left to the program. More are slower
#: on a CPU: logits leave its cache, and longer rows are padded beside shorter ones.
TOKEN_BUDGET: Final = 512


@dataclass(frozen=True, slots=True)
class Room:
    """What a micro-batch may be where the number of rows is left to the program.

    Parameters
    ----------
    tokens : int
        Most padded tokens.
    memory : float
        Most bytes.
    per_token, per_pair : float
        Bytes that a token takes, and those that a pair of tokens of one row does.
    """

    tokens: int = TOKEN_BUDGET
    memory: float = math.inf
    per_token: float = 0.0
    per_pair: float = 0.0

    def holds(self, rows: int, width: int) -> bool:
        """Whether so many rows of so many tokens fit."""
        size = rows * width
        taken = size * (self.per_token + width * self.per_pair)
        return size <= self.tokens and taken <= self.memory


ANY_ROOM: Final = Room()


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
    examples: Sequence[Example],
    max_rows: int | None,
    pad_id: int,
    device: torch.device,
    room: Room = ANY_ROOM,
) -> Iterator[MicroBatch]:
    """Pack examples; none gives no micro-batch.

    Parameters
    ----------
    examples : sequence of Example
        The draw of a step.
    max_rows : int or None
        Most rows of a micro-batch, though an example of more rows has one of its own; None: as
        many as there is room for.
    pad_id : int
        Token on the places that are masked out.
    device : torch.device
        Where the tensors go.
    room : Room
        Where ``max_rows`` is None; an example that does not fit has a micro-batch of its own.
    """
    waiting: list[Example] = []
    for example in sorted(examples, key=shape):
        if waiting and not _fits(waiting, example, max_rows, room):
            yield _tensors(waiting, pad_id, device)
            waiting = []
        waiting.append(example)
    if waiting:
        yield _tensors(waiting, pad_id, device)


def shape(example: Example) -> tuple[int, int]:
    """Return rows and longest row of an example; those of one shape go well together."""
    return len(example.rows), max(len(ids) for ids, _ in example.rows)


def _fits(waiting: Sequence[Example], example: Example, max_rows: int | None, room: Room) -> bool:
    rows_per_example, length = shape(example)
    if rows_per_example != len(waiting[0].rows):
        return False
    rows = (len(waiting) + 1) * rows_per_example
    return room.holds(rows, length) if max_rows is None else rows <= max_rows


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
