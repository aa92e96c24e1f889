"""Audits that were made before, kept by the content of everything that they depend on.

The same checkpoint, byte by byte, asked the same items with the same options by the same versions
gets the same answers; so a repeated audit reads them and loads no model. The key is a SHA-256 over
all of it, this library's own code included. Whatever a key cannot see (a model in memory, code that
comes with a checkpoint, the Hub, an adapter's base) is not kept. What is read back is checked as
every audit folder is, and ``run`` says when its numbers were made.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import logging
import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any, Final

from fairaudit.auditing.audit_request import AuditRequest
from fairaudit.auditing.suite_plan import SuitePlan
from fairaudit.errors import FairauditError
from fairaudit.results import AuditResult
from fairaudit.results.files import sha256_of
from fairaudit.results.places import remove_folder
from fairaudit.suites import DataFinder, DataUnavailableError
from fairaudit.suites.data import cache_folder
from fairaudit.versions import versions_of

logger = logging.getLogger(__name__)

#: Audits that are kept; the one that was not asked for longest goes first.
MOST_KEPT: Final = 64
#: Nothing else in that folder is ours to remove.
_IS_KEY: Final = re.compile("[0-9a-f]{64}")
_ADAPTER: Final = "adapter_config.json"
#: Options that the key names by their content, or that change no number.
_ELSEWHERE: Final = {
    *("model", "base", "suites", "axes", "data", "trust_remote_code"),
    *("output", "overwrite", "progress"),
}
#: Packages whose version may change a number.
_PACKAGES: Final = (
    *("numpy", "pandas", "pyarrow", "pydantic", "safetensors", "scipy", "tokenizers"),
    *("torch", "transformers", "vaderSentiment"),
)


class KeptAudit:
    """The place of one audit in the cache.

    Parameters
    ----------
    asked : AuditRequest
        What the audit is asked for.
    key : str
        SHA-256 of everything that it depends on.
    """

    def __init__(self, asked: AuditRequest, key: str) -> None:
        self._asked, self._key = asked, key
        self._folder = cache_folder() / "kept-audits" / key

    def read(self) -> AuditResult | None:
        """Return the audit, whole and in memory; None if it was not made before, or is damaged."""
        if not self._folder.is_dir():
            return None
        try:
            result = AuditResult.load(self._folder).in_memory()
            os.utime(self._folder)
        except (FairauditError, OSError) as error:
            logger.warning("a kept audit cannot be read and is made anew (%s)", error)
            self._remove(self._folder)
            return None
        return result

    def write(self, result: AuditResult) -> None:
        """Keep an audit, unless its checkpoint changed meanwhile; a full disk is not an error."""
        if _key_of(self._asked) != self._key:
            return
        try:
            result.save(self._folder, overwrite=True)
            self._prune()
        except (FairauditError, OSError) as error:
            logger.warning("the audit could not be kept for the next time (%s)", error)

    def _prune(self) -> None:
        folders = [one for one in self._folder.parent.iterdir() if _IS_KEY.fullmatch(one.name)]
        by_age = sorted(folders, key=lambda folder: folder.stat().st_mtime)
        for folder in by_age[:-MOST_KEPT]:
            self._remove(folder)

    def _remove(self, folder: Path) -> None:
        with contextlib.suppress(FairauditError, OSError):
            remove_folder(self._folder.parent, folder.name)


def kept_audit(asked: AuditRequest) -> KeptAudit | None:
    """Return where an audit is kept; None where its content does not tell all there is to know."""
    # A server may change its model under the same name.
    key = None if asked.options.endpoint is not None else _key_of(asked)
    return None if key is None else KeptAudit(asked, key)


def _key_of(asked: AuditRequest) -> str | None:
    options = asked.options
    folders = {
        "model": options.model,
        "base": options.base,
        "toxicity": options.toxicity_classifier,
        "regard": options.regard_classifier,
    }
    named = {role: source for role, source in folders.items() if source is not None}
    whole = {
        role: Path(source)
        for role, source in named.items()
        if not isinstance(source, tuple) and _is_whole(Path(source))
    }
    if options.trust_remote_code or whole.keys() != named.keys():
        return None
    try:
        content = {
            "code": _code(),
            "machine": [platform.machine(), platform.python_version(), *_accelerators()],
            "versions": versions_of(*_PACKAGES),
            "folders": {role: _files_of(folder) for role, folder in whole.items()},
            "vectors": _file(options.word_vectors),
            "options": _options(asked),
            "suites": [_items_of(entry, asked.finder) for entry in asked.entries],
        }
    except OSError:
        # Whoever reads it next says what is wrong with it.
        return None
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _is_whole(folder: Path) -> bool:
    """Whether a source is a folder that holds all of a model."""
    return (folder / "config.json").is_file() and not (folder / _ADAPTER).exists()


def _options(asked: AuditRequest) -> dict[str, Any]:
    options = {
        one.name: getattr(asked.options, one.name)
        for one in fields(asked.options)
        if one.name not in _ELSEWHERE
    }
    # A chat template may write the date into every prompt.
    today = datetime.date.today().isoformat() if asked.options.apply_chat_template else None
    return {**options, "axes": asked.axes, "size": asdict(asked.size), "today": today}


def _items_of(entry: SuitePlan, finder: DataFinder) -> Any:
    """Name what a suite asks by the content of its files; the code that reads them counts too."""
    design = entry.suite.generation
    data = entry.data
    return {
        "suite": entry.suite.name,
        "language": entry.suite.language,
        "reason": entry.reason,
        "sources": [] if data is None else [one.model_dump() for one in data.sources],
        "notes": [] if data is None else list(data.notes),
        "items": [] if data is None else [item.item_id for item in data.items],
        "lexicons": {} if design is None else dict(_lexicons(design.lexicons, finder)),
    }


def _lexicons(pinned: Mapping[str, Any], finder: DataFinder) -> Iterator[tuple[str, str]]:
    for name, file in pinned.items():
        with contextlib.suppress(DataUnavailableError):
            yield name, finder.read(file)[1].blob_id


def _files_of(folder: Path) -> dict[str, Any]:
    """Name and SHA-256 of every file that may be read with a checkpoint."""
    hashes = {path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()}
    return {"named": str(folder), "name": folder.resolve().name, "files": hashes}


def _file(path: str | os.PathLike[str] | None) -> str | None:
    return None if path is None else sha256_of(Path(path))


def _accelerators() -> list[str]:
    """Name what ``auto`` could mean, without asking torch, which takes seconds to load."""
    visible = [
        f"{name}={os.environ[name]}" for name in sorted(os.environ) if "_VISIBLE_DEV" in name
    ]
    devices = Path("/dev")
    return visible + sorted(path.name for path in (*devices.glob("nvidia*"), *devices.glob("kfd")))


@cache
def _code() -> str:
    """SHA-256 over this library's own files."""
    root, content = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            content.update(f"{path.relative_to(root)} {sha256_of(path)}\n".encode())
    return content.hexdigest()
