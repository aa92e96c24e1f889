"""One process at a time in a folder: what two write there together belongs to neither."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from fairaudit.errors import BusyError, ResultError
from fairaudit.results.places import inside, refuse_file

#: Hidden, and empty; it stays, since removing it would let two processes in.
LOCK: Final = ".lock"
#: Bytes of a name to which an ending can be added; file systems allow 255.
_LONGEST: Final = 200
#: What a thread holds already: the parts of a run lock what the run has locked.
_HELD: Final = threading.local()


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
    BusyError
        If another process works there.
    ResultError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(inside(folder, LOCK), mode=0o600)
        _acquire(lock, folder, work, 0.0)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be written ({error.strerror or error})") from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def alone_at(place: Path, work: str, *, patience: float = 0.0) -> Iterator[None]:
    """Keep other processes out of a folder that need not be there; nothing is left of the lock.

    The lock lies beside the folder. The thread that holds it may ask for it again.

    Parameters
    ----------
    place : path
        The folder.
    work : str
        What is done there, for the message: "auditing into this folder".
    patience : float
        Seconds to wait for another process that is about to end.

    Raises
    ------
    BusyError
        If another process works there.
    ResultError
        If no lock can be made.
    """
    real = place.resolve()
    held: set[Path] = _HELD.__dict__.setdefault("places", set())
    if real in held:
        yield
        return
    lock = _locked(place, beside(real, "lock"), work, patience)
    held.add(real)
    try:
        yield
    finally:
        held.discard(real)
        # While it is held: who waits for it sees that the name is gone, and makes a new file.
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)
        lock.release()


def beside(place: Path, ending: str) -> Path:
    """Return the hidden name of ours beside a folder, or in one whose parent is not for us.

    So is a volume that is mounted there: nothing can be renamed from its parent into it.
    """
    name = place.name
    if len(os.fsencode(name)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    inner = place.is_dir() and (place.is_mount() or not os.access(place.parent, os.W_OK))
    return (place if inner else place.parent) / f".{name}.{ending}"


def _locked(place: Path, path: Path, work: str, patience: float) -> FileLock:
    refuse_file(place)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            raise ResultError(f"{path} is a link; remove it")
        lock = FileLock(path, mode=0o600)
        _acquire(lock, place, work, patience)
    except OSError as error:
        raise ResultError(f"{place}: cannot write there ({error.strerror or error})") from error
    return lock


def _acquire(lock: FileLock, place: Path, work: str, patience: float) -> None:
    for wait in (patience, 0.0):
        try:
            lock.acquire(timeout=wait)
        except Timeout:
            if os.path.exists(lock.lock_file):
                raise BusyError(f"{place}: another process is {work}") from None
            # Its holder has just ended, or no file can be made: some file systems do not say so.
        else:
            return
    raise ResultError(f"{place}: no file can be made there")
