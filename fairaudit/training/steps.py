"""One step: the sum of (clipped) gradients, noise, and the update.

θ ← update(θ, (Σ_u clip(g_u, C) + σC·N(0, I)) / B): noise enters once per step, after all
micro-batches, and an empty draw is a step like any other, of noise alone (Abadi et al. 2016).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine
from fairaudit.ranks import ranks
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.training.batches import ANY_ROOM, MicroBatch, Room, micro_batches, shape
from fairaudit.training.clipping import ByNorm, Clipped, Clipping
from fairaudit.training.draws import Example

Gradients = dict[str, torch.Tensor]
#: Losses of examples, and how their gradients were clipped.
Seen = tuple[torch.Tensor, Clipped | None]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrawStatistics:
    """What was seen in one draw; None in an empty one. Not covered by ε.

    Parameters
    ----------
    n_examples : int
        Units drawn.
    loss : float or None
        Mean loss of the units, in nats per token.
    clip_rate : float or None
        Share of units whose gradient was longer than C, or of their blocks by each one's
        threshold; None also where nothing is clipped.
    mean_norm : float or None
        Mean length of the gradients before clipping; None where it was not needed.
    """

    n_examples: int
    loss: float | None = None
    clip_rate: float | None = None
    mean_norm: float | None = None


@dataclass(slots=True)
class GradientSum:
    """Sums gradients over the examples of a draw, in micro-batches.

    Parameters
    ----------
    engine : GradientEngine
        The model.
    clip_norm : float or None
        Each example's gradient is scaled to at most this length; None: left as it is.
    max_rows : int or None
        Most rows of a micro-batch; None: as there is room for.
    pad_id : int
        Token on places that are masked out.
    room : Room
        What fits into memory.
    clipping : Clipping or None
        How gradients are clipped; None: each to ``clip_norm``, or not at all.
    """

    engine: GradientEngine
    clip_norm: float | None
    max_rows: int | None
    pad_id: int
    room: Room = ANY_ROOM
    clipping: Clipping | None = None

    def __post_init__(self) -> None:
        """Clip flatly where nothing else is said."""
        if self.clipping is None and self.clip_norm is not None:
            self.clipping = ByNorm(self.clip_norm)

    def of(self, examples: Sequence[Example]) -> tuple[Gradients, DrawStatistics]:
        """Return the sum by parameter, zero for an empty draw, and what was seen.

        Of several ranks each returns the sum of its own micro-batches, and what all have seen.

        Raises
        ------
        ModelError
            If memory runs out where micro-batches cannot be smaller, or several processes share
            them.
        """
        while True:
            try:
                return self._of(examples)
            except MEMORY_ERRORS as error:
                if not out_of_memory(error):
                    raise
                smaller = self._smaller(examples)
                if smaller is None:
                    raise ModelError(
                        "out of memory on a micro-batch; go on with --resume and a smaller "
                        "--micro-batch-size"
                    ) from error
            # The sum begins anew: a part of the micro-batch may be in it already, and a record that
            # counts twice breaks the guarantee. Later steps keep to the smaller size.
            self.max_rows = smaller
            logger.info("out of memory: micro-batches of at most %d rows from here on", smaller)

    def _smaller(self, examples: Sequence[Example]) -> int | None:
        """Rows of half the largest micro-batch; None if each has one example, or is shared."""
        batches = [*self._packed(examples, torch.device("cpu"))]
        widest = max((batch for batch in batches), key=lambda batch: len(batch.records))
        if not ranks().is_one or len(widest.records) == 1:
            return None
        return len(widest.records) // 2 * widest.rows_per_example

    def _of(self, examples: Sequence[Example]) -> tuple[Gradients, DrawStatistics]:
        sums = self.engine.zeros()
        device = next(iter(sums.values())).device
        if self.clipping is not None:
            self.clipping.prepare(sums)
        here = ranks()
        if here.is_one:
            seen = [self._add(batch, sums) for batch in self._packed(examples, device)]
        else:
            shared = here.over(
                [*self.shared_out(examples, here.size, device)],
                partial(self._told, sums=sums),
                _cost,
                content=lambda batch: batch.records,
            )
            seen = [found for _, found in shared]
        if not seen:
            return sums, DrawStatistics(0)
        losses = torch.cat([loss for loss, _ in seen])
        clipped = [found for _, found in seen if found is not None]
        if not clipped:
            return sums, DrawStatistics(len(losses), float(losses.mean()))
        clip_rate = float(torch.cat([found.cut for found in clipped]).mean())
        mean_norm = float(torch.cat([found.norms for found in clipped]).mean())
        return sums, DrawStatistics(len(losses), float(losses.mean()), clip_rate, mean_norm)

    def shared_out(
        self, examples: Sequence[Example], size: int, device: torch.device
    ) -> Iterator[MicroBatch]:
        """Yield micro-batches of equal loads for so many ranks.

        A draw is few micro-batches, and three cannot be dealt to two: examples are, in turns by
        length, and each share is packed by itself.
        """
        in_turns = sorted(examples, key=shape)
        for rank in range(size):
            yield from self._packed(in_turns[rank::size], device)

    def _packed(self, examples: Sequence[Example], device: torch.device) -> Iterator[MicroBatch]:
        return micro_batches(examples, self.max_rows, self.pad_id, device, self.room)

    def learn(self, sums: Gradients, expected: float) -> None:
        """Let clipping learn from sums with their noise; what is left is the parameters'."""
        if self.clipping is not None:
            self.clipping.learn(sums, expected)

    def _told(self, batch: MicroBatch, sums: Gradients) -> Seen:
        """Add a micro-batch; return what other processes are told of it."""
        losses, clipped = self._add(batch, sums)
        return losses.cpu(), clipped and Clipped(clipped.norms.cpu(), clipped.cut.cpu())

    def _add(self, batch: MicroBatch, sums: Gradients) -> Seen:
        """Add a micro-batch to the sums; return losses of its examples, and how they were cut."""
        query = self.engine.query(
            batch.inputs,
            units=batch.rows_per_example,
            row_weights=batch.row_weights,
            record_ids=[f"record {number}" for number in batch.records],
        )
        if self.clipping is not None:
            return query.losses, self.clipping.add(query, sums)
        query.weighted_sum(torch.ones_like(query.losses), into=sums)
        return query.losses, None


def _cost(batch: MicroBatch) -> float:
    return float(batch.inputs["input_ids"].numel())


def add_noise(sums: Gradients, deviation: float, generator: torch.Generator) -> None:
    """Add N(0, deviation²) to every coordinate, in place; nothing for a deviation of 0.

    Parameters
    ----------
    sums : dict of str to Tensor
        What is released of a step.
    deviation : float
        σC, in the unit of the sums.
    generator : torch.Generator
        Source of the noise.
    """
    if deviation == 0:
        return
    for total in sums.values():
        total += torch.normal(
            mean=0.0,
            std=deviation,
            size=total.shape,
            generator=generator,
            device=total.device,
            dtype=total.dtype,
        )


def apply_update(
    parameters: dict[str, torch.nn.Parameter], sums: Gradients, divisor: float, optimizer: Any
) -> None:
    """Divide the sums by the expected number of examples and take one optimiser step."""
    for name, parameter in parameters.items():
        parameter.grad = (sums[name] / divisor).to(parameter.dtype)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
