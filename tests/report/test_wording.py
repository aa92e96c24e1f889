"""Phrases that readers stumbled over stay out of what users read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fairaudit

_ROOT = Path(fairaudit.__file__).resolve().parent
_REPOSITORY = _ROOT.parent
#: As they were, and none of them again.
_PHRASES = (
    "found with 80 % power",
    "or not to be told",
    "again changes nothing",
    "of a result again",
    "clipped, turned away or drowned",
    "What is no such mean",
    "How twins enter",
    "a dull model",
    "scored by their beginning",
    "stands twice",
    "are not kept",
    "a convention and no law",
    "compatible with an increase",
    "no interval leaves out its ideal",
    "Nothing amplified, yet",
    "cannot tell whether it is worse",
    "a dataset of the Hub holds",
    "Number format",
    "(NOT_RUN)",
    "goes on where it stopped",
    "was run before runs no model",
    "holds the same as",
    "passes the tests",
    "Write report.html",
    "says whose a row is",
    "nobody's privacy",
    "how far did it move?",
    "these items cannot tell",
    "these texts cannot tell",
    "these seeds cannot tell.",
    "looks fair",
    "apart from the ideal",
    "evidence towards",
    "stands in row",
    "50 % not excluded",
    "of one look",
    "so that the claim says",
    "is not no difference",
    "bias against ε",
    "bias against capability",
    "bias against held-out",
    "BOS rule bos:",
    "smaller device dtype",
    "whoever has",
)


def _spoken(path: Path) -> Iterator[str]:
    """Yield the strings of a module; of other files the text."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield text
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _files() -> Iterator[Path]:
    yield from (_REPOSITORY / "docs").rglob("*.md")
    yield _REPOSITORY / "README.md"
    for pattern in ("*.py", "*.toml", "*.j2"):
        for path in _ROOT.rglob(pattern):
            place = path.relative_to(_ROOT).as_posix()
            if not place.startswith("suites/templates/"):
                yield path


@pytest.fixture(scope="module")
def read() -> dict[str, str]:
    """Return what each file says, in small letters."""
    return {
        path.relative_to(_REPOSITORY).as_posix(): " ".join(" ".join(_spoken(path)).split()).lower()
        for path in _files()
    }


@pytest.mark.parametrize("phrase", _PHRASES)
def test_a_phrase_stays_out_of_what_users_read(phrase: str, read: dict[str, str]):
    assert [place for place, text in read.items() if phrase.lower() in text] == []
