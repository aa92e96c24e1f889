"""Files that are there whole or not at all, also after the power failed.

A rename reaches the disk before what was written into the file does, unless the file is flushed
first; after a power loss the name would stand for zero bytes. So every file that takes the place of
another one goes through `put_in_place`, and nothing else in this package renames files.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

#: What file systems say that cannot flush one file; a full disk or a broken one says otherwise.
_CANNOT: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def put_in_place(partial: Path, place: Path) -> None:
    """Let a complete file take the place of another; after a power loss it is one or the other."""
    _flush(partial, os.O_RDWR)
    # A link of that name is replaced, never followed.
    os.replace(partial, place)
    _flush_folder(place.parent)


def flush_tree(folder: Path) -> None:
    """Flush every file of a folder that is about to be renamed, and the folders in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            _flush_folder(path)
        elif path.is_file() and not path.is_symlink():
            _flush(path, os.O_RDWR)
    _flush_folder(folder)


@contextlib.contextmanager
def replaced_when_whole(partial: Path, place: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Yield a new file that takes the place of ``place`` if the block ends well, else goes."""
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
            yield stream
        put_in_place(partial, place)
    finally:
        partial.unlink(missing_ok=True)


def _flush(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    """Flush the names in a folder; some systems and file systems cannot."""
    with contextlib.suppress(OSError):
        _flush(folder, os.O_RDONLY)
