"""Hostile text wherever a result holds text of others: names, reasons, items, policies."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel

ResultT = TypeVar("ResultT", bound=BaseModel)

TITLE = "it ran"
SCRIPT = (
    f"<script>document.title='{TITLE}'</script><img src='http://evil.example/x' "
    f"onerror=\"document.title='{TITLE}'\"><svg onload=\"document.title='{TITLE}'\"> \"'>"
)
#: Fields whose text comes from models, data, users or machines, and selects nothing in a report.
_FREE = frozenset(
    (
        "architecture",
        "blob_id",
        "bos",
        "caveats",
        "cautions",
        "correction",
        "device",
        "dtype",
        "endpoint",
        "evidence",
        "family",
        "finished",
        "fingerprint",
        "group",
        "host",
        "id",
        "method",
        "notes",
        "path",
        "policy",
        "reason",
        "record",
        "resampling_unit",
        "revision",
        "settings",
        "text",
        "texts",
        "texts_hash",
        "versions",
    )
)


def planted(result: ResultT) -> ResultT:
    """Return a result in which every free text carries a script."""
    content = _plant(result.model_dump(mode="json", by_alias=True), free=False)
    return type(result).model_validate(content)


def _plant(content: Any, *, free: bool) -> Any:
    if isinstance(content, dict):
        return {key: _plant(value, free=free or key in _FREE) for key, value in content.items()}
    if isinstance(content, list):
        return [_plant(value, free=free) for value in content]
    return f"{content} {SCRIPT}" if free and isinstance(content, str) else content
