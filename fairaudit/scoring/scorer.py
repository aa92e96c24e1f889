"""`Scorer`: all requests of an audit in, all answers out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from fairaudit.items import Answer, Request, Skipped
from fairaudit.scoring.forward import Forward, Scored, fused_gelu
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.plan import Batch, plan_batches
from fairaudit.scoring.rows import Encoder, Read

#: Padded tokens per batch. On a CPU larger batches fall out of its caches; these were fastest at
#: 4x256 and at 6x768. A masked batch reads few of its positions, so it can be larger.
_CPU_TOKENS: Final = {"causal": 1024, "masked": 1536}
_CUDA_TOKENS: Final = 32768
#: Logits a causal batch may produce on a GPU: 2 GiB as fp32.
_CUDA_LOGITS: Final = 2**29

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audit will compute: the reads of every request, and the batches that give them."""

    reads: Mapping[Request, tuple[Read, ...] | Skipped]
    batches: tuple[Batch, ...]

    @property
    def n_tokens(self) -> int:
        """Padded tokens over all batches; the unit of progress."""
        return sum(batch.n_tokens for batch in self.batches)


class Scorer:
    """Answers requests with one model.

    Parameters
    ----------
    loaded : LoadedModel
        Model, tokenizer and what is known about them.
    token_budget : int or None
        Padded tokens per batch; None chooses by device and vocabulary.
    """

    def __init__(self, loaded: LoadedModel, token_budget: int | None = None) -> None:
        self._loaded = loaded
        self.encoder = Encoder(loaded.tokenizer, loaded.max_length)
        self.token_budget = token_budget or default_token_budget(loaded)

    @cached_property
    def _forward(self) -> Forward:
        causal = self._loaded.kind == "causal"
        pad_id = self._loaded.tokenizer.pad_token_id
        return Forward(self._loaded.model, causal=causal, pad_id=pad_id or 0)

    def plan(self, requests: Iterable[Request]) -> Plan:
        """Tokenize every request and pack the rows; runs no model."""
        reads = self.encoder.encode(requests)
        wanted = (read for entry in reads.values() if isinstance(entry, tuple) for read in entry)
        return Plan(reads, plan_batches(wanted, self.token_budget))

    def run(self, plan: Plan, progress: Progress | None = None) -> dict[Request, Answer | Skipped]:
        """Score all batches of a plan, one commitment per batch.

        Parameters
        ----------
        plan : Plan
            From `plan`.
        progress : callable or None
            Called with the number of padded tokens after each batch.
        """
        committed: dict[Read, tuple[float, bool, float | None]] = {}
        with fused_gelu(self._loaded.model):
            for batch in plan.batches:
                _commit(committed, batch, self._forward(batch))
                if progress is not None:
                    progress(batch.n_tokens)
        return {
            request: entry if isinstance(entry, Skipped) else _answer(entry, committed)
            for request, entry in plan.reads.items()
        }

    def estimate_seconds(self, plan: Plan) -> float:
        """Time a batch of middle length and scale by tokens; the first run warms up."""
        if not plan.batches:
            return 0.0
        sample = plan.batches[len(plan.batches) // 2]
        self._forward(sample)
        start = time.perf_counter()
        self._forward(sample)
        return (time.perf_counter() - start) / sample.n_tokens * plan.n_tokens


def default_token_budget(loaded: LoadedModel) -> int:
    """Choose padded tokens per batch by device, kind of model and vocabulary."""
    if loaded.device == "cpu":
        return _CPU_TOKENS[loaded.kind]
    if loaded.kind == "masked":
        return _CUDA_TOKENS
    return max(256, min(_CUDA_TOKENS, _CUDA_LOGITS // loaded.vocabulary_size))


def _commit(
    committed: dict[Read, tuple[float, bool, float | None]], batch: Batch, scored: Scored
) -> None:
    weights: Sequence[float | None] = scored.weights or [None] * len(batch.reads)
    values = zip(scored.log_probs, scored.top1, weights, strict=True)
    committed.update(zip(batch.reads, values, strict=True))


def _answer(
    reads: tuple[Read, ...], committed: Mapping[Read, tuple[float, bool, float | None]]
) -> Answer:
    log_probs, top1, weights = zip(*(committed[read] for read in reads), strict=True)
    has_weights = weights[0] is not None
    return Answer(
        log_probs=log_probs,
        token_ids=tuple(read.target for read in reads),
        top1=top1,
        weights=weights if has_weights else None,
    )
