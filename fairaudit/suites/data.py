"""Public benchmark files: found in a folder, in the cache or at a pinned address, then verified.

A file is identified by its Git blob id, ``SHA-1("blob " + size + NUL + content)``, so any copy can
be checked against the authors' repository without Git. Content that differs from the pin is an
error, never silently used; a file that cannot be had at all makes the suite NOT_RUN.
"""

from __future__ import annotations

import gzip
import hashlib
import http.client
import logging
import os
import urllib.request
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fairaudit.durable import replaced_when_whole
from fairaudit.errors import DataError, UsageError
from fairaudit.results import Source

logger = logging.getLogger(__name__)

#: Where a pinned file is fetched from; ``$FAIRAUDIT_RAW_URL`` names a mirror instead.
RAW_URL: Final = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
_TIMEOUT_SECONDS = 60
_MAX_BYTES = 256 * 2**20
#: How compressed content begins; no text does.
_GZIP: Final = b"\x1f\x8b"


class DataUnavailableError(DataError):
    """A benchmark file is neither in the data folder, nor cached, nor to be fetched."""


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One file of a public benchmark, fixed by commit and content.

    Parameters
    ----------
    repository, commit, path : str
        Where the authors keep it.
    blob_id : str
        Git blob id of its content.
    local : tuple of str
        Where it may lie inside a data folder; each with and without ``.gz`` behind it.
    equivalents : mapping of str to str
        Blob ids of other files with the same content in another form, and what they are.
    """

    repository: str
    commit: str
    path: str
    blob_id: str
    local: tuple[str, ...]
    equivalents: Mapping[str, str] = field(default_factory=dict)


def git_blob_id(content: bytes) -> str:
    """Git blob id (40 hex digits) of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def cache_folder() -> Path:
    """Return ``$FAIRAUDIT_CACHE``, or the user's cache folder.

    Returns
    -------
    Path
        It need not exist yet.
    """
    import platformdirs

    configured = os.environ.get("FAIRAUDIT_CACHE")
    return Path(configured) if configured else platformdirs.user_cache_path("fairaudit")


def is_offline() -> bool:
    """Whether the environment forbids fetching (``HF_HUB_OFFLINE``, ``FAIRAUDIT_OFFLINE``)."""
    names = ("HF_HUB_OFFLINE", "FAIRAUDIT_OFFLINE")
    return any(os.environ.get(name, "").lower() in {"1", "true", "yes", "on"} for name in names)


class DataFinder:
    """Finds pinned files: the data folder first, then the cache, then the network.

    Parameters
    ----------
    folder : path or None
        ``--data``; default ``$FAIRAUDIT_DATA``. One sub-folder per suite.
    cache : path or None
        Where fetched files are kept; default `cache_folder`.
    fetch : bool
        Ask the network for what is not at hand.

    Raises
    ------
    UsageError
        If a folder is named that does not exist.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        cache: str | Path | None = None,
        *,
        fetch: bool = True,
    ) -> None:
        named = folder if folder is not None else os.environ.get("FAIRAUDIT_DATA") or None
        self.folder = Path(named) if named is not None else None
        if self.folder is not None and not self.folder.is_dir():
            raise UsageError(f"data folder {self.folder} does not exist")
        self._cache = Path(cache) if cache is not None else None
        self._may_fetch = fetch

    def read(self, pinned: PinnedFile) -> tuple[bytes, Source]:
        """Content of a pinned file and the source entry that names what was read.

        Raises
        ------
        DataUnavailableError
            If no copy can be had.
        DataError
            If a copy in the data folder has other content than the pinned one.
        """
        for path in self._local_copies(pinned):
            content = read_bytes(path)
            blob_id = git_blob_id(content)
            if blob_id != pinned.blob_id and blob_id not in pinned.equivalents:
                raise DataError(
                    f"{path} has content id {blob_id}, not {pinned.blob_id} as pinned "
                    f"({pinned.repository} at {pinned.commit[:10]}); replace or remove the file"
                )
            return content, _source(pinned, blob_id)
        content = self._cached(pinned) or self._fetch(pinned)
        return content, _source(pinned, pinned.blob_id)

    def _local_copies(self, pinned: PinnedFile) -> list[Path]:
        if self.folder is None:
            return []
        plain = [(name, name.removesuffix(".gz")) for name in pinned.local]
        names = dict.fromkeys(n for name, bare in plain for n in (name, bare, f"{bare}.gz"))
        candidates = [self.folder / name for name in names]
        return [path for path in candidates if path.is_file()]

    def _cache_path(self, pinned: PinnedFile) -> Path:
        root = self._cache if self._cache is not None else cache_folder() / "data"
        return root / pinned.blob_id

    def _cached(self, pinned: PinnedFile) -> bytes | None:
        path = self._cache_path(pinned)
        if not path.is_file():
            return None
        content = read_bytes(path)
        if git_blob_id(content) == pinned.blob_id:
            return content
        logger.warning("%s is damaged; it is fetched again", path)
        return None

    def _fetch(self, pinned: PinnedFile) -> bytes:
        place = f"{pinned.path} of {pinned.repository}"
        if not self._may_fetch:
            raise DataUnavailableError(f"{place}: not in --data or the cache")
        if is_offline():
            raise DataUnavailableError(f"{place}: not in --data or the cache, and offline")
        try:
            with urllib.request.urlopen(_address(pinned), timeout=_TIMEOUT_SECONDS) as response:
                content = bytes(response.read(_MAX_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise DataUnavailableError(f"{place}: could not be fetched ({error})") from error
        if git_blob_id(content) != pinned.blob_id:
            raise DataError(f"{place}: the fetched content is not the pinned {pinned.blob_id}")
        self._store(pinned, content)
        return content

    def _store(self, pinned: PinnedFile, content: bytes) -> None:
        path = self._cache_path(pinned)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
            with replaced_when_whole(partial, path) as stream:
                stream.write(content)
        except OSError as error:
            logger.warning("%s could not be cached (%s)", pinned.path, error)


def _source(pinned: PinnedFile, blob_id: str) -> Source:
    """Name what was read as its authors do: where a copy lies does not matter."""
    same_as = None if blob_id == pinned.blob_id else pinned.blob_id
    return Source(path=pinned.path, blob_id=blob_id, same_as=same_as)


def read_bytes(path: Path) -> bytes:
    """Content of a file, decompressed if it is compressed by gzip, whatever its name.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bytes
        What it holds, decompressed.

    Raises
    ------
    DataError
        If there is no such file, or it cannot be read or decompressed.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(_GZIP) else content
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def _address(pinned: PinnedFile) -> str:
    template = os.environ.get("FAIRAUDIT_RAW_URL") or RAW_URL
    try:
        url = template.format(repository=pinned.repository, commit=pinned.commit, path=pinned.path)
    except (KeyError, IndexError, ValueError):
        url = ""
    if "://" not in url:
        raise UsageError(
            f"FAIRAUDIT_RAW_URL is '{template}'; write an address with {{repository}}, {{commit}} "
            "and {path}"
        )
    return url
