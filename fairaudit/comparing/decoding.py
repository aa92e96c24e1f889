"""Texts that were written in another way are not about the same quantity."""

from __future__ import annotations

from typing import Any

from fairaudit.results import AuditResult


def other_decoding(suite: str, baseline: AuditResult, candidate: AuditResult) -> str | None:
    """Why two models' texts for a suite cannot be compared, or None if they can.

    The seed and the number of texts may differ (`fairaudit.comparing.uneven`), and so may two chat
    templates, since each belongs to its tokenizer; not whether there is one. Where one side's texts
    were recorded elsewhere, nothing is known of them.
    """
    ours, theirs = (audit.provenance.settings.decoding or {} for audit in (baseline, candidate))
    if suite not in ours or suite not in theirs:
        return None
    sides = _ways(suite, ours), _ways(suite, theirs)
    for name, value in sides[0].items():
        other = sides[1].get(name)
        if value != other:
            return (
                f"texts were written in another way: {name} is {value!r} for the baseline, "
                f"{other!r} for the candidate"
            )
    return None


def _ways(suite: str, decoding: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: value for name, value in decoding[suite].items() if name != "n"},
        "chat": decoding.get("chat_template") is not None,
        "system_prompt": decoding.get("system_prompt"),
    }
