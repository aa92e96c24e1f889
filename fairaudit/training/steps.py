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
from fairaudit.gradients import GradientEngine, clip_factors
from fairaudit.ranks import ranks
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.training.batches import MicroBatch, micro_batches, shape
from fairaudit.training.draws import Example

Gradients = dict[str, torch.Tensor]

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
        Share of units whose gradient was longer than C; None also where nothing is clipped.
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
        Most rows of a micro-batch; None: as memory allows.
    pad_id : int
        Token on places that are masked out.
    """

    engine: GradientEngine
    clip_norm: float | None
    max_rows: int | None
    pad_id: int

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
        batches = [*micro_batches(examples, self.max_rows, self.pad_id, torch.device("cpu"))]
        widest = max((batch for batch in batches), key=lambda batch: len(batch.records))
        if not ranks().is_one or len(widest.records) == 1:
            return None
        return len(widest.records) // 2 * widest.rows_per_example

    def _of(self, examples: Sequence[Example]) -> tuple[Gradients, DrawStatistics]:
        sums = self.engine.zeros()
        device = next(iter(sums.values())).device
        here = ranks()
        if here.is_one:
            batches = micro_batches(examples, self.max_rows, self.pad_id, device)
            seen = [self._add(batch, sums) for batch in batches]
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
        if self.clip_norm is None:
            return sums, DrawStatistics(len(losses), float(losses.mean()))
        norms = torch.cat([norm for _, norm in seen])
        clip_rate = float((norms > self.clip_norm).double().mean())
        statistics = DrawStatistics(
            len(losses), float(losses.mean()), clip_rate, float(norms.mean())
        )
        return sums, statistics

    def shared_out(
        self, examples: Sequence[Example], size: int, device: torch.device
    ) -> Iterator[MicroBatch]:
        """Yield micro-batches of equal loads for so many ranks.

        A draw is few micro-batches, and three cannot be dealt to two: examples are, in turns by
        length, and each share is packed by itself.
        """
        in_turns = sorted(examples, key=shape)
        for rank in range(size):
            yield from micro_batches(in_turns[rank::size], self.max_rows, self.pad_id, device)

    def _told(self, batch: MicroBatch, sums: Gradients) -> tuple[torch.Tensor, torch.Tensor]:
        """Add a micro-batch; return what other processes are told of it."""
        losses, norms = self._add(batch, sums)
        return losses.cpu(), norms.cpu()

    def _add(self, batch: MicroBatch, sums: Gradients) -> tuple[torch.Tensor, torch.Tensor]:
        """Add a micro-batch to the sums; return losses and norms of its examples."""
        query = self.engine.query(
            batch.inputs,
            units=batch.rows_per_example,
            row_weights=batch.row_weights,
            record_ids=[f"record {number}" for number in batch.records],
        )
        norms = torch.zeros_like(query.losses)
        weights = torch.ones_like(query.losses)
        if self.clip_norm is not None:
            norms = query.norms()
            weights = clip_factors(norms, self.clip_norm)
        query.weighted_sum(weights, into=sums)
        return query.losses, norms


def _cost(batch: MicroBatch) -> float:
    return float(batch.inputs["input_ids"].numel())


def add_noise(sums: Gradients, deviation: float, generator: torch.Generator) -> None:
    """Add N(0, deviation²) to every coordinate, in place; nothing for a deviation of 0."""
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
