"""Completions on disk, so that a killed audit resumes without writing its texts again.

As in `fairaudit.scoring.store`: append-only segments in a folder named after everything outside the
batch that can change a text, one record per batch with a checksum, used whole or not at all. Kept
are token ids, never text.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from fairaudit.scoring.generate_loop import Written
from fairaudit.scoring.generate_plan import PromptBatch

logger = logging.getLogger(__name__)

#: Goes up whenever an equal batch may be continued otherwise, so that old texts are left alone.
REVISION: Final = 1

_MAGIC: Final = b"fat\x01"
#: Magic, checksum of all that follows, batch key, number of 32-bit words that follow.
_HEADER: Final = struct.Struct("<4sI32sI")
_CHECKED_FROM: Final = 8
_SUFFIX: Final = ".texts"


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
        text = json.dumps({**context, "texts": REVISION}, sort_keys=True)
        self.folder = root / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._segment = self.folder / f"{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
        self._writable = True

    def get(self, batch: PromptBatch) -> list[list[Written]] | None:
        """Return the completions of a batch, or None if they have to be written."""
        flat = self._found.get(batch.key)
        if flat is None or len(flat) != batch.n_sequences:
            return None
        n = batch.decoding.n
        return [flat[start : start + n] for start in range(0, len(flat), n)]

    def put(self, batch: PromptBatch, written: list[list[Written]]) -> None:
        """Append the completions of a batch; a cache that cannot be written is not an error."""
        if not self._writable:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._segment.open("ab") as stream:
                stream.write(_record(batch.key, written))
        except OSError as error:
            # What follows a half-written record could not be read back.
            self._writable = False
            logger.warning("texts are not kept: %s (%s)", self.folder, error.strerror)

    @cached_property
    def _found(self) -> dict[bytes, list[Written]]:
        """Everything that lies in the segments when the first batch is asked for."""
        found: dict[bytes, list[Written]] = {}
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            try:
                content = path.read_bytes()
            except OSError as error:
                logger.warning("%s cannot be read (%s)", path, error.strerror)
                continue
            found.update(_records(content, path))
        return found


def _record(key: bytes, written: list[list[Written]]) -> bytes:
    """One record: for each completion its length, whether it ended, its ids."""
    numbers = [
        number
        for completions in written
        for one in completions
        for number in (len(one.ids), int(one.ended), *one.ids)
    ]
    payload = np.asarray(numbers, "<i4").tobytes()
    unchecked = _HEADER.pack(_MAGIC, 0, key, len(numbers))
    checksum = zlib.crc32(unchecked[_CHECKED_FROM:] + payload)
    return _HEADER.pack(_MAGIC, checksum, key, len(numbers)) + payload


def _records(content: bytes, path: Path) -> Iterator[tuple[bytes, list[Written]]]:
    """Read whole records, up to the first that is not."""
    start = 0
    while start < len(content):
        end = _end_of_record(content, start)
        if end is None:
            logger.warning("%s is damaged after %d bytes; the rest is written again", path, start)
            return
        _, _, key, _ = _HEADER.unpack_from(content, start)
        numbers = np.frombuffer(content[start + _HEADER.size : end], "<i4").tolist()
        yield key, list(_written(numbers))
        start = end


def _end_of_record(content: bytes, start: int) -> int | None:
    """Where the record ends, or None if it is torn, damaged, or no record."""
    if len(content) - start < _HEADER.size:
        return None
    magic, checksum, _, count = _HEADER.unpack_from(content, start)
    end: int = start + _HEADER.size + 4 * count
    if magic != _MAGIC or end > len(content):
        return None
    return end if zlib.crc32(content[start + _CHECKED_FROM : end]) == checksum else None


def _written(numbers: list[int]) -> Iterator[Written]:
    start = 0
    while start < len(numbers):
        length, ended = numbers[start : start + 2]
        end = start + 2 + length
        yield Written(tuple(numbers[start + 2 : end]), bool(ended))
        start = end
