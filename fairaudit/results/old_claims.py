"""Privacy claims that audits refuted before that had a field: read from their notes."""

from __future__ import annotations

from typing import Any

_SAID = "the privacy statement does not follow"
FIELD = "privacy_refuted"


def with_refutation(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of an audit that says in a field whether its claim was refuted."""
    if FIELD in content:
        return content
    found = next(iter(_told(content, "")), None)
    return content if found is None else {**content, FIELD: found}


def with_refutations(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a comparison that says so of each candidate."""
    provenance = content.get("provenance")
    if not isinstance(provenance, dict) or FIELD in provenance:
        return content
    labels = [one for one in content.get("candidates") or () if isinstance(one, str)]
    found = {label: note for label in labels for note in _told(content, f"{label}: ")}
    return {**content, "provenance": {**provenance, FIELD: found}} if found else content


def _told(content: dict[str, Any], before: str) -> list[str]:
    notes = [one for one in content.get("notes") or () if isinstance(one, str)]
    return [one.removeprefix(before) for one in notes if one.startswith(before + _SAID)]
