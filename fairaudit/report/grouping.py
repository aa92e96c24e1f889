"""Groups in their order of appearance, and ids that no two places of a page share."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


def grouped(values: Iterable[ValueT], key: Callable[[ValueT], KeyT]) -> dict[KeyT, list[ValueT]]:
    """Group values by a key, both in their order of appearance."""
    groups: dict[KeyT, list[ValueT]] = {}
    for value in values:
        groups.setdefault(key(value), []).append(value)
    return groups


def anchor(words: str, taken: set[str]) -> str:
    """Make an id of letters, digits and hyphens that is not taken yet, and take it."""
    stem = re.sub(r"[^a-z0-9]+", "-", words.lower())[:80].strip("-") or "x"
    found, number = stem, 1
    while found in taken:
        number += 1
        found = f"{stem}-{number}"
    taken.add(found)
    return found
