"""`Generator`: all prompts of an audit in, all completions out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from fairaudit.items import Completions, Generation, Skipped
from fairaudit.ranks import ranks
from fairaudit.scoring.batching import Batching
from fairaudit.scoring.chat import Chat
from fairaudit.scoring.forward import fused_gelu
from fairaudit.scoring.generate_loop import Writer, Written
from fairaudit.scoring.generate_plan import Prompt, PromptBatch, plan_prompts
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.probe_rows import probe_rows
from fairaudit.scoring.scorer import model_context
from fairaudit.scoring.text_store import TextStore
from fairaudit.scoring.token_rows import Encoder

#: Tokens per batch, prompts and completions together. Each step reads all weights once, so large
#: batches pay; on a GPU the key-value cache of a model that fills half of it still fits.
_CPU_TOKENS: Final = 4096
_CUDA_TOKENS: Final = 16384
#: Steps that are timed to estimate the whole.
_TIMED_STEPS: Final = 4

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """What will be written: the prompt of every request, and the batches that continue them.

    Parameters
    ----------
    prompts : mapping of Generation to Prompt or Skipped
        What is put before the model for each request, or why nothing can be.
    batches : tuple of PromptBatch
        Prompts that are continued together.
    """

    prompts: Mapping[Generation, Prompt | Skipped]
    batches: tuple[PromptBatch, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens over all batches, padding and longest completions included."""
        return sum(batch.n_tokens for batch in self.batches)

    @property
    def n_new_tokens(self) -> int:
        """Tokens that are written if no completion ends early."""
        return sum(batch.n_new_tokens for batch in self.batches)


class Generator:
    """Continues prompts with one causal model.

    Prompts start with the model's BOS rule, as scored texts do. Only what the model wrote is
    returned, up to the token that ends a text. The same prompt gets the same completions whatever
    else is generated with it, but for near-ties at the rounding of the model's own arithmetic.

    Parameters
    ----------
    loaded : LoadedModel
        Model, tokenizer and what is known about them.
    token_budget : int or None
        Tokens per batch, prompts and completions together; None chooses by device.
    cache : path or None
        Folder of stores; completions are kept there and found again, if the fingerprint tells all
        there is to know about the model.
    chat : Chat or None
        The chat template around each prompt; None: the prompt alone.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        token_budget: int | None = None,
        cache: Path | None = None,
        chat: Chat | None = None,
    ) -> None:
        self._loaded = loaded
        self._chat = chat
        self._encoder = Encoder(loaded.tokenizer, loaded.max_length)
        self.token_budget = token_budget or (
            _CPU_TOKENS if loaded.device == "cpu" else _CUDA_TOKENS
        )
        self._store = (
            TextStore(cache, self._context()) if cache is not None and loaded.storable else None
        )

    @cached_property
    def _writer(self) -> Writer:
        loaded = self._loaded
        limit = None if loaded.max_length is None else loaded.max_length - 1
        frame = (self._encoder.prefix, ())
        probes = probe_rows(loaded.tokenizer, loaded.vocabulary_size, limit, frame=frame)
        return Writer(loaded.model, stop_ids(loaded), probes)

    @property
    def batching(self) -> Batching:
        """How prompts may be continued together without changing each other's texts."""
        return self._writer.batching

    def plan(self, requests: Iterable[Generation]) -> GenerationPlan:
        """Tokenize every prompt and pack them; runs no model."""
        prompts = {request: self._prompt(request) for request in dict.fromkeys(requests)}
        wanted = [entry for entry in prompts.values() if isinstance(entry, Prompt)]
        for prompt in wanted:
            self._loaded.check_ids(prompt.ids)
        return GenerationPlan(prompts, plan_prompts(wanted, self.token_budget))

    def run(
        self, plan: GenerationPlan, progress: Progress | None = None
    ) -> dict[Generation, Completions | Skipped]:
        """Continue all prompts of a plan, one commitment per batch; stored ones run no model.

        Parameters
        ----------
        plan : GenerationPlan
            From `plan`.
        progress : callable or None
            Called with the number of tokens after each batch.
        """
        written: dict[Prompt, list[Written]] = {}
        with fused_gelu(self._loaded.model):
            done = ranks().over(plan.batches, self._written, lambda one: one.n_tokens, progress)
            for batch, found in done:
                written.update(zip(batch.prompts, found, strict=True))
        return {
            request: entry if isinstance(entry, Skipped) else self._completions(entry, written)
            for request, entry in plan.prompts.items()
        }

    def missing(self, plan: GenerationPlan) -> tuple[PromptBatch, ...]:
        """Batches of a plan whose completions are not in the store."""
        if self._store is None:
            return plan.batches
        return tuple(batch for batch in plan.batches if self._store.get(batch) is None)

    def estimate_seconds(self, plan: GenerationPlan) -> float:
        """Time a few steps of a missing batch of middle length and scale by tokens."""
        missing = self.missing(plan)
        if not missing:
            return 0.0
        sample = _shortened(missing[len(missing) // 2])
        with fused_gelu(self._loaded.model):
            self._writer(sample)
            start = time.perf_counter()
            self._writer(sample)
        seconds = time.perf_counter() - start
        n_tokens = sum(batch.n_new_tokens for batch in missing)
        return seconds / sample.n_new_tokens * n_tokens

    def _prompt(self, request: Generation) -> Prompt | Skipped:
        if self._chat is None:
            ids = self._encoder.prompt(request.prompt)
        else:
            text = self._chat.format(self._loaded.tokenizer, request.prompt)
            ids = tuple(self._loaded.tokenizer(text, add_special_tokens=False)["input_ids"])
        prompt, limit = Prompt(ids, request.decoding), self._loaded.max_length
        if not ids:
            return Skipped("no token to continue")
        if limit is not None and prompt.longest > limit:
            return Skipped(
                f"{len(ids)} tokens and {request.decoding.max_new_tokens} to write, the model "
                f"takes {limit}"
            )
        return prompt

    def _written(self, batch: PromptBatch) -> list[list[Written]]:
        if self._store is None:
            return self._writer(batch)
        store, here = self._store, ranks()
        stored = here.as_first(lambda: store.get(batch))
        if stored is not None:
            return stored
        written = self._writer(batch)
        if here.keeps:
            store.put(batch, written)
        return written

    def _completions(self, prompt: Prompt, written: Mapping[Prompt, list[Written]]) -> Completions:
        found = written[prompt]
        return Completions(
            texts=tuple(self._text(prompt.ids, one.ids) for one in found),
            n_tokens=tuple(len(one.ids) for one in found),
            ended=tuple(one.ended for one in found),
        )

    def _text(self, prompt: tuple[int, ...], written: tuple[int, ...]) -> str:
        """Text of what was written, with the space that stands between it and the prompt.

        Some tokenizers drop a leading space when they decode, so the prompt's end is decoded too.
        """
        before = self._decoded(prompt[-1:])
        whole = self._decoded((*prompt[-1:], *written))
        return whole[len(before) :] if whole.startswith(before) else self._decoded(written)

    def _decoded(self, ids: tuple[int, ...]) -> str:
        text: str = self._loaded.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    def _context(self) -> dict[str, str | int | None]:
        """Everything beside a batch that can change its texts; prompts enter as tokens."""
        return {
            **model_context(self._loaded),
            "stop": ",".join(str(token) for token in sorted(stop_ids(self._loaded))),
            "token_budget": self.token_budget,
        }


def stop_ids(loaded: LoadedModel) -> frozenset[int]:
    """Tokens that end a text: the tokenizer's EOS and those that the model's own config names."""
    config = getattr(loaded.model, "generation_config", None)
    named = getattr(config, "eos_token_id", None)
    listed = named if isinstance(named, list) else [named]
    found = (loaded.tokenizer.eos_token_id, *listed)
    return frozenset(int(token) for token in found if token is not None)


def _shortened(batch: PromptBatch) -> PromptBatch:
    steps = min(_TIMED_STEPS, batch.decoding.max_new_tokens)
    decoding = replace(batch.decoding, max_new_tokens=steps)
    return PromptBatch(tuple(replace(prompt, decoding=decoding) for prompt in batch.prompts))
