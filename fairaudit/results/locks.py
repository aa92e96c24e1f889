"""One process at a time in a folder: what two write there together belongs to neither."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fairaudit.errors import ResultError
from fairaudit.results.places import inside

#: Hidden, and empty; it stays, since removing it would let two processes in.
LOCK: Final = ".lock"


@contextlib.contextmanager
def alone_in(folder: Path, work: str) -> Iterator[None]:
    """Keep other processes out of a folder that is made if it is not there.

    The system lifts the lock of a process that was killed.

    Parameters
    ----------
    folder : path
        The folder.
    work : str
        What is done there, for the message: "running this experiment".

    Raises
    ------
    ResultError
        If another process works there, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(inside(folder, LOCK), mode=0o600)
        lock.acquire(timeout=0)
    except Timeout:
        raise ResultError(f"{folder}: another process is {work}") from None
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        lock.release()
