"""`Scorer`: all requests of an audit in, all answers out."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import torch
import transformers

from fairaudit.items import (
    Answer,
    Association,
    Fill,
    LogLikelihood,
    Request,
    Skipped,
    TokenRequest,
)
from fairaudit.ranks import ranks
from fairaudit.scoring.attention import NO_ATTENTION, gives_attention
from fairaudit.scoring.batch_plan import Batch, plan_batches
from fairaudit.scoring.batching import Batching
from fairaudit.scoring.embed import Embedder
from fairaudit.scoring.forward import Forward, Scored, fused_gelu
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.precision import in_fp32
from fairaudit.scoring.probe_rows import probe_rows
from fairaudit.scoring.store import ScoreStore
from fairaudit.scoring.token_rows import Encoder, Read
from fairaudit.scoring.trees import grow

#: Padded tokens per batch. On a CPU larger batches fall out of its caches; these were fastest at
#: 4x256 and at 6x768. A masked batch reads few of its positions, so it can be larger.
_CPU_TOKENS: Final = {"causal": 1024, "masked": 1536}
_CUDA_TOKENS: Final = 32768
#: Logits a causal batch may produce on a GPU: 2 GiB as fp32.
_CUDA_LOGITS: Final = 2**29

Progress = Callable[[int], None]
#: What is known of a read: log-probability, whether it is the top one, attention, token.
Committed = tuple[float, bool, float | None, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What an audit will compute: the reads of every request, and the batches that give them.

    Associations have no reads; they are answered by embeddings.

    Parameters
    ----------
    reads : mapping of request to tuple of Read or Skipped
        What answers each request, or why nothing can.
    batches : tuple of Batch
        Rows that are scored together.
    associations : tuple of Association
        Requests that embeddings answer.
    """

    reads: Mapping[TokenRequest, tuple[Read, ...] | Skipped]
    batches: tuple[Batch, ...]
    associations: tuple[Association, ...] = ()

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
    cache : path or None
        Folder of score stores; scored batches are kept there and found again, if the fingerprint
        tells all there is to know about the model.
    """

    def __init__(
        self, loaded: LoadedModel, token_budget: int | None = None, cache: Path | None = None
    ) -> None:
        self._loaded = loaded
        self._cache = cache
        self.encoder = Encoder(loaded.tokenizer, loaded.max_length)
        self.token_budget = token_budget or default_token_budget(loaded)
        self._store = (
            ScoreStore(cache, self._context()) if cache is not None and loaded.storable else None
        )

    @cached_property
    def _forward(self) -> Forward:
        return forward_of(self._loaded)

    @cached_property
    def _embedder(self) -> Embedder:
        return Embedder(self._loaded, self.token_budget)

    def batching(self, plan: Plan) -> dict[str, Batching]:
        """How rows run together, by what is asked of the model, where they may not be padded."""
        found: dict[str, Batching] = {}
        if plan.batches:
            found["scores"] = self._forward.batching
        if plan.associations:
            found["embeddings"] = self._embedder.batching
        return {what: how for what, how in found.items() if how != "padded"}

    def plan(self, requests: Iterable[Request]) -> Plan:
        """Tokenize every request and pack the rows; the model itself is tried, not asked."""
        asked = tuple(dict.fromkeys(requests))
        reads = {
            request: self._answerable(entry)
            for request, entry in self.encoder.encode(
                one for one in asked if not isinstance(one, Association)
            ).items()
        }
        if any(isinstance(request, LogLikelihood) and request.branches for request in reads):
            largest = self._forward.largest_tree
            reads = grow(reads, largest) if largest else reads
        wanted = [read for entry in reads.values() if isinstance(entry, tuple) for read in entry]
        self._loaded.check_ids(_tokens(wanted))
        associations = tuple(one for one in asked if isinstance(one, Association))
        return Plan(reads, plan_batches(wanted, self.token_budget), associations)

    def _answerable(self, reads: tuple[Read, ...] | Skipped) -> tuple[Read, ...] | Skipped:
        if isinstance(reads, Skipped) or not reads[0].row.attention or self._gives_attention:
            return reads
        return Skipped(NO_ATTENTION)

    @cached_property
    def _gives_attention(self) -> bool:
        return gives_attention(self._loaded.model, self._loaded.max_length)

    def run(self, plan: Plan, progress: Progress | None = None) -> dict[Request, Answer | Skipped]:
        """Score all batches of a plan, one commitment per batch; stored batches run no model.

        Parameters
        ----------
        plan : Plan
            From `plan`.
        progress : callable or None
            Called with the number of padded tokens after each batch.
        """
        committed: dict[Read, Committed] = {}
        with fused_gelu(self._loaded.model):
            scored = ranks().over(plan.batches, self._scored, lambda one: one.n_tokens, progress)
            for batch, found in scored:
                _commit(committed, batch, found)
        answers: dict[Request, Answer | Skipped] = {
            request: entry
            if isinstance(entry, Skipped)
            else self._worded(request, entry, committed)
            for request, entry in plan.reads.items()
        }
        if plan.associations:
            answers.update(self._embedder.associations(plan.associations))
        return answers

    def _worded(
        self, request: TokenRequest, reads: tuple[Read, ...], committed: Mapping[Read, Committed]
    ) -> Answer:
        """Answer of a request, with its word if it asked for one."""
        answer = _answer(reads, committed)
        if not isinstance(request, Fill):
            return answer
        return replace(answer, word=self._loaded.tokenizer.decode(answer.token_ids).strip())

    @contextlib.contextmanager
    def in_fp32(self) -> Iterator[Scorer]:
        """Make a scorer of the same model in fp32; this one must not run meanwhile."""
        with in_fp32(self._loaded) as wide:
            yield Scorer(wide, self.token_budget, self._cache)

    def missing(self, plan: Plan) -> tuple[Batch, ...]:
        """Batches of a plan whose scores are not in the store."""
        if self._store is None:
            return plan.batches
        return tuple(batch for batch in plan.batches if self._store.get(batch) is None)

    def estimate_seconds(self, plan: Plan) -> float:
        """Time a missing batch of middle length and scale by tokens; the first run warms up."""
        missing = self.missing(plan)
        if not missing:
            return 0.0
        sample = missing[len(missing) // 2]
        self._forward(sample)
        start = time.perf_counter()
        self._forward(sample)
        n_tokens = sum(batch.n_tokens for batch in missing)
        return (time.perf_counter() - start) / sample.n_tokens * n_tokens

    def _scored(self, batch: Batch) -> Scored:
        if self._store is None:
            return self._forward(batch)
        store, here = self._store, ranks()
        stored = here.as_first(lambda: store.get(batch))
        if stored is not None:
            return stored
        scored = self._forward(batch)
        if here.keeps:
            store.put(batch, scored)
        return scored

    def _context(self) -> dict[str, str | int | None]:
        """Everything beside a batch that can change its scores; never where the model lies."""
        return {
            **model_context(self._loaded),
            "bos": self.encoder.bos_rule,
            "token_budget": self.token_budget,
        }


def forward_of(loaded: LoadedModel) -> Forward:
    """Make the forward pass of a model, with its self-checks done.

    Parameters
    ----------
    loaded : LoadedModel
        A model that passed the checks of loading.

    Returns
    -------
    Forward
        It reads batches of token ids.
    """
    causal = loaded.kind == "causal"
    encoder = Encoder(loaded.tokenizer, loaded.max_length)
    probes = probe_rows(
        loaded.tokenizer,
        loaded.vocabulary_size,
        loaded.max_length,
        frame=(encoder.prefix, ()) if causal else encoder.frame,
        mask_id=None if causal else loaded.tokenizer.mask_token_id,
    )
    return Forward(loaded.model, causal=causal, pad_id=loaded.pad_id, probes=probes)


def model_context(loaded: LoadedModel) -> dict[str, str | int | None]:
    """Name what a store must know of a model and of the software that runs it."""
    return {
        "fingerprint": loaded.identity.fingerprint,
        "dtype": loaded.dtype,
        "device": loaded.device,
        "attention": loaded.model.config._attn_implementation,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "max_length": loaded.max_length,
        **({} if loaded.parts == 1 else {"parts": loaded.parts}),
    }


def default_token_budget(loaded: LoadedModel) -> int:
    """Choose padded tokens per batch by device, kind of model and vocabulary."""
    if loaded.device == "cpu":
        return _CPU_TOKENS[loaded.kind]
    if loaded.kind == "masked":
        return _CUDA_TOKENS
    return max(256, min(_CUDA_TOKENS, _CUDA_LOGITS // loaded.vocabulary_size))


def _tokens(reads: Iterable[Read]) -> Iterator[int]:
    """Tokens that the model reads or predicts."""
    rows = set()
    for read in reads:
        if read.target >= 0:
            yield read.target
        rows.add(read.row.ids)
    yield from itertools.chain.from_iterable(rows)


def _commit(committed: dict[Read, Committed], batch: Batch, scored: Scored) -> None:
    weights: Sequence[float | None] = scored.weights or [None] * len(batch.reads)
    tokens = scored.tokens or [-1] * len(batch.reads)
    # What is no rank is its own token.
    found = (
        read.target if read.target >= 0 else token
        for read, token in zip(batch.reads, tokens, strict=True)
    )
    values = zip(scored.log_probs, scored.top1, weights, found, strict=True)
    committed.update(zip(batch.reads, values, strict=True))


def _answer(reads: tuple[Read, ...], committed: Mapping[Read, Committed]) -> Answer:
    log_probs, top1, weights, tokens = zip(*(committed[read] for read in reads), strict=True)
    has_weights = weights[0] is not None
    return Answer(
        log_probs=log_probs,
        token_ids=tokens,
        top1=top1,
        weights=weights if has_weights else None,
    )
