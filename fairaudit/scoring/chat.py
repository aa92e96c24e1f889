"""Prompts as a user's turn in a chat, for models that were tuned on conversations."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from fairaudit.errors import UsageError
from fairaudit.lines import first_line


@dataclass(frozen=True, slots=True)
class Chat:
    """The tokenizer's own chat template around each prompt.

    Parameters
    ----------
    system_prompt : str or None
        The system's turn before the user's; None leaves it to the template.
    """

    system_prompt: str | None = None

    def format(self, tokenizer: Any, prompt: str) -> str:
        """Return the conversation up to where the model answers.

        Raises
        ------
        UsageError
            If the tokenizer has no template, or its template refuses the conversation.
        """
        turns = [{"role": "user", "content": prompt}]
        if self.system_prompt is not None:
            turns.insert(0, {"role": "system", "content": self.system_prompt})
        if template_of(tokenizer) is None:
            raise UsageError("the tokenizer has no chat template; leave out --apply-chat-template")
        try:
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        # A template is a program: what it raises is its own choice.
        except Exception as error:
            line = first_line(error)
            raise UsageError(
                f"the chat template refuses the conversation ({line[:200]})"
            ) from error
        return str(text)


def chat_settings(tokenizer: Any, chat: Chat) -> dict[str, str | None]:
    """Say for the record which template and which system turn stand around the prompts."""
    return {"chat_template": template_of(tokenizer), "system_prompt": chat.system_prompt}


def template_of(tokenizer: Any) -> str | None:
    """SHA-256 of the tokenizer's chat template, or None if it has none."""
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        return None
    return hashlib.sha256(str(template).encode()).hexdigest()
