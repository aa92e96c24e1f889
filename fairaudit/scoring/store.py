"""Scores on disk, so that a killed audit resumes and a repeated one runs no model.

The context of a store is the model's fingerprint, dtype, kind of device, versions, BOS rule,
longest row and token budget, never a path or a number of processes. No text is stored, only hashes
and log-probabilities. See `fairaudit.scoring.segments` for what happens to damaged files.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from fairaudit.scoring.batch_plan import Batch
from fairaudit.scoring.forward import Scored
from fairaudit.scoring.segments import Segments

#: Goes up whenever the numbers of an equal batch may change, so that old ones are left alone.
REVISION: Final = 3

#: Number of reads; 1 if weights follow, plus 2 if tokens do.
_HEAD: Final = struct.Struct("<IB")


class ScoreStore:
    """Scored batches of one model under one set of protocol settings.

    Parameters
    ----------
    root : path
        Folder of all stores; need not exist.
    context : mapping
        Everything beside the batch itself that can change a number.
    """

    def __init__(self, root: Path, context: Mapping[str, str | int | None]) -> None:
        self._segments = Segments(root, {**context, "revision": REVISION}, "scores")

    def get(self, batch: Batch) -> Scored | None:
        """Return the scores of a batch, or None if it has to be scored."""
        payload = self._segments.get(batch_key(batch))
        scored = None if payload is None else _scored(payload)
        return scored if scored is not None and len(scored.log_probs) == len(batch.reads) else None

    def put(self, batch: Batch, scored: Scored) -> None:
        """Append the scores of a batch; a cache that cannot be written is not an error."""
        self._segments.put(batch_key(batch), _payload(scored))


def batch_key(batch: Batch) -> bytes:
    """SHA-256 of a batch: its rows in order, and what is read from them."""
    index = {row: number for number, row in enumerate(batch.rows)}
    numbers = array("q", [len(batch.rows)])
    for row in batch.rows:
        kind = 2 if row.parents else int(row.attention)
        numbers.extend((kind, len(row.ids), *row.ids, *row.parents))
    for read in batch.reads:
        numbers.extend((index[read.row], read.position, read.target))
    return hashlib.sha256(numbers.tobytes()).digest()


def _payload(scored: Scored) -> bytes:
    """One record. The scores are fp32 on the way here, so four bytes hold each exactly."""
    follows = (scored.weights is not None) + 2 * (scored.tokens is not None)
    payload = _HEAD.pack(len(scored.log_probs), follows)
    payload += np.asarray(scored.log_probs, "<f4").tobytes()
    payload += np.asarray(scored.top1, "u1").tobytes()
    if scored.weights is not None:
        payload += np.asarray(scored.weights, "<f4").tobytes()
    if scored.tokens is not None:
        payload += np.asarray(scored.tokens, "<i4").tobytes()
    return payload


def _scored(payload: bytes) -> Scored:
    count, follows = _HEAD.unpack_from(payload)
    weighted, with_tokens = bool(follows & 1), bool(follows & 2)
    start = _HEAD.size
    log_probs = np.frombuffer(payload, "<f4", count, start).tolist()
    top1 = np.frombuffer(payload, "u1", count, start + 4 * count).astype(bool).tolist()
    weights = np.frombuffer(payload, "<f4", count, start + 5 * count).tolist() if weighted else None
    place = start + (9 if weighted else 5) * count
    tokens = np.frombuffer(payload, "<i4", count, place).tolist() if with_tokens else None
    return Scored(log_probs, top1, weights, tokens)
