"""Prompts as a user's turn in a chat, for models that were tuned on conversations."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from fairaudit.errors import UsageError
from fairaudit.lines import first_line
from fairaudit.scoring.chat_worker import SECONDS


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
        if _is_plain(tokenizer):
            return _worker().render(tokenizer, turns)
        try:
            text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        # A template is a program: what it raises is its own choice.
        except Exception as error:
            raise _refused(first_line(error)) from error
        return str(text)


class _Worker:
    """The process that renders templates; see `fairaudit.scoring.chat_worker`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fairaudit.scoring.chat_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            encoding="utf-8",
        )
        atexit.register(self.end)

    def render(self, tokenizer: Any, turns: list[dict[str, str]]) -> str:
        """Return the conversation as the tokenizer's template writes it."""
        asked = {
            **{name: str(token) for name, token in tokenizer.special_tokens_map.items()},
            "conversations": [turns],
            "chat_template": tokenizer.get_chat_template(),
            "add_generation_prompt": True,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        except BaseException:
            # Interrupted between question and answer: the next one would get this answer.
            self.end()
            raise
        if not line.endswith("\n"):
            self.end()
            raise _refused(f"it takes more than {SECONDS} seconds, or too much memory")
        answer = json.loads(line)
        if "error" in answer:
            raise _refused(first_line(ValueError(answer["error"])))
        return str(answer["text"])

    def end(self) -> None:
        """End the process; the next conversation starts another one."""
        _worker.cache_clear()
        atexit.unregister(self.end)
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]
        self._process.wait()


@cache
def _worker() -> _Worker:
    return _Worker()


def _is_plain(tokenizer: Any) -> bool:
    """Whether its template is rendered as `transformers` does, and not by a class of its own."""
    from transformers import PreTrainedTokenizerBase

    own = getattr(type(tokenizer), "apply_chat_template", None)
    return own is PreTrainedTokenizerBase.apply_chat_template


def _refused(why: str) -> UsageError:
    return UsageError(f"the chat template refuses the conversation ({why[:200]})")


def chat_settings(tokenizer: Any, chat: Chat) -> dict[str, str | None]:
    """Say for the record which template and which system turn stand around the prompts.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        With a chat template.
    chat : Chat
        How prompts are put.

    Returns
    -------
    dict
        ``chat_template`` and ``system_prompt``, as the record of an audit holds them.
    """
    return {"chat_template": template_of(tokenizer), "system_prompt": chat.system_prompt}


def template_of(tokenizer: Any) -> str | None:
    """SHA-256 of the tokenizer's chat template, or None if it has none."""
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        return None
    return hashlib.sha256(str(template).encode()).hexdigest()
