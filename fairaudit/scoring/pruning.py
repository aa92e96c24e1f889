"""The score store stays small: what was not used for long goes, and what is too much, oldest first.

Everything in it can be computed again, so nothing asks before it goes. It goes when a process
begins to use the store and no other one uses it: each holds a shared lock from its first look until
it ends, and removing takes the lock alone. A store that is never idle is not pruned; where the
system has no such locks, none is.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairaudit.errors import ResultError
from fairaudit.results.places import remove_file, remove_folder

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

#: What was not used for so many seconds is removed: 90 days.
MOST_SECONDS: Final = 90 * 24 * 3600
#: Bytes that stay. Scores of 10,000 pairs are about a megabyte, of a default audit a few.
MOST_BYTES: Final = 2 << 30
#: Whether there is too much is looked at once in so many seconds: a day.
EVERY: Final = 24 * 3600

#: Empty, and never removed: that would let a second process in.
_LOCK: Final = ".lock"
_CONTEXT: Final = re.compile(r"[0-9a-f]{32}")
_SUFFIXES: Final = frozenset({".scores", ".texts"})


class Use:
    """That this process uses the stores of a root; others do not prune them until it ends.

    Parameters
    ----------
    root : path
        Folder of all stores; it is there.
    """

    def __init__(self, root: Path) -> None:
        self._descriptor: int | None = None
        if fcntl is None:
            return
        with contextlib.suppress(OSError):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(root / _LOCK, flags, 0o600)
            weakref.finalize(self, os.close, self._descriptor)
            if self._is_due() and self._alone():
                os.utime(self._descriptor)
                prune(root, time.time())
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def _is_due(self) -> bool:
        assert self._descriptor is not None
        # A new lock is as old as the store is small.
        return time.time() - os.fstat(self._descriptor).st_mtime > EVERY

    def _alone(self) -> bool:
        assert self._descriptor is not None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


_USES: Final[weakref.WeakValueDictionary[Path, Use]] = weakref.WeakValueDictionary()


def used(root: Path) -> Use | None:
    """Use the stores of a root for as long as the result is kept; None if there is no such folder.

    Those of one process share a use, so that it does not wait for itself.
    """
    if not root.is_dir():
        return None
    place = root.resolve()
    use = _USES.get(place)
    if use is None:
        use = _USES[place] = Use(place)
    return use


def note_use(folder: Path) -> None:
    """Note on the folder of a context that it was read, if it can be written."""
    with contextlib.suppress(OSError):
        os.utime(folder)


@dataclass(frozen=True, slots=True, order=True)
class _Segment:
    """A file of records. Order: what goes first comes first."""

    used: float
    written: float
    context: str
    name: str
    n_bytes: int


def prune(root: Path, now: float) -> int:
    """Remove segments of a root that nobody uses, and return how many bytes went.

    Parameters
    ----------
    root : path
        Folder of all stores; whoever calls this holds its lock alone.
    now : float
        Time in seconds.
    """
    found = sorted(_segments(root))
    left, gone = sum(one.n_bytes for one in found), 0
    for one in found:
        if now - one.used <= MOST_SECONDS and left - gone <= MOST_BYTES:
            break
        try:
            remove_file(root, f"{one.context}/{one.name}")
        except ResultError as error:
            logger.warning("%s", error)
            continue
        gone += one.n_bytes
    for context in {one.context for one in found}:
        if not any((root / context).iterdir()):
            remove_folder(root, context)
    if gone:
        logger.info("%s: %d bytes that were not used of late are removed", root, gone)
    return gone


def _segments(root: Path) -> list[_Segment]:
    """Return every segment in the folders that the program made; what else is there, it leaves."""
    found = []
    for folder in root.iterdir():
        if not _CONTEXT.fullmatch(folder.name) or folder.is_symlink() or not folder.is_dir():
            continue
        read = folder.stat().st_mtime
        for path in folder.iterdir():
            if path.suffix in _SUFFIXES and path.is_file() and not path.is_symlink():
                written = path.stat()
                last = max(read, written.st_mtime)
                found.append(
                    _Segment(last, written.st_mtime, folder.name, path.name, written.st_size)
                )
    return found
