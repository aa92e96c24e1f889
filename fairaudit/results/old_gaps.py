"""Gaps of comparisons written before gaps had fields: read from their one key.

Such a key is ``candidate: suite``, ``candidate: protocol`` or
``candidate: protocol | axis | group | metric`` (``-``: no group), as far as the gap reaches.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

_Place = tuple[Any, Any]


def with_gap_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a comparison whose every gap has fields."""
    gaps = content.get("not_compared")
    if not isinstance(gaps, Sequence) or not any(_is_old(gap) for gap in gaps):
        return content
    labels = [one for one in content.get("candidates") or () if isinstance(one, str)]
    compared = {
        (entry.get("protocol"), entry.get("axis"))
        for entry in content.get("comparisons") or ()
        if isinstance(entry, dict)
    }
    read = [_with_fields(gap, labels, compared) if _is_old(gap) else gap for gap in gaps]
    return {**content, "not_compared": read}


def _is_old(gap: Any) -> bool:
    return isinstance(gap, dict) and "candidate" not in gap and isinstance(gap.get("key"), str)


def _with_fields(
    gap: dict[str, Any], labels: Sequence[str], compared: Collection[_Place]
) -> dict[str, Any]:
    key = gap["key"]
    # Of labels that begin alike the longest is meant.
    label = max((one for one in labels if key.startswith(f"{one}: ")), key=len, default="")
    first, *rest = key.removeprefix(f"{label}: ").split(" | ")
    suite, _, variant = first.partition("/")
    fields = {"candidate": label, "suite": suite, "protocol": first if variant or rest else None}
    return {**gap, **fields, **_place(first, rest, compared)}


def _place(protocol: str, rest: Sequence[str], compared: Collection[_Place]) -> dict[str, Any]:
    """Tell axis, group and metric; groups are named only on axes that were compared."""
    for length in range(1, len(rest) + 1):
        axis = " | ".join(rest[:length])
        if (protocol, axis) in compared:
            group, metric = [*rest[length:], None, None][:2]
            return {"axis": axis, "group": None if group == "-" else group, "metric": metric}
    return {"axis": " | ".join(rest) or None}
