"""A server with OpenAI's interface that answers, and misbehaves, as a test wants."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What a test gets to see of a request: path, headers, body; and gives: what is sent back.
Behave = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    """Reads a request and leaves the answer to the server's ``behave``."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.seen.append((self.path, dict(self.headers), body))
        self.server.behave(self, body)

    def reply(self, status: int, content: bytes | dict[str, Any], **headers: str) -> None:
        """Send an answer."""
        data = json.dumps(content).encode() if isinstance(content, dict) else content
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def completion(text: str | None, *, chat: bool = False, ended: bool = True) -> dict[str, Any]:
    """Return what a server sends for a text."""
    inner = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    choice = {"index": 0, "finish_reason": "stop" if ended else "length", **inner}
    return {"choices": [choice], "usage": {"completion_tokens": 3}}


def well(handler: Handler, body: dict[str, Any]) -> None:
    """Answer with the prompt's last word and the seed, so that texts tell their request."""
    chat = "messages" in body
    prompt = body["messages"][-1]["content"] if chat else body["prompt"]
    handler.reply(200, completion(f" {prompt.split()[-1]} {body['seed']}", chat=chat))


def silent(handler: Handler, _: dict[str, Any]) -> None:
    """Say nothing for longer than a test's patience."""
    time.sleep(0.6)
    handler.close_connection = True


@contextmanager
def served(behave: Behave = well) -> Iterator[Any]:
    """Run a server; ``url`` is its address, ``seen`` what it was asked."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.behave, server.seen, server.lock = behave, [], threading.Lock()
    server.daemon_threads = True
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
