"""Rows of training text: plain text, a prompt with its completion, or a conversation.

Of plain text every token is learned. Of a prompt and its completion the completion is; of a
conversation, rendered by the tokenizer's own chat template, what the assistant says is, up to and
with the token that ends its turn. The rest is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from fairaudit.errors import DataError, UsageError
from fairaudit.scoring.chat import rendered

#: Stands between the parts of a row while they are swapped together, so that names and pronouns
#: agree; a row that holds it has no twins.
_BETWEEN: Final = "\n\n\u241e\n\n"
_ROLES: Final = ("system", "user", "assistant", "tool")
ASSISTANT: Final = "assistant"


class Prompted(NamedTuple):
    """A prompt, which is read, and its completion, which is learned."""

    prompt: str
    completion: str


class Conversation(NamedTuple):
    """Turns in their order: who speaks, and what."""

    turns: tuple[tuple[str, str], ...]


Passage = str | Prompted | Conversation


class Segment(NamedTuple):
    """A part of a row as the model reads it, and whether it is learned."""

    text: str
    learned: bool


def passage_of(value: Any, where: str) -> Passage | None:
    """Return the row in a cell: text, a list of turns, or nothing.

    Raises
    ------
    DataError
        If it is neither.
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Sequence) or hasattr(value, "tolist"):
        return _conversation(list(value), where)
    raise DataError(f"{where}: the text is {type(value).__name__}, not a string or a list of turns")


def is_empty(passage: Passage | None) -> bool:
    """Whether there is nothing in it to learn."""
    if passage is None:
        return True
    if isinstance(passage, Prompted):
        return not passage.completion.strip()
    if isinstance(passage, Conversation):
        return not any(role == ASSISTANT and text.strip() for role, text in passage.turns)
    return not passage.strip()


def parts_of(passage: Passage) -> tuple[str, ...]:
    """All that is said in a row, in its order."""
    if isinstance(passage, str):
        return (passage,)
    if isinstance(passage, Prompted):
        return tuple(passage)
    return tuple(text for _, text in passage.turns)


def joined(passage: Passage) -> str:
    """Return the parts as one text, for what must see them together.

    Parameters
    ----------
    passage : Passage
        A text, a prompt with its completion, or a conversation.

    Returns
    -------
    str
        Parts in their order, with a record separator (U+241E) between.
    """
    parts = parts_of(passage)
    return parts[0] if len(parts) == 1 else _BETWEEN.join(parts)


def with_text(passage: Passage, text: str) -> Passage | None:
    """Return the row with the parts of another joined text; None where they are not as many."""
    parts = [text] if len(parts_of(passage)) == 1 else text.split(_BETWEEN)
    if len(parts) != len(parts_of(passage)):
        return None
    if isinstance(passage, str):
        return text
    if isinstance(passage, Prompted):
        return Prompted(*parts)
    roles = (role for role, _ in passage.turns)
    return Conversation(tuple(zip(roles, parts, strict=True)))


def segments_of(passage: Passage, tokenizer: Any) -> list[Segment]:
    """Return what the model reads of a row, and which of it is learned.

    Raises
    ------
    DataError
        If a conversation meets a tokenizer without a chat template, or one that refuses it.
    """
    if isinstance(passage, str):
        return [Segment(passage, True)]
    if isinstance(passage, Prompted):
        return [Segment(passage.prompt, False), Segment(passage.completion, True)]
    turns = [{"role": role, "content": text} for role, text in passage.turns]
    segments, done = [], ""
    for place, turn in enumerate(turns):
        if turn["role"] != ASSISTANT:
            continue
        read = _rendered(tokenizer, turns[:place], ask=True)
        said = _rendered(tokenizer, turns[: place + 1], ask=False)
        if not (read.startswith(done) and said.startswith(read)):
            raise DataError(
                "the chat template writes earlier turns anew with each later one, so it cannot be "
                "told which tokens are an answer"
            )
        # Blanks between two turns are the template's, not the assistant's.
        answer = said[len(read) :].rstrip("\n")
        segments += [Segment(read[len(done) :], False), Segment(answer, True)]
        done = read + answer
    return segments


def _rendered(tokenizer: Any, turns: list[dict[str, str]], *, ask: bool) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise DataError("conversations need a chat template, and this tokenizer has none")
    try:
        return rendered(tokenizer, turns, ask=ask)
    except UsageError as error:
        raise DataError(str(error)) from error


def _conversation(turns: list[Any], where: str) -> Conversation:
    found = []
    for number, turn in enumerate(turns, 1):
        role, text = (turn.get("role"), turn.get("content")) if isinstance(turn, dict) else (0, 0)
        if role not in _ROLES or not isinstance(text, str):
            raise DataError(
                f'{where}: turn {number} is not {{"role": "user", "content": "..."}} with a role '
                f"of {', '.join(_ROLES)}"
            )
        found.append((str(role), text))
    return Conversation(tuple(found))
