"""Prompts as a user's turn in a chat, for models that were tuned on conversations."""

from __future__ import annotations

import atexit
import base64
import contextlib
import hashlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from fairaudit.errors import UsageError
from fairaudit.lines import first_line
from fairaudit.parsing import parse_json
from fairaudit.scoring.chat_worker import PATIENCE, SECONDS

Turns = Sequence[dict[str, str]]


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
        return rendered(tokenizer, turns, ask=True)


def rendered(tokenizer: Any, turns: Turns, *, ask: bool) -> str:
    """Write a conversation as the tokenizer's chat template does, within limits.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        With a chat template, or with a class of its own that renders conversations.
    turns : sequence of dict
        Each with ``role`` and ``content``.
    ask : bool
        End with the beginning of the model's turn.

    Returns
    -------
    str
        The conversation as the model reads it.

    Raises
    ------
    UsageError
        If the template refuses the conversation, or takes too long or too much memory.
    """
    return _worker().render(tokenizer, turns, ask=ask)


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
        #: The last tokenizer of a class of its own that was sent, and its template.
        self._held: tuple[Any, str | None] = (None, None)
        atexit.register(self.end)

    def render(self, tokenizer: Any, turns: Turns, *, ask: bool) -> str:
        """Return the conversation as the tokenizer's template writes it."""
        line = self._answered(json.dumps(self._question(tokenizer, turns, ask=ask)))
        if not line.endswith("\n"):
            self.end()
            raise _refused(f"it takes more than {SECONDS} seconds, or too much memory")
        answer = parse_json(line)
        if "error" in answer:
            raise _refused(first_line(ValueError(answer["error"])))
        return str(answer["text"])

    def _question(self, tokenizer: Any, turns: Turns, *, ask: bool) -> dict[str, Any]:
        if not _is_plain(tokenizer):
            return {"own": self._sent(tokenizer), "turns": list(turns), "ask": ask}
        return {
            **{name: str(token) for name, token in tokenizer.special_tokens_map.items()},
            "conversations": [list(turns)],
            "chat_template": tokenizer.get_chat_template(),
            "add_generation_prompt": ask,
        }

    def _sent(self, tokenizer: Any) -> str | None:
        """Return a tokenizer for the other process; None where it holds this one already."""
        template = template_of(tokenizer)
        if self._held[0] is tokenizer and self._held[1] == template:
            return None
        try:
            content = pickle.dumps(tokenizer)
        # Pickling calls what the class defines.
        except Exception as error:
            raise _refused(
                f"{type(tokenizer).__name__} renders it with code of its own, which cannot be run "
                f"apart: {first_line(error)}"
            ) from error
        self._held = tokenizer, template
        return base64.b64encode(content).decode()

    def _answered(self, question: str) -> str:
        """Return the line that answers; what ends too early stands for too long or too much."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        # Code may wait without computing, which the limit on computing does not see.
        patience = threading.Timer(PATIENCE, self._process.kill)
        patience.daemon = True
        patience.start()
        try:
            self._process.stdin.write(question + "\n")
            self._process.stdin.flush()
            return self._process.stdout.readline()
        except BrokenPipeError:
            return ""
        except BaseException:
            # Interrupted between question and answer: the next one would get this answer.
            self.end()
            raise
        finally:
            patience.cancel()

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
