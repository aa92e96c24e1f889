"""One batch of prompts continued token by token, with a key-value cache.

Prompts are padded on the left, so that the last token of each stands in the last column; explicit
positions and the attention mask hide the padding. Each prompt is read once and its cache repeated
for its completions. Completions that have ended leave the batch.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from fairaudit.errors import ModelError, NonFiniteError
from fairaudit.items import Decoding
from fairaudit.scoring.batch_independence import agreement, find_batching
from fairaudit.scoring.batching import Batching
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.generate_plan import Prompt, PromptBatch
from fairaudit.scoring.memory import MEMORY_ERRORS, may_split
from fairaudit.scoring.probe_rows import Ids
from fairaudit.scoring.sampling import next_tokens, uniforms

logger = logging.getLogger(__name__)

#: Copying the cache pays when this share of the sequences has ended.
_ENDED_SHARE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Written:
    """One completion as token ids, without the token that ended it."""

    ids: tuple[int, ...]
    ended: bool


class _Sequences:
    """Sequences that are still being written, and what the model remembers of them.

    ``ids`` [S, T] and ``mask`` [S, T] are padded on the left; ``cache`` is None for a model that
    keeps none, which then reads everything again at each step.
    """

    def __init__(self, model: Any, ids: Tensor, mask: Tensor) -> None:
        self._model = model
        # An adapter's wrapper takes anything; what the model inside takes is what counts.
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._accepted = inspect.signature(inner.forward).parameters
        self._cache: Any = None
        self._ids, self._mask = ids, mask
        self.logits = self._read(ids)

    def repeat(self, n: int) -> None:
        """Make ``n`` sequences of each."""
        if n > 1:
            self._ids = self._ids.repeat_interleave(n, dim=0)
            self._mask = self._mask.repeat_interleave(n, dim=0)
            self.logits = self.logits.repeat_interleave(n, dim=0)
            if self._cache is not None:
                self._cache.batch_repeat_interleave(n)

    def append(self, tokens: Tensor) -> None:
        """Add one token [S] to each sequence and read what may follow."""
        self._ids = torch.cat([self._ids, tokens[:, None]], dim=1)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self.logits = self._read(self._ids if self._cache is None else tokens[:, None])

    def select(self, rows: Tensor) -> None:
        """Keep some of the sequences."""
        self._ids, self._mask = self._ids[rows], self._mask[rows]
        if self._cache is not None:
            self._cache.batch_select_indices(rows)

    def _read(self, ids: Tensor) -> Tensor:
        """Logits [S, V] after the last token, in fp32."""
        inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": self._mask, "use_cache": True}
        if "position_ids" in self._accepted:
            positions = (self._mask.cumsum(dim=1) - 1).clamp_(min=0)
            inputs["position_ids"] = positions[:, -ids.shape[1] :]
        if "logits_to_keep" in self._accepted:
            inputs["logits_to_keep"] = 1
        if self._cache is not None:
            inputs["past_key_values"] = self._cache
        output = self._model(**inputs)
        self._cache = getattr(output, "past_key_values", None)
        logits: Tensor = output.logits[:, -1].float()
        return logits


class Writer:
    """Continues batches of prompts with one model.

    A self-check at the start compares padded prompts with unpadded ones; should a model's
    architecture not take padding on the left, only prompts of equal length run together, or each
    runs alone; see `fairaudit.scoring.batch_independence`.

    Parameters
    ----------
    model : PreTrainedModel
        A causal language model.
    stop_ids : frozenset of int
        Tokens that end a text.
    probes : sequence of tuple of int
        Prompts for the self-check, from `probe_rows`.
    """

    def __init__(self, model: Any, stop_ids: frozenset[int], probes: Sequence[Ids]) -> None:
        self._model = model
        self._device = input_device(model)
        self._stop = torch.tensor(sorted(stop_ids), dtype=torch.long, device=self._device)
        self.batching: Batching = find_batching(self._read, probes, agreement(model))

    @torch.inference_mode()
    def __call__(self, batch: PromptBatch) -> list[list[Written]]:
        """Completions of each prompt; splits the batch when memory runs out.

        Raises
        ------
        NonFiniteError
            If the model gives NaN.
        ModelError
            If not even one prompt fits into memory.
        """
        return [found for part in batch.parts(self.batching) for found in self._safely(part)]

    def _safely(self, batch: PromptBatch) -> list[list[Written]]:
        try:
            return self._write(batch)
        except MEMORY_ERRORS as error:
            if not may_split(error):
                raise
        if len(batch.prompts) == 1:
            raise ModelError(
                f"out of memory on {batch.n_sequences} completions of one prompt; use a smaller "
                "dtype, fewer completions or another device"
            )
        logger.warning("out of memory with %d prompts; the batch is split", len(batch.prompts))
        return [found for half in batch.halves() for found in self._safely(half)]

    def _write(self, batch: PromptBatch) -> list[list[Written]]:
        decoding = batch.decoding
        numbers = self._numbers(batch)
        written = numbers.new_full(numbers.shape, -1, dtype=torch.long)
        live = torch.arange(len(written), device=self._device)
        sequences = self._start(batch.prompts)
        sequences.repeat(decoding.n)
        for step in range(decoding.max_new_tokens):
            if bool(sequences.logits.isnan().any()):
                raise NonFiniteError("the model gives NaN while it writes")
            tokens = next_tokens(sequences.logits, numbers[live, step], decoding)
            written[live, step] = tokens
            going = ~torch.isin(written[live], self._stop).any(dim=1)
            if step + 1 == decoding.max_new_tokens or not bool(going.any()):
                break
            if int(going.sum()) <= (1 - _ENDED_SHARE) * len(live):
                kept = going.nonzero().squeeze(1)
                live, tokens = live[kept], tokens[kept]
                sequences.select(kept)
            sequences.append(tokens)
        return self._collected(written, decoding.n)

    def _numbers(self, batch: PromptBatch) -> Tensor:
        if batch.decoding.do_sample:
            numbers = np.concatenate([uniforms(prompt) for prompt in batch.prompts])
        else:
            numbers = np.zeros((batch.n_sequences, batch.decoding.max_new_tokens))
        return torch.from_numpy(numbers).to(self._device)

    def _start(self, prompts: tuple[Prompt, ...]) -> _Sequences:
        width = max(len(prompt.ids) for prompt in prompts)
        ids = torch.zeros(len(prompts), width, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt.ids) :] = torch.tensor(prompt.ids)
            mask[row, width - len(prompt.ids) :] = 1
        return _Sequences(self._model, ids.to(self._device), mask.to(self._device))

    def _collected(self, written: Tensor, n: int) -> list[list[Written]]:
        stop = set(self._stop.tolist())
        found = [_cut(row, stop) for row in written.tolist()]
        return [found[start : start + n] for start in range(0, len(found), n)]

    @torch.inference_mode()
    def _read(self, prompts: Sequence[Ids]) -> list[Tensor]:
        """Logits [2, V] after each prompt and after a further token, all run in one batch."""
        sequences = self._start(tuple(Prompt(ids, Decoding()) for ids in prompts))
        first = sequences.logits
        sequences.append(torch.tensor([ids[0] for ids in prompts], device=self._device))
        return list(torch.stack([first, sequences.logits], dim=1))


def _cut(row: list[int], stop: set[int]) -> Written:
    """Tokens up to the one that ends the text, or up to the limit."""
    for place, token in enumerate(row):
        if token in stop:
            return Written(tuple(row[:place]), True)
    return Written(tuple(token for token in row if token >= 0), False)
