"""Texts that another program wrote: JSONL of prompts and completions, joined to a suite's prompts.

Each line is an object with ``prompt`` and ``completions`` (a list of texts: the continuations
alone); ``item_id`` may name the item where a prompt stands in a suite more than once. Lines of the
same prompt add up. Other keys are ignored, so ``texts/<suite>.jsonl`` of an audit is such a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairaudit.errors import DataError
from fairaudit.items import Completions, Item, Skipped
from fairaudit.suites import PROMPT

MISSING = Skipped("no recorded completion")


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Recorded completions by item id, and how many prompts of the file belong to no item."""

    texts: Mapping[str, tuple[str, ...]]
    n_unknown: int

    @property
    def n(self) -> int:
        """Completions of the prompt that has most."""
        return max(len(texts) for texts in self.texts.values())

    def answer(self, item: Item) -> Completions | Skipped:
        """Completions of an item, or that there are none."""
        texts = self.texts.get(item.item_id)
        if not texts:
            return MISSING
        return Completions(texts, (0,) * len(texts), (False,) * len(texts))


def join_texts(content: bytes, items: Sequence[Item], place: str) -> JoinedTexts:
    """Join recorded completions to items, by item id where it is named, else by prompt.

    Blanks around prompts do not count.

    Parameters
    ----------
    content : bytes
        The file, decompressed.
    items : sequence of Item
        All items of the suite.
    place : str
        Name of the file, for messages.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed; or if none of its prompts is one of the suite's.
    """
    index = _Index(items)
    found: dict[str, list[str]] = {}
    unknown: set[str] = set()
    for number, row in _rows(content, place):
        where = f"{place}: row {number}"
        prompt, texts = _prompt(row, where), _texts(row, where)
        matching = index.find(row.get("item_id"), prompt, where)
        if not matching:
            unknown.add(prompt)
        for item in matching:
            found.setdefault(item.item_id, []).extend(texts)
    if not any(found.values()):
        raise DataError(f"{place}: holds no completions of this suite's prompts")
    return JoinedTexts({item_id: tuple(texts) for item_id, texts in found.items()}, len(unknown))


class _Index:
    """Items by id, and by prompt."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_id = {item.item_id: item for item in items}
        self._by_prompt: dict[str, list[Item]] = {}
        for item in items:
            self._by_prompt.setdefault(item.texts[PROMPT].strip(), []).append(item)

    def find(self, item_id: object, prompt: str, where: str) -> list[Item]:
        """Items that a row is about; an id that the suite does not hold is not heeded."""
        named = self._by_id.get(str(item_id)) if item_id is not None else None
        if named is None:
            return self._by_prompt.get(prompt, [])
        if named.texts[PROMPT].strip() != prompt:
            raise DataError(f"{where}: item '{named.item_id}' has another prompt in the suite")
        return [named]


def _rows(content: bytes, place: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    # Only a line feed ends a row: a text may hold characters that `str.splitlines` splits at.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{place}: row {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{place}: row {number}: not an object with prompt and completions")
        yield number, row


def _prompt(row: Mapping[str, Any], place: str) -> str:
    prompt = row.get("prompt")
    if not isinstance(prompt, str):
        raise DataError(f"{place}: 'prompt' must be a text")
    return prompt.strip()


def _texts(row: Mapping[str, Any], place: str) -> list[str]:
    texts = row.get("completions")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DataError(f"{place}: 'completions' must be a list of texts")
    return texts
