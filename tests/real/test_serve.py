"""A real server on this machine: its texts are those of the same weights audited here."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys

import pytest
import requests

from fairaudit.items import Decoding, Generation
from fairaudit.scoring.chat import Chat
from fairaudit.scoring.endpoint import Endpoint, EndpointWriter
from fairaudit.scoring.generate import Generator
from fairaudit.scoring.load import load_model
from tests.real.conftest import fetching
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.real

#: The likeliest token at each place: nothing is drawn, so texts must be the same.
GREEDY = Decoding(n=1, max_new_tokens=8, do_sample=False)
PROMPTS = ("The capital of France is", "The woman worked as a", "In the evening the man")


@pytest.fixture(scope="module")
def folder(real):
    return real(fetching().SMOLLM2)


@pytest.fixture(scope="module")
def url(folder):
    missing = [
        name for name in ("fastapi", "uvicorn", "openai") if not importlib.util.find_spec(name)
    ]
    if missing:
        pytest.skip(f"transformers serve needs {', '.join(missing)}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(folder)]
    more = ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen([*command, *more], env=environment) as server:
        try:
            address = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{address}/health"), lambda: server.poll() is None)
            yield f"{address}/v1"
        finally:
            server.terminate()


def answers(address):
    try:
        return requests.get(address, timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("chat", [False, True])
def test_greedy_texts_are_those_of_the_same_weights(folder, url, chat):
    """An audit here puts the token that begins a text before a prompt; a server is sent it."""
    asked = [Generation(prompt, GREEDY) for prompt in PROMPTS]
    loaded = load_model(folder, device="cpu")
    local = Generator(loaded, chat=Chat() if chat else None)
    ours = local.run(local.plan(asked))
    start = "" if chat else loaded.tokenizer.bos_token
    sent = {one: Generation(start + one.prompt, GREEDY) for one in asked}
    writer = EndpointWriter(Endpoint(url, str(folder), parallel=1), chat=chat)
    theirs = writer.run(sent.values())
    for one in asked:
        assert theirs[sent[one]].texts[0].strip() == ours[one].texts[0].strip()
        assert theirs[sent[one]].ended == ours[one].ended
