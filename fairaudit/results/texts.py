r"""What a model wrote: ``texts/<suite>.jsonl``, one line a prompt.

Text is hostile: it may hold markup, control characters, marks that turn the direction of writing,
or halves of surrogate pairs, which UTF-8 cannot spell. Lines are pure ASCII with JSON's escapes, so
every text comes back as it was, and none can do anything to a terminal or an editor.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fairaudit.errors import ResultError
from fairaudit.parsing import parse_json
from fairaudit.results.files import write_text


@dataclass(frozen=True, slots=True)
class PromptTexts:
    """One prompt and what a model wrote after it.

    Parameters
    ----------
    item_id, axis, group, prompt : str
        What was asked, and about whom.
    completions : tuple of str
        The continuations alone; empty if the prompt was skipped.
    n_tokens : tuple of int
        Their lengths in tokens; 0 where not known.
    ended : tuple of bool
        Whether the model ended them, rather than the limit of tokens.
    reason : str or None
        Why the prompt was skipped.
    """

    item_id: str
    axis: str
    group: str | None
    prompt: str
    completions: tuple[str, ...] = ()
    n_tokens: tuple[int, ...] = ()
    ended: tuple[bool, ...] = ()
    reason: str | None = None


def write_texts(path: Path, texts: Iterable[PromptTexts]) -> None:
    """Write one line of JSON for each prompt."""
    lines = (json.dumps(asdict(one), sort_keys=True, ensure_ascii=True) for one in texts)
    write_text(path, "".join(f"{line}\n" for line in lines))


def read_texts(path: Path) -> tuple[PromptTexts, ...]:
    """Read what `write_texts` wrote.

    Raises
    ------
    ResultError
        If the file is missing or damaged.
    """
    return tuple(_prompt_texts(content, path, number) for number, content in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        content = path.read_text(encoding="utf-8")
        for number, line in enumerate(content.split("\n"), 1):
            if line:
                yield number, parse_json(line)
    except FileNotFoundError:
        raise ResultError(f"{path}: no such file of texts") from None
    except (OSError, ValueError) as error:
        raise ResultError(f"{path}: not readable as lines of JSON ({error})") from error


def _prompt_texts(content: Any, path: Path, number: int) -> PromptTexts:
    try:
        lists = {name: tuple(content[name]) for name in ("completions", "n_tokens", "ended")}
        return PromptTexts(**{**content, **lists})
    except (AttributeError, KeyError, TypeError) as error:
        raise ResultError(f"{path}: line {number}: not a prompt with its texts") from error
