"""The word lists of the context rules, read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from fairaudit.parsing import parse_toml


def read_lexicon(name: str) -> str:
    """Text of a file in ``lexicons/``."""
    return (files(__package__) / "lexicons" / name).read_text(encoding="utf-8")


@cache
def _all_lists() -> dict[str, frozenset[str]]:
    content = parse_toml(read_lexicon("words.toml"))
    return {name: frozenset(words.split()) for name, words in content.items()}


def word_list(name: str) -> frozenset[str]:
    """Return the words of one list of ``words.toml``."""
    return _all_lists()[name]
