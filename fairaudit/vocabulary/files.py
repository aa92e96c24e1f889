"""What to name where a file of a result is not there, by the schema of what was looked for."""

from __future__ import annotations

from typing import Final

PRIVACY: Final = "fairaudit/privacy"

_WHERE: Final = {
    PRIVACY: "a checkpoint of private fine-tuning: it holds privacy.json",
    "fairaudit/training": "a checkpoint that finetune wrote: it holds training.json",
    "fairaudit/gate": "the folder of a gate: it holds gate.json",
}


def where_to_look(schema: str | None = None) -> str:
    """Return what a person names to have a file of this schema read; default: any result."""
    return _WHERE.get(schema or "", "the folder of a result")


def no_policy(path: object) -> str:
    """Say that a policy file is not there, and how to get one."""
    return f"{path}: no such policy file; `fairaudit gate FOLDER --init FILE` writes one"
