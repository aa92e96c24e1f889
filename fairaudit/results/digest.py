"""The digest that a result file carries of itself, so that a later change is seen on reading.

SHA-256 over the canonical JSON of everything in the file but ``run``, in which identical runs may
differ, and ``digest`` itself. It shows a change, not who made it: it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

_NOT_COVERED: Final = frozenset({"run", "digest"})


def dump_json(content: Any) -> str:
    """Canonical JSON text: sorted keys, two-space indent, UTF-8, final newline, no NaN."""
    return json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def digest_of(content: Mapping[str, Any]) -> str:
    """SHA-256 of what a result says, in hexadecimal; the same for a repeated run."""
    covered = {key: value for key, value in content.items() if key not in _NOT_COVERED}
    return hashlib.sha256(dump_json(covered).encode()).hexdigest()


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a result file with its digest."""
    return {**content, "digest": digest_of(content)}


def sealed_json(content: Mapping[str, Any]) -> str:
    """Return `dump_json` of `sealed` content, in which each part is written once."""
    parts = {key: dump_json(value).strip("\n") for key, value in content.items()}
    covered = {key: part for key, part in parts.items() if key not in _NOT_COVERED}
    digest = hashlib.sha256(_joined(covered).encode()).hexdigest()
    return _joined({**parts, "digest": dump_json(digest).strip("\n")})


def _joined(parts: Mapping[str, str]) -> str:
    """Write an object from the texts of its values, in which line ends part lines only."""
    if not parts:
        return dump_json({})
    lines = (
        f"  {json.dumps(key, ensure_ascii=False)}: " + parts[key].replace("\n", "\n  ")
        for key in sorted(parts)
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def is_intact(content: Mapping[str, Any]) -> bool:
    """Whether a result file carries the digest of what it says."""
    try:
        return content.get("digest") == digest_of(content)
    except (ValueError, RecursionError):
        # NaN, or a character without an encoding: no result is written with either.
        return False
