"""The word lists of the scorers that count, read once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fairaudit.parsing import parse_toml
from fairaudit.scoring.texts.matching import Terms


@dataclass(frozen=True, slots=True)
class Lists:
    """Terms by axis and group.

    Parameters
    ----------
    id : str
        First digits of the hash of the file: other words give other numbers.
    groups : mapping
        By axis and group: terms that name the group.
    stereotypes : mapping
        By axis and group: terms that stereotypes tie to the group.
    """

    id: str
    groups: Mapping[str, Mapping[str, Terms]]
    stereotypes: Mapping[str, Mapping[str, Terms]]


@cache
def word_lists() -> Lists:
    """Return the lists of ``words.toml``."""
    content = (files(__package__) / "words.toml").read_bytes()
    tables = parse_toml(content.decode("utf-8"))
    digest = hashlib.sha256(content).hexdigest()[:8]
    return Lists(digest, _terms(tables["groups"]), _terms(tables["stereotypes"]))


def _terms(axes: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Terms]]:
    return {
        axis: {group: Terms(words.split(",")) for group, words in groups.items()}
        for axis, groups in axes.items()
    }
