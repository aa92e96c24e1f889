"""Completions on disk, so that a killed audit resumes without writing its texts again.

As in `fairaudit.scoring.store`; kept are token ids, never text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np

from fairaudit.scoring.generate_loop import Written
from fairaudit.scoring.generate_plan import PromptBatch
from fairaudit.scoring.segments import Segments

#: Goes up whenever an equal batch may be continued otherwise, so that old texts are left alone.
REVISION: Final = 3


class TextStore:
    """Completions by one model under one set of protocol settings.

    Parameters
    ----------
    root : path
        Folder of all stores; need not exist.
    context : mapping
        Everything beside the batch itself that can change a text.
    """

    def __init__(self, root: Path, context: Mapping[str, str | int | None]) -> None:
        self._segments = Segments(root, {**context, "texts": REVISION}, "texts")

    def get(self, batch: PromptBatch) -> list[list[Written]] | None:
        """Return the completions of a batch, or None if they have to be written."""
        payload = self._segments.get(batch.key)
        flat = None if payload is None else list(_written(payload))
        if flat is None or len(flat) != batch.n_sequences:
            return None
        n = batch.decoding.n
        return [flat[start : start + n] for start in range(0, len(flat), n)]

    def put(self, batch: PromptBatch, written: list[list[Written]]) -> None:
        """Append the completions of a batch; a cache that cannot be written is not an error."""
        self._segments.put(batch.key, _payload(written))


def _payload(written: list[list[Written]]) -> bytes:
    """One record: for each completion its length, whether it ended, its ids."""
    numbers = [
        number
        for completions in written
        for one in completions
        for number in (len(one.ids), int(one.ended), *one.ids)
    ]
    return np.asarray(numbers, "<i4").tobytes()


def _written(payload: bytes) -> Iterator[Written]:
    numbers, start = np.frombuffer(payload, "<i4").tolist(), 0
    while start < len(numbers):
        length, ended = numbers[start : start + 2]
        end = start + 2 + length
        yield Written(tuple(numbers[start + 2 : end]), bool(ended))
        start = end
