"""The reference group of an axis: the one that stereotypes do not weigh on.

It is fixed before any data, so that differences from it can be compared between models.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: By every name that our suites and their sources use.
REFERENCES: Final = {
    "gender": ("male", "man", "men"),
    "race": ("white", "european americans", "european american"),
    "religion": ("christian", "christians", "christianity"),
    "sexual_orientation": ("straight", "heterosexual"),
    "queer_identity": ("nonqueer",),
}


def reference_of(axis: str, groups: Iterable[str]) -> str | None:
    """Return the reference group among the groups of an axis; None where there is none."""
    names = REFERENCES.get(axis, ())
    return next((group for group in groups if group.lower() in names), None)
