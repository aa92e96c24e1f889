"""The fixed words of pages, from one file per kind of result."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from fairaudit.parsing import parse_toml
from fairaudit.report.document import Inline, Span

#: Points of pictures, by their style.
_KEYS: Final = (("towards", "●"), ("away", "●"), ("includes", "○"))


@dataclass(frozen=True, slots=True)
class Prose:
    """Fixed words of one kind of page, by section and key."""

    words: dict[str, dict[str, str]]

    def intro(self, key: str, **values: str) -> tuple[Inline, ...]:
        """Return an introduction, with what is put into it; backticks are code."""
        parts = self.words["intro"][key].split("`")
        return tuple(
            Span(part, "code") if place % 2 else part.format(**values)
            for place, part in enumerate(parts)
        )

    def of(self, section: str) -> tuple[tuple[str, str], ...]:
        """Return keys and texts of a section, in order."""
        return tuple(self.words[section].items())


@cache
def prose(kind: str) -> Prose:
    """Read the words of a kind of page."""
    file = resources.files("fairaudit.report") / "prose" / f"{kind}.toml"
    return Prose(parse_toml(file.read_text(encoding="utf-8")))


def keyed(*meanings: str) -> tuple[Inline, ...]:
    """Return what the points of pictures mean: towards, away, and the ideal not excluded."""
    parts: list[Inline] = []
    for (style, point), meaning in zip(_KEYS, meanings, strict=True):
        parts += [Span(point, f"key {style}"), f"\N{NO-BREAK SPACE}{meaning}"]
    return tuple(parts)
