"""Scores on disk, so that a killed audit resumes and a repeated one runs no model.

The store is append-only. A folder holds what was scored under one *context*: everything outside the
batch that can change a number (the model's fingerprint, dtype, kind of device, versions, BOS rule,
longest row, token budget), never a path or a number of processes. Each process that scores
something appends to a segment file of its own, one record per batch, so audits that run at the
same time cannot damage each other's scores. A record carries a checksum and is used whole or not
at all; whatever is torn or damaged is scored again. No text is stored, only hashes and
log-probabilities.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import struct
import zlib
from array import array
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from fairaudit.scoring.forward import Scored
from fairaudit.scoring.plan import Batch

logger = logging.getLogger(__name__)

#: Goes up whenever the numbers of an equal batch may change, so that old ones are left alone.
REVISION: Final = 1

_MAGIC: Final = b"fa\x00\x01"
#: Magic, checksum of all that follows, batch key, number of reads, whether weights follow.
_HEADER: Final = struct.Struct("<4sI32sIB")
_CHECKED_FROM: Final = 8
_SUFFIX: Final = ".scores"


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
        text = json.dumps({**context, "revision": REVISION}, sort_keys=True)
        self.folder = root / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._segment = self.folder / f"{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
        self._writable = True

    def get(self, batch: Batch) -> Scored | None:
        """Return the scores of a batch, or None if it has to be scored."""
        scored = self._found.get(batch_key(batch))
        return scored if scored is not None and len(scored.log_probs) == len(batch.reads) else None

    def put(self, batch: Batch, scored: Scored) -> None:
        """Append the scores of a batch; a cache that cannot be written is not an error."""
        if not self._writable:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._segment.open("ab") as stream:
                stream.write(_record(batch_key(batch), scored))
        except OSError as error:
            # What follows a half-written record could not be read back.
            self._writable = False
            logger.warning("scores are not kept: %s (%s)", self.folder, error.strerror)

    @cached_property
    def _found(self) -> dict[bytes, Scored]:
        """Everything that lies in the segments when the first batch is asked for."""
        found: dict[bytes, Scored] = {}
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            try:
                content = path.read_bytes()
            except OSError as error:
                logger.warning("%s cannot be read (%s)", path, error.strerror)
                continue
            found.update(_records(content, path))
        return found


def batch_key(batch: Batch) -> bytes:
    """SHA-256 of a batch: its rows in order, and what is read from them."""
    index = {row: number for number, row in enumerate(batch.rows)}
    numbers = array("q", [len(batch.rows)])
    for row in batch.rows:
        numbers.extend((row.attention, len(row.ids), *row.ids))
    for read in batch.reads:
        numbers.extend((index[read.row], read.position, read.target))
    return hashlib.sha256(numbers.tobytes()).digest()


def _record(key: bytes, scored: Scored) -> bytes:
    """One record. The scores are fp32 on the way here, so four bytes hold each exactly."""
    payload = np.asarray(scored.log_probs, "<f4").tobytes()
    payload += np.asarray(scored.top1, "u1").tobytes()
    if scored.weights is not None:
        payload += np.asarray(scored.weights, "<f4").tobytes()
    fields = (key, len(scored.log_probs), scored.weights is not None)
    unchecked = _HEADER.pack(_MAGIC, 0, *fields)
    checksum = zlib.crc32(unchecked[_CHECKED_FROM:] + payload)
    return _HEADER.pack(_MAGIC, checksum, *fields) + payload


def _records(content: bytes, path: Path) -> Iterator[tuple[bytes, Scored]]:
    """Read whole records, up to the first that is not."""
    start = 0
    while start < len(content):
        end = _end_of_record(content, start)
        if end is None:
            logger.warning("%s is damaged after %d bytes; the rest is scored again", path, start)
            return
        _, _, key, count, weighted = _HEADER.unpack_from(content, start)
        yield key, _scored(content[start + _HEADER.size : end], count, bool(weighted))
        start = end


def _end_of_record(content: bytes, start: int) -> int | None:
    """Where the record ends, or None if it is torn, damaged, or no record."""
    if len(content) - start < _HEADER.size:
        return None
    magic, checksum, _, count, weighted = _HEADER.unpack_from(content, start)
    end: int = start + _HEADER.size + count * (9 if weighted else 5)
    if magic != _MAGIC or end > len(content):
        return None
    return end if zlib.crc32(content[start + _CHECKED_FROM : end]) == checksum else None


def _scored(payload: bytes, count: int, weighted: bool) -> Scored:
    log_probs = np.frombuffer(payload, "<f4", count).tolist()
    top1 = np.frombuffer(payload, "u1", count, 4 * count).astype(bool).tolist()
    weights = np.frombuffer(payload, "<f4", count, 5 * count).tolist() if weighted else None
    return Scored(log_probs, top1, weights)
