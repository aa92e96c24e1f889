"""From probe records to rows of token ids with labels, and rows to padded batches.

A causal row starts as the audit's rows do: the tokenizer's BOS token, else its EOS token, else
nothing. A masked row hides 15 % of its tokens, at least one, drawn once per template and seed, so
that the texts of a template are masked alike and every model sees the same masks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor

from fairaudit.errors import DataError

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel

IGNORED: Final = -100
#: Padded tokens of a batch.
TOKEN_BUDGET: Final = 2048
_CHOSEN: Final = 0.15


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """What the model sees, and the labels, −100 where nothing is predicted."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of some units, as tensors.

    Parameters
    ----------
    inputs : mapping
        ``input_ids``, ``attention_mask`` and ``labels``, [rows, tokens].
    units : Tensor
        [rows], the unit of each row, numbered within the batch.
    places : array of int
        Place of each unit in the list that the batches were made of.
    """

    inputs: Mapping[str, Tensor]
    units: Tensor
    places: Any


class RowEncoder:
    """Turns texts into labelled rows for one model.

    Parameters
    ----------
    loaded : LoadedModel
        The model.
    max_length : int
        Tokens after which a row is cut, special tokens included.
    seed : int
        Seed of the masks.
    """

    def __init__(self, loaded: LoadedModel, *, max_length: int, seed: int) -> None:
        self._tokenizer, self._causal, self._seed = loaded.tokenizer, loaded.kind == "causal", seed
        limit = max_length if loaded.max_length is None else min(max_length, loaded.max_length)
        self._check = loaded.check_ids
        self._start, self._end = self._frame()
        self._check((*self._start, *self._end))
        self._room = limit - len(self._start) - len(self._end)
        #: Texts that were cut.
        self.n_truncated = 0

    def _frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        tokenizer = self._tokenizer
        if self._causal:
            first = tokenizer.bos_token_id
            first = tokenizer.eos_token_id if first is None else first
            return (() if first is None else (int(first),)), ()
        encoded = tokenizer("a", return_special_tokens_mask=True)
        ids, special = encoded["input_ids"], encoded["special_tokens_mask"]
        begin, end = special.index(0), len(special) - special[::-1].index(0)
        return tuple(ids[:begin]), tuple(ids[end:])

    def rows(self, texts: Sequence[str], *, record: str, template: str) -> list[LabelledRow]:
        """Encode a record and its twins; the first text decides what is masked.

        Raises
        ------
        DataError
            If a text has nothing to predict.
        """
        encoded = [self._ids(text) for text in texts]
        shortest = min(map(len, encoded))
        if shortest == 0 or (self._causal and not self._start and shortest < 2):
            raise DataError(f"record {record}: the text has too few tokens to predict one")
        if self._causal:
            return [LabelledRow(row := (*self._start, *ids), row) for ids in encoded]
        chosen = self._chosen(len(encoded[0]), template)
        return [self._masked(ids, _aligned(encoded[0], ids, chosen)) for ids in encoded]

    def _ids(self, text: str) -> tuple[int, ...]:
        ids = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        self._check(ids)
        self.n_truncated += len(ids) > self._room
        return tuple(ids[: self._room])

    def _chosen(self, length: int, template: str) -> frozenset[int]:
        digest = hashlib.blake2b(template.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        rng = np.random.default_rng(np.random.SeedSequence([self._seed, int.from_bytes(digest)]))
        # Drawn from the left, so the texts of a template are masked at the same places.
        drawn = np.flatnonzero(rng.random(length) < _CHOSEN)
        return frozenset(drawn.tolist() or [int(rng.integers(length))])

    def _masked(self, ids: tuple[int, ...], chosen: frozenset[int]) -> LabelledRow:
        mask = int(self._tokenizer.mask_token_id)
        seen = tuple(mask if place in chosen else token for place, token in enumerate(ids))
        labels = tuple(token if place in chosen else IGNORED for place, token in enumerate(ids))
        before, after = (IGNORED,) * len(self._start), (IGNORED,) * len(self._end)
        return LabelledRow((*self._start, *seen, *self._end), (*before, *labels, *after))


def _aligned(
    first: tuple[int, ...], other: tuple[int, ...], chosen: frozenset[int]
) -> frozenset[int]:
    """Places of ``other`` that correspond to chosen places of ``first``; at least one."""
    if first == other:
        return chosen
    places = set()
    matcher = SequenceMatcher(None, first, other, autojunk=False)
    for _, begin, end, other_begin, other_end in matcher.get_opcodes():
        for step in range(other_end - other_begin):
            if min(begin + step, max(end - 1, 0)) in chosen:
                places.add(other_begin + step)
    return frozenset(places or {min(max(chosen), len(other) - 1)})


def batches(
    units: Sequence[Sequence[LabelledRow]],
    *,
    pad_id: int,
    device: torch.device,
    together: Sequence[str] | None = None,
    budget: int = TOKEN_BUDGET,
) -> Iterator[Batch]:
    """Pack units in their order into padded batches of at most ``budget`` tokens.

    A unit's rows stay together, and so do neighbouring units with the same label in ``together``;
    what exceeds the budget has a batch of its own.
    """
    start = rows = width = 0
    for block in _blocks(len(units), together):
        longest = max(len(row.ids) for place in block for row in units[place])
        number = sum(len(units[place]) for place in block)
        if rows and (rows + number) * max(width, longest) > budget:
            yield _batch(units, range(start, block.start), pad_id, device)
            start, rows, width = block.start, 0, 0
        rows, width = rows + number, max(width, longest)
    if rows:
        yield _batch(units, range(start, len(units)), pad_id, device)


def _blocks(n: int, together: Sequence[str] | None) -> Iterator[range]:
    start = 0
    for place in range(1, n + 1):
        if place == n or together is None or together[place] != together[start]:
            yield range(start, place)
            start = place


def _batch(
    units: Sequence[Sequence[LabelledRow]], places: range, pad_id: int, device: torch.device
) -> Batch:
    rows = [row for place in places for row in units[place]]
    width = max(len(row.ids) for row in rows)
    inputs = {
        "input_ids": _padded([row.ids for row in rows], pad_id, width, device),
        "attention_mask": _padded([(1,) * len(row.ids) for row in rows], 0, width, device),
        "labels": _padded([row.labels for row in rows], IGNORED, width, device),
    }
    index = [number for number, place in enumerate(places) for _ in units[place]]
    return Batch(inputs, torch.tensor(index), np.arange(places.start, places.stop))


def _padded(
    rows: Sequence[tuple[int, ...]], filler: int, width: int, device: torch.device
) -> Tensor:
    filled = [row + (filler,) * (width - len(row)) for row in rows]
    return torch.tensor(filled, dtype=torch.long, device=device)
