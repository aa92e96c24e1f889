"""Texts from a server with OpenAI's interface: vLLM, llama.cpp, transformers serve, and others.

Each text is one request, because many servers ignore ``n``. What was answered is kept on disk line
by line, so that an interrupted audit resumes by prompt. The key comes from the environment; it is
sent to that address alone, never through a redirect, and stands in no message, record or file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests

from fairaudit.errors import EndpointError, UsageError
from fairaudit.items import Completions, Decoding, Generation, Skipped
from fairaudit.parsing import parse_json

#: Where the key is read from.
KEY: Final = "FAIRAUDIT_API_KEY"
#: What may be over by the next try: too many requests, and what a server says of itself.
_TRANSIENT: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
#: What is wrong with one prompt alone: too long, or not allowed.
_OF_PROMPT: Final = frozenset({400, 413, 422})
_TRIES: Final = 5
#: Requests under way at once, unless somebody says otherwise.
PARALLEL: Final = 4
_LONGEST_WAIT: Final = 60.0
_CONNECT: Final = 10.0
_SAID: Final = 200

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model behind a server.

    Parameters
    ----------
    url : str
        Base address, such as ``http://127.0.0.1:8000/v1``.
    model : str
        The name by which the server knows the model.
    parallel : int
        Requests under way at once.
    per_minute : int or None
        Most requests that are started in a minute.
    patience : float
        Seconds without a byte after which a request has failed.

    Raises
    ------
    UsageError
        If the address is none of HTTP, or holds a user's name and password.
    """

    url: str
    model: str
    parallel: int = PARALLEL
    per_minute: int | None = None
    patience: float = 120.0

    def __post_init__(self) -> None:
        """Check what the types cannot say."""
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"'{_without_user(self.url)}' is no address of HTTP: http://HOST/v1")
        if parts.username or parts.password:
            raise UsageError(f"the address holds a password; put the key into {KEY}")
        if self.parallel < 1 or (self.per_minute is not None and self.per_minute < 1):
            raise UsageError("at least 1 request at a time and in a minute")
        if not self.model:
            raise UsageError("name the model as the server does")

    @property
    def place(self) -> str:
        """The address without query."""
        return _without_user(self.url).rstrip("/")


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    n_tokens: int
    ended: bool


class EndpointWriter:
    """Continues prompts through an endpoint.

    Parameters
    ----------
    endpoint : Endpoint
        Where the model is.
    chat : bool
        Ask each prompt as a user's turn; the server applies the chat template.
    system_prompt : str or None
        The system's turn before it.
    cache : path or None
        Folder in which answers are kept until `forget`.
    wait : callable
        Sleeps so many seconds.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        chat: bool = False,
        system_prompt: str | None = None,
        cache: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._chat, self._system = chat, system_prompt
        self._wait = wait
        self._key = os.environ.get(KEY)
        self._lock, self._next = threading.Lock(), 0.0
        self._kept = _Kept(cache, [endpoint.place, endpoint.model, chat, system_prompt])

    def run(
        self, asked: Iterable[Generation], progress: Progress | None = None
    ) -> dict[Generation, Completions | Skipped]:
        """Continue each prompt; called back with 1 after each.

        Raises
        ------
        EndpointError
            In one line: what the server did. What was answered before is kept.
        """
        found: dict[Generation, Completions | Skipped] = {}
        pool = ThreadPoolExecutor(self._endpoint.parallel)
        try:
            futures = {pool.submit(self._written, one): one for one in dict.fromkeys(asked)}
            for future in as_completed(futures):
                found[futures[future]] = future.result()
                if progress is not None:
                    progress(1)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return found

    def forget(self) -> None:
        """Remove what was kept: the audit is whole, and the server may change its model."""
        self._kept.remove()

    def _written(self, asked: Generation) -> Completions | Skipped:
        answers: list[_Answer] = []
        for number in range(asked.decoding.n):
            answer = self._one(asked.prompt, asked.decoding, number)
            if isinstance(answer, Skipped):
                return answer
            answers.append(answer)
        return Completions(
            tuple(one.text for one in answers),
            tuple(one.n_tokens for one in answers),
            tuple(one.ended for one in answers),
        )

    def _one(self, prompt: str, decoding: Decoding, number: int) -> _Answer | Skipped:
        body = self._body(prompt, decoding, number)
        name = _digest([prompt, asdict(replace(decoding, n=1)), number])
        kept = self._kept.get(name)
        if kept is not None:
            return kept
        content = self._posted("chat/completions" if self._chat else "completions", body)
        if isinstance(content, Skipped):
            return content
        answer = self._read(content)
        self._kept.put(name, answer)
        return answer

    def _body(self, prompt: str, decoding: Decoding, number: int) -> dict[str, Any]:
        turns = [{"role": "user", "content": prompt}]
        if self._system is not None:
            turns.insert(0, {"role": "system", "content": self._system})
        # Another seed for each text of a prompt, or all would be the same.
        seed = int(_digest([prompt, decoding.seed, number])[:7], 16)
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "max_tokens": decoding.max_new_tokens,
            "temperature": decoding.temperature if decoding.do_sample else 0,
            "top_p": decoding.top_p,
            "seed": seed,
        }
        return body | ({"messages": turns} if self._chat else {"prompt": prompt})

    def _posted(self, path: str, body: Mapping[str, Any]) -> dict[str, Any] | Skipped:
        problem = ""
        for attempt in range(_TRIES):
            self._take_turn()
            pause = min(0.5 * 2**attempt, _LONGEST_WAIT)
            try:
                reply = self._post(path, body)
            except requests.Timeout:
                problem = f"no answer for {self._endpoint.patience:.0f} s"
            except requests.ConnectionError:
                problem = "no connection"
            except requests.RequestException as error:
                # Half an answer, or what is none of HTTP; the text of the error may quote headers.
                problem = f"the answer broke off ({type(error).__name__})"
            else:
                if reply.status_code not in _TRANSIENT:
                    return self._content(reply)
                problem = f"status {reply.status_code}{self._said(reply)}"
                pause = _retry_after(reply, pause)
            if attempt + 1 < _TRIES:
                self._wait(pause)
        raise self._error(
            f"{problem}, {_TRIES} times; what was answered is kept, the same command goes on"
        )

    def _post(self, path: str, body: Mapping[str, Any]) -> requests.Response:
        headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
        return requests.post(
            f"{self._endpoint.place}/{path}",
            json=body,
            headers=headers,
            timeout=(_CONNECT, self._endpoint.patience),
            allow_redirects=False,
        )

    def _content(self, reply: requests.Response) -> dict[str, Any] | Skipped:
        status = reply.status_code
        if status in (401, 403):
            given = "is not accepted" if self._key else "is missing"
            raise self._error(f"status {status}: the key in {KEY} {given}")
        if status in _OF_PROMPT:
            return Skipped(f"the endpoint refused the prompt: status {status}{self._said(reply)}")
        if status != requests.codes.ok:
            raise self._error(f"status {status}{self._said(reply)}")
        try:
            content = reply.json()
        except ValueError:
            raise self._error(f"the answer is not JSON{self._said(reply)}") from None
        if not isinstance(content, dict):
            raise self._error("the answer is no object of JSON")
        return content

    def _read(self, content: Mapping[str, Any]) -> _Answer:
        try:
            choice = content["choices"][0]
            text = choice["message"]["content"] if self._chat else choice["text"]
            usage = content.get("usage") or {}
            n_tokens = usage.get("completion_tokens")
        except (AttributeError, IndexError, KeyError, TypeError):
            raise self._error("the answer holds no text where OpenAI's interface has it") from None
        if text is not None and not isinstance(text, str):
            raise self._error("the answer's text is no text")
        counted = n_tokens if type(n_tokens) is int and n_tokens >= 0 else 0
        return _Answer(text or "", counted, choice.get("finish_reason") == "stop")

    def _take_turn(self) -> None:
        """Wait until the next request may start."""
        if self._endpoint.per_minute is None:
            return
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next)
            self._next = start + 60 / self._endpoint.per_minute
        if start > now:
            self._wait(start - now)

    def _said(self, reply: requests.Response) -> str:
        """Return the beginning of what a server said, on one line and without the key."""
        text = " ".join(reply.text.split())
        if self._key:
            text = text.replace(self._key, "***")
        return f" ({text[:_SAID]})" if text else ""

    def _error(self, problem: str) -> EndpointError:
        return EndpointError(f"{self._endpoint.place}: {problem}")


def _retry_after(reply: requests.Response, otherwise: float) -> float:
    """Seconds that a server asks to be left alone, up to a minute."""
    try:
        asked = float(reply.headers.get("Retry-After", ""))
    except ValueError:
        return otherwise
    return min(max(asked, 0.0), _LONGEST_WAIT) if math.isfinite(asked) else otherwise


class _Kept:
    """Answers on disk, one line each; a line that broke off is asked again."""

    def __init__(self, cache: Path | None, context: list[Any]) -> None:
        self._path = None if cache is None else cache / f"{_digest(context)}.jsonl"
        self._lock = threading.Lock()
        self._found: dict[str, _Answer] = dict(self._lines())

    def get(self, name: str) -> _Answer | None:
        return self._found.get(name)

    def put(self, name: str, answer: _Answer) -> None:
        """Append an answer; a cache that cannot be written is not an error."""
        with self._lock:
            self._found[name] = answer
            if self._path is None:
                return
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="ascii") as stream:
                    stream.write(f"\n{json.dumps([name, *asdict(answer).values()])}")
            except OSError:
                self._path = None

    def remove(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _lines(self) -> Iterable[tuple[str, _Answer]]:
        try:
            lines = [] if self._path is None else self._path.read_text("ascii").split("\n")
        except (OSError, ValueError):
            return
        for line in lines:
            try:
                name, text, n_tokens, ended = parse_json(line)
            except (TypeError, ValueError):
                continue
            yield name, _Answer(text, n_tokens, ended)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
