"""Which prompts are continued together: a pure function of the set of prompts and a token budget.

Prompts are sorted by length and packed so that a batch, with everything that it may write, holds
at most ``token_budget`` tokens. The longest come first: what does not fit fails at once.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass

from fairaudit.items import Decoding
from fairaudit.scoring.batching import Batching, fitting


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids that are to be continued, and how."""

    ids: tuple[int, ...]
    decoding: Decoding

    @property
    def longest(self) -> int:
        """Tokens of the prompt with the longest continuation that it may get."""
        return len(self.ids) + self.decoding.max_new_tokens


@dataclass(frozen=True, slots=True)
class PromptBatch:
    """Prompts that are continued together under one decoding; the unit of commitment."""

    prompts: tuple[Prompt, ...]

    @property
    def decoding(self) -> Decoding:
        """How all prompts of the batch are continued."""
        return self.prompts[0].decoding

    @property
    def n_sequences(self) -> int:
        """Completions that the batch gives."""
        return len(self.prompts) * self.decoding.n

    @property
    def n_tokens(self) -> int:
        """Tokens of the padded prompts and of the longest completions."""
        width = max(len(prompt.ids) for prompt in self.prompts)
        return len(self.prompts) * width + self.n_new_tokens

    @property
    def n_new_tokens(self) -> int:
        """Tokens that are written if no completion ends early."""
        return self.n_sequences * self.decoding.max_new_tokens

    @property
    def key(self) -> bytes:
        """SHA-256 of the prompts in order and of how they are continued."""
        numbers = array("q", [len(self.prompts)])
        for prompt in self.prompts:
            numbers.extend((len(prompt.ids), *prompt.ids))
        text = repr(astuple(self.decoding)).encode()
        return hashlib.sha256(numbers.tobytes() + text).digest()

    def halves(self) -> tuple[PromptBatch, PromptBatch]:
        """Both halves, for a device that cannot hold the whole."""
        middle = len(self.prompts) // 2
        return PromptBatch(self.prompts[:middle]), PromptBatch(self.prompts[middle:])

    def parts(self, batching: Batching) -> tuple[PromptBatch, ...]:
        """Cut into parts whose prompts may be continued together."""
        cut = fitting(self.prompts, lambda prompt: len(prompt.ids), batching)
        return tuple(PromptBatch(tuple(prompts)) for prompts in cut)


def plan_prompts(prompts: Iterable[Prompt], token_budget: int) -> tuple[PromptBatch, ...]:
    """Pack distinct prompts into batches; a prompt beyond the budget gets a batch of its own."""
    ordered = sorted(set(prompts), key=lambda p: (astuple(p.decoding), -len(p.ids), p.ids))
    return tuple(PromptBatch(chosen) for chosen in _packed(ordered, token_budget))


def _packed(prompts: list[Prompt], token_budget: int) -> Iterator[tuple[Prompt, ...]]:
    batch: list[Prompt] = []
    for prompt in prompts:
        full = batch and (
            batch[0].longest * batch[0].decoding.n * (len(batch) + 1) > token_budget
            or batch[0].decoding != prompt.decoding
        )
        if full:
            yield tuple(batch)
            batch = []
        batch.append(prompt)
    if batch:
        yield tuple(batch)
