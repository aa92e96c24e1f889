"""What a model answered, on disk: append-only, keyed by content, whole or not at all.

A folder holds what was answered under one *context*: everything outside the question that can
change the answer. Each process that answers something appends to a segment file of its own, one
record per question, so audits that run at the same time cannot damage each other's answers. A
record carries a checksum; whatever is torn or damaged is answered again. What is old or too much
goes while nobody looks: see `fairaudit.scoring.pruning`.
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

from fairaudit.scoring.pruning import note_use, used

logger = logging.getLogger(__name__)

_MAGIC: Final = b"fa\x00\x02"
#: Magic, checksum of all that follows, key (a SHA-256), length of the payload that follows.
_HEADER: Final = struct.Struct("<4sI32sI")
_CHECKED_FROM: Final = 8


class Segments:
    """Records of one context: bytes by key.

    Parameters
    ----------
    root : path
        Folder of all contexts; need not exist.
    context : mapping
        Everything beside the key that can change a record.
    kind : str
        What the records are, as messages name it; the suffix of the files.
    """

    def __init__(self, root: Path, context: Mapping[str, str | int | None], kind: str) -> None:
        text = json.dumps(context, sort_keys=True)
        self._kind = kind
        self._root, self._use = root, used(root)
        self.folder = root / hashlib.sha256(text.encode()).hexdigest()[:32]
        self._segment = self.folder / f"{os.getpid()}-{secrets.token_hex(8)}.{kind}"
        self._writable = True

    def get(self, key: bytes) -> bytes | None:
        """Return the record of a key, or None if there is none."""
        return self._found.get(key)

    def put(self, key: bytes, payload: bytes) -> None:
        """Append a record; a folder that cannot be written is not an error."""
        if not self._writable:
            return
        try:
            self._begin()
            with self._segment.open("ab") as stream:
                stream.write(_record(key, payload))
        except OSError as error:
            # What follows a half-written record could not be read back.
            self._writable = False
            logger.warning(
                "%s could not be cached: %s (%s)", self._kind, self.folder, error.strerror
            )

    def _begin(self) -> None:
        """Make the folder, and use it before anybody else could find it idle."""
        if self._use is None:
            self._root.mkdir(parents=True, exist_ok=True)
            self._use = used(self._root)
        self.folder.mkdir(exist_ok=True)

    @cached_property
    def _found(self) -> dict[bytes, bytes]:
        """Everything that lies in the segments when the first record is asked for."""
        found: dict[bytes, bytes] = {}
        note_use(self.folder)
        for path in sorted(self.folder.glob(f"*.{self._kind}")):
            try:
                content = path.read_bytes()
            except OSError as error:
                logger.warning("%s cannot be read (%s)", path, error.strerror)
                continue
            found.update(_records(content, path))
        return found


def _record(key: bytes, payload: bytes) -> bytes:
    unchecked = _HEADER.pack(_MAGIC, 0, key, len(payload))
    checksum = zlib.crc32(unchecked[_CHECKED_FROM:] + payload)
    return _HEADER.pack(_MAGIC, checksum, key, len(payload)) + payload


def _records(content: bytes, path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Read whole records, up to the first that is not."""
    start = 0
    while start < len(content):
        end = _end_of_record(content, start)
        if end is None:
            logger.warning("%s is damaged after %d bytes; the rest is done again", path, start)
            return
        _, _, key, _ = _HEADER.unpack_from(content, start)
        yield key, content[start + _HEADER.size : end]
        start = end


def _end_of_record(content: bytes, start: int) -> int | None:
    """Where the record ends, or None if it is torn, damaged, or no record."""
    if len(content) - start < _HEADER.size:
        return None
    magic, checksum, _, length = _HEADER.unpack_from(content, start)
    end: int = start + _HEADER.size + length
    if magic != _MAGIC or end > len(content):
        return None
    return end if zlib.crc32(content[start + _CHECKED_FROM : end]) == checksum else None
