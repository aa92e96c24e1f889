"""Embeddings of texts by the audited model, and how near they lie to each other.

A text is the tokens that the tokenizer makes of it, with the special tokens that its template adds.
What stands for it is the last hidden layer (before the language-model head), pooled as the request
says: the mean over all its tokens, its first token (BERT's ``[CLS]``), or its last.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairaudit.items import Answer, Association, Skipped
from fairaudit.ranks import ranks
from fairaudit.scoring.batch_independence import agreement, find_batching
from fairaudit.scoring.batching import Batching, fitting
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.memory import MEMORY_ERRORS, may_split
from fairaudit.scoring.probe_rows import Ids, probe_rows
from fairaudit.scoring.token_rows import Encoder

logger = logging.getLogger(__name__)

Array = NDArray[np.float64]


class Embedder:
    """Embeds texts with one model and answers associations.

    Parameters
    ----------
    loaded : LoadedModel
    token_budget : int
        Padded tokens per batch.
    """

    def __init__(self, loaded: LoadedModel, token_budget: int) -> None:
        self._loaded = loaded
        self._token_budget = token_budget

    @cached_property
    def batching(self) -> Batching:
        """How texts may run together without changing each other's embeddings."""
        loaded = self._loaded
        limit, frame = loaded.max_length, Encoder(loaded.tokenizer, None).frame
        rows = probe_rows(loaded.tokenizer, loaded.vocabulary_size, limit, frame=frame)
        return find_batching(self._read, rows, agreement(loaded.model))

    def associations(
        self, requests: Sequence[Association]
    ) -> Iterator[tuple[Association, Answer | Skipped]]:
        """Mean cosine with the near texts minus mean cosine with the far ones, −2 to 2."""
        for pooling in dict.fromkeys(request.pooling for request in requests):
            asked = [request for request in requests if request.pooling == pooling]
            texts = (text for one in asked for text in (one.text, *one.near, *one.far))
            directions = self.directions(texts, pooling)
            means: dict[tuple[str, ...], Array | Skipped] = {}
            for one in asked:
                for side in (one.near, one.far):
                    if side not in means:
                        means[side] = _mean(side, directions)
                yield one, _answer(directions[one.text], means[one.near], means[one.far])

    def directions(self, texts: Iterable[str], pooling: str) -> dict[str, Array | Skipped]:
        """Embed each distinct text as a unit vector, or say why it has none.

        Parameters
        ----------
        texts : iterable of str
        pooling : {"mean", "first", "last"}
        """
        distinct = list(dict.fromkeys(texts))
        encoded = self._loaded.tokenizer(distinct)["input_ids"] if distinct else []
        ids = {text: tuple(row) for text, row in zip(distinct, encoded, strict=True)}
        self._loaded.check_ids(itertools.chain.from_iterable(ids.values()))
        found: dict[str, Array | Skipped] = {
            text: Skipped(reason) for text in distinct if (reason := self._refusal(ids[text]))
        }
        left = [text for text in distinct if text not in found]
        batches = [*self._batches(sorted(left, key=lambda text: (-len(ids[text]), text)), ids)]
        embedded = ranks().over(
            batches,
            lambda batch: self._safely([ids[text] for text in batch], pooling),
            lambda batch: len(batch) * len(ids[batch[0]]),
            content=lambda batch: (pooling, batch),
        )
        for batch, rows in embedded:
            found.update(zip(batch, rows, strict=True))
        return found

    def _refusal(self, ids: Ids) -> str | None:
        limit = self._loaded.max_length
        if not ids:
            return "no token to embed"
        if limit is not None and len(ids) > limit:
            return f"{len(ids)} tokens, the model takes {limit}"
        return None

    def _batches(self, texts: list[str], ids: Mapping[str, Ids]) -> Iterator[Sequence[str]]:
        start = 0
        while start < len(texts):
            size = max(1, self._token_budget // len(ids[texts[start]]))
            batch = texts[start : start + size]
            yield from fitting(batch, lambda text: len(ids[text]), self.batching)
            start += size

    def _safely(self, rows: list[Ids], pooling: str) -> list[Array | Skipped]:
        try:
            return [_direction(vector) for vector in self._vectors(rows, pooling)]
        except MEMORY_ERRORS as error:
            if not may_split(error):
                raise
        if len(rows) == 1:
            return [Skipped("out of memory on this text")]
        logger.warning("out of memory with %d texts; the batch is split", len(rows))
        middle = len(rows) // 2
        return [*self._safely(rows[:middle], pooling), *self._safely(rows[middle:], pooling)]

    @torch.inference_mode()
    def _hidden(self, rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
        """Last layer [rows, tokens, hidden], and which places are no padding."""
        model = self._loaded.model
        device = input_device(model)
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in rows], device=device)
        lengths = torch.tensor([len(row) for row in rows], device=device)
        mask = (torch.arange(width, device=device) < lengths[:, None]).long()
        return model.base_model(input_ids=ids, attention_mask=mask).last_hidden_state.float(), mask

    def _read(self, rows: Sequence[Ids]) -> list[Tensor]:
        hidden, _ = self._hidden(rows)
        return [found[: len(row)] for row, found in zip(rows, hidden, strict=True)]

    @torch.inference_mode()
    def _vectors(self, rows: Sequence[Ids], pooling: str) -> Array:
        """Pooled last layer, shape [rows, hidden]."""
        hidden, mask = self._hidden(rows)
        lengths = mask.sum(dim=1)
        if pooling == "mean":
            pooled = (hidden * mask[:, :, None]).sum(dim=1) / lengths[:, None]
        else:
            place = lengths - 1 if pooling == "last" else torch.zeros_like(lengths)
            pooled = hidden[torch.arange(len(rows), device=hidden.device), place]
        return np.asarray(pooled.cpu().numpy(), dtype=np.float64)


def _direction(vector: Array) -> Array | Skipped:
    length = float(np.linalg.norm(vector))
    if not np.isfinite(length) or length == 0:
        return Skipped("the embedding has no direction")
    return vector / length


def _mean(texts: tuple[str, ...], directions: Mapping[str, Array | Skipped]) -> Array | Skipped:
    """Mean direction: its product with a unit vector is the mean cosine."""
    total = np.zeros(())
    for text in texts:
        direction = directions[text]
        if isinstance(direction, Skipped):
            return Skipped(f"an attribute: {direction.reason}")
        total = total + direction
    return total / len(texts) if texts else Skipped("no attribute to compare with")


def _answer(
    target: Array | Skipped, near: Array | Skipped, far: Array | Skipped
) -> Answer | Skipped:
    for one in (target, near, far):
        if isinstance(one, Skipped):
            return one
    assert not isinstance(target, Skipped)
    assert not isinstance(near, Skipped)
    assert not isinstance(far, Skipped)
    return Answer(log_probs=(), value=float(target @ near - target @ far))
