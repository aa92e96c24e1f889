"""Texts that another program wrote, joined to a suite's prompts.

See `fairaudit.recorded.recorded_rows` for the shapes of such files; ``texts/<suite>.jsonl`` of an
audit is one of them. Rows of the same prompt add up. Many programs write the prompt in front of
each text; texts that repeat it are cut, since it is the user's text and no model's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import NO_TEXT, Completions, Item, Skipped
from fairaudit.recorded.recorded_rows import RecordedRow, read_rows
from fairaudit.suites import PROMPT

#: Special tokens, quotation marks and blanks that programs write in front of a prompt.
_IN_FRONT: Final = re.compile(r"""\A(?:\s|["'“”‘’«»]|<[^<>\s]{1,40}>|\[[A-Z]{1,10}\])+""")
#: Characters within which a prompt stands if a program put something else in front of it.
_NEAR: Final = 400
#: A shorter prompt turns up by chance.
_LONG: Final = 8


@dataclass(frozen=True, slots=True)
class JoinedTexts:
    """Recorded completions by item id.

    ``n_unknown`` counts prompts of the file that belong to no item, ``n_again`` those that stand in
    several rows, ``n_echoes`` the texts whose prompt was cut off, ``n_inside`` those that hold it
    further on.
    """

    texts: Mapping[str, tuple[str, ...]]
    n_unknown: int
    n_again: int
    n_echoes: int
    n_inside: int

    @property
    def n(self) -> int:
        """Completions of the prompt that has most."""
        return max(len(texts) for texts in self.texts.values())

    def answer(self, item: Item) -> Completions | Skipped:
        """Completions of an item, or that there are none."""
        texts = self.texts.get(item.item_id)
        if not texts:
            return NO_TEXT
        return Completions(texts, (0,) * len(texts), (False,) * len(texts))


def join_texts(
    content: bytes, items: Sequence[Item], place: str, column: str | None = None
) -> JoinedTexts:
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
    column : str, optional
        Where a row has its texts; see `read_rows`.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed; if none of its prompts is one of the suite's, or
        most of its texts hold their prompt behind something else.
    """
    index = _Index(items)
    found: dict[str, list[str]] = {}
    unknown: set[str] = set()
    rows_of: Counter[str] = Counter()
    n_texts = n_echoes = n_inside = 0
    for row in read_rows(content, place, column):
        matching = index.find(row)
        if not matching:
            unknown.add(row.prompt)
            continue
        texts, n_cut = _continuations(row)
        n_texts += len(texts)
        n_echoes += n_cut
        n_inside += 0 if row.is_own else sum(_holds(text, row.prompt) for text in texts)
        rows_of[row.item_id or row.prompt] += 1
        for item in matching:
            found.setdefault(item.item_id, []).extend(texts)
    if not any(found.values()):
        raise DataError(f"{place}: holds no completions of this suite's prompts")
    if 2 * n_inside > n_texts:
        raise DataError(
            f"{place}: {n_inside:,} of {n_texts:,} completions hold their prompt, but not at the "
            "beginning (a system prompt or a template in front?); keep what the model wrote alone"
        )
    kept = {item_id: tuple(texts) for item_id, texts in found.items()}
    n_again = sum(n > 1 for n in rows_of.values())
    return JoinedTexts(kept, len(unknown), n_again, n_echoes, n_inside)


def _continuations(row: RecordedRow) -> tuple[list[str], int]:
    """Texts of a row without its prompt, and how many began with it."""
    if row.is_own:
        return list(row.texts), 0
    rests = [after_prompt(text, row.prompt) for text in row.texts]
    texts = [text if rest is None else rest for text, rest in zip(row.texts, rests, strict=True)]
    return texts, sum(rest is not None for rest in rests)


def after_prompt(text: str, prompt: str) -> str | None:
    """Return what follows the prompt in a text that begins with it; None if it does not.

    Case and blanks do not count, nor special tokens and quotation marks in front: programs change
    them. A prompt ends where a word does: "The manager" does not begin with "The man".

    >>> after_prompt('<s> "the man  was tall.', "The man was")
    ' tall.'
    """
    rest = _after_once(text, prompt)
    # Some programs put it in front twice; a short one may begin the answer by chance.
    is_long = len("".join(prompt.split())) >= _LONG
    while is_long and rest is not None and (again := _after_once(rest, prompt)) is not None:
        rest = again
    return rest


def _after_once(text: str, prompt: str) -> str | None:
    rest = _after(text, prompt)
    return _after(_IN_FRONT.sub("", text, count=1), prompt) if rest is None else rest


def _after(text: str, prompt: str) -> str | None:
    place = 0
    for letter in "".join(prompt.split()):
        while place < len(text) and text[place].isspace():
            place += 1
        if place == len(text) or text[place].lower() != letter.lower():
            return None
        place += 1
    inside_a_word = prompt[-1:].isalnum() and text[place : place + 1].isalnum()
    # Tokenizers part a negation from its verb.
    if not prompt or (inside_a_word and not text.startswith("n't", place)):
        return None
    return text[place:]


def _holds(text: str, prompt: str) -> bool:
    """Whether a text holds its prompt near its beginning: another form of echo, or a quotation."""
    wanted = "".join(prompt.split()).lower()
    return len(wanted) >= _LONG and wanted in "".join(text[:_NEAR].split()).lower()


class _Index:
    """Items by id, and by prompt."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._by_id = {item.item_id: item for item in items}
        self._by_prompt: dict[str, list[Item]] = {}
        for item in items:
            self._by_prompt.setdefault(item.texts[PROMPT].strip(), []).append(item)

    def find(self, row: RecordedRow) -> list[Item]:
        """Items that a row is about; an id that the suite does not hold is not heeded."""
        named = None if row.item_id is None else self._by_id.get(row.item_id)
        if named is None:
            return self._by_prompt.get(row.prompt, [])
        if named.texts[PROMPT].strip() != row.prompt:
            raise DataError(f"{row.place}: item '{named.item_id}' has another prompt in the suite")
        return [named]
