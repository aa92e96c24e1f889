"""Texts through a server: what is sent, and what is made of every way in which it misbehaves."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from fairaudit.errors import EndpointError, UsageError
from fairaudit.items import Decoding, Generation, Skipped
from fairaudit.scoring.endpoint import KEY, Endpoint, EndpointWriter
from tests.endpoints import completion, served, silent, well

SECRET = "sk-none-of-your-business"
DECODING = Decoding(n=2, max_new_tokens=7, temperature=0.7, top_p=0.9, seed=3)
ASKED = [Generation(f"The person number {i}", DECODING) for i in range(6)]


class Waits(list):
    """Remembers how long was waited, and does not wait."""

    def __call__(self, seconds):
        self.append(seconds)


def writer(server, *, wait=None, cache=None, chat=False, system=None, **options):
    endpoint = Endpoint(server.url, "tiny", **{"patience": 0.3, **options})
    return EndpointWriter(
        endpoint,
        chat=chat,
        system_prompt=system,
        cache=cache,
        wait=Waits() if wait is None else wait,
    )


def after(n, first, then=well):
    """Behave one way ``n`` times, then another."""
    count = iter(range(10**9))

    def behave(handler, body):
        (first if next(count) < n else then)(handler, body)

    return behave


def test_what_is_sent_says_how_texts_are_drawn():
    with served() as server:
        found = writer(server).run(ASKED)
    assert len(found) == len(ASKED)
    assert len(server.seen) == 12
    assert {path for path, _, _ in server.seen} == {"/v1/completions"}
    for _, headers, body in server.seen:
        assert (body["model"], body["max_tokens"]) == ("tiny", 7)
        assert (body["temperature"], body["top_p"]) == (0.7, 0.9)
        assert "Authorization" not in headers
    # Each text of each prompt has a seed of its own, the same in every run.
    seeds = {body["seed"] for _, _, body in server.seen}
    assert len(seeds) == 12
    for asked, one in found.items():
        assert all(text.startswith(f" {asked.prompt[-1]} ") for text in one.texts)
        assert (one.n_tokens, one.ended) == ((3, 3), (True, True))


def test_the_same_run_draws_the_same_seeds_in_any_order():
    with served() as server:
        first = writer(server, parallel=1).run(ASKED)
        assert writer(server, parallel=6).run(ASKED[::-1]) == first


def test_the_likeliest_token_is_asked_for_as_temperature_0():
    with served() as server:
        writer(server).run([Generation("a", Decoding(do_sample=False))])
    ((_, _, body),) = server.seen
    assert body["temperature"] == 0


def test_a_chat_is_asked_as_turns():
    with served() as server:
        found = writer(server, chat=True, system="Be kind.").run(ASKED[:1])
    path, _, body = server.seen[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "The person number 0"},
    ]
    assert "prompt" not in body
    assert found[ASKED[0]].texts[0].startswith(" 0 ")


def test_an_answer_without_content_is_an_empty_text():
    with served(lambda one, _: one.reply(200, completion(None, chat=True, ended=False))) as server:
        found = writer(server, chat=True).run(ASKED[:1])
    assert found[ASKED[0]].texts == ("", "")
    assert found[ASKED[0]].ended == (False, False)


def test_the_key_is_sent_and_stands_nowhere_else(monkeypatch, tmp_path):
    monkeypatch.setenv(KEY, SECRET)

    def repeating(handler, _):
        handler.reply(418, f"your key {SECRET} is odd".encode())

    with served() as server:
        writer(server, cache=tmp_path).run(ASKED)
        assert all(head["Authorization"] == f"Bearer {SECRET}" for _, head, _ in server.seen)
    assert all(SECRET not in path.read_text() for path in tmp_path.iterdir())
    with served(repeating) as server, pytest.raises(EndpointError) as caught:
        writer(server).run(ASKED)
    assert SECRET not in str(caught.value)
    assert "status 418 (your key *** is odd)" in str(caught.value)


def test_a_redirect_does_not_take_the_key_elsewhere(monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    with served() as other:

        def elsewhere(handler, _):
            handler.reply(307, b"", Location=f"{other.url}/completions")

        with served(elsewhere) as server, pytest.raises(EndpointError, match="status 307"):
            writer(server).run(ASKED)
        assert other.seen == []


REFUSED = {
    "no key": (401, b"", rf"status 401: the key in {KEY} is missing"),
    "not allowed": (403, b"", r"status 403"),
    "no such model": (404, b'{"error": "model not found"}', r"status 404 .*model not found"),
    "garbage": (200, b"<html>\nhello</html>", r"the answer is not JSON \(<html> hello</html>\)"),
    "half of JSON": (200, b'{"choices": [', r"not JSON"),
    "a list": (200, b"[]", r"no object of JSON"),
    "no choices": (200, b'{"choices": []}', r"holds no text where"),
    "an error in disguise": (200, b'{"error": {"message": "no"}}', r"holds no text where"),
    "a number": (200, b'{"choices": [{"text": 5}]}', r"text is no text"),
    "not UTF-8": (200, b"\xff\xfe", r"not JSON"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_another_try_would_not_change_is_refused_at_once(fault, monkeypatch):
    monkeypatch.delenv(KEY, raising=False)
    status, content, message = REFUSED[fault]
    with (
        served(lambda one, _: one.reply(status, content)) as server,
        pytest.raises(EndpointError, match=message) as caught,
    ):
        writer(server, parallel=1).run(ASKED[:1])
    assert len(server.seen) == 1
    assert str(caught.value).startswith(server.url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_be_over_is_tried_again(status):
    waits = Waits()
    busy = after(2, lambda one, _: one.reply(status, b"busy"))
    with served(busy) as server:
        found = writer(server, wait=waits, parallel=1).run(ASKED[:1])
    assert len(found[ASKED[0]].texts) == 2
    assert waits == [0.5, 1.0]


def test_a_server_says_how_long_to_wait():
    waits = Waits()
    limited = after(2, lambda one, _: one.reply(429, b"", Retry_After="7"))
    with served(limited) as server:
        writer(server, wait=waits, parallel=1).run(ASKED[:1])
    assert waits == [7.0, 7.0]
    waits.clear()
    limited = after(1, lambda one, _: one.reply(429, b"", Retry_After="86400"))
    with served(limited) as server:
        writer(server, wait=waits, parallel=1).run(ASKED[:1])
    assert waits == [60.0]


def half(handler, _):
    """Promise more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "500")
    handler.end_headers()
    handler.wfile.write(b'{"choices": [{"te')
    handler.close_connection = True


def gone(handler, _):
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize(
    ("behave", "message"),
    [
        (lambda one, _: one.reply(500, b"out of memory"), r"status 500 \(out of memory\), 5 times"),
        (lambda one, _: one.reply(429, b""), r"status 429, 5 times"),
        (half, r"the answer broke off|no connection"),
        (gone, r"no connection, 5 times"),
        (silent, r"no answer for 0 s, 5 times"),
    ],
)
def test_a_server_that_stays_broken_is_given_up(behave, message):
    with (
        served(behave) as server,
        pytest.raises(EndpointError, match=message) as caught,
    ):
        writer(server, parallel=1).run(ASKED[:1])
    assert len(server.seen) == 5
    assert "what was answered is kept" in str(caught.value)


def test_no_server_is_one_line():
    with served() as server:
        pass
    with pytest.raises(EndpointError, match="no connection, 5 times"):
        writer(server, parallel=1).run(ASKED[:1])


@pytest.mark.parametrize("behave", [half, silent])
def test_an_answer_that_broke_off_is_asked_again(behave):
    with served(after(1, behave)) as server:
        found = writer(server, parallel=1).run(ASKED[:1])
    assert all(text.startswith(" 0 ") for text in found[ASKED[0]].texts)


def test_a_prompt_that_is_refused_is_skipped_and_the_others_are_not():
    def picky(handler, body):
        if body["prompt"].endswith("3"):
            handler.reply(400, b"too long")
        else:
            well(handler, body)

    with served(picky) as server:
        found = writer(server).run(ASKED)
    skipped = [one for one in found.values() if isinstance(one, Skipped)]
    assert [one.reason for one in skipped] == [
        "the endpoint refused the prompt: status 400 (too long)"
    ]


def test_an_interrupted_run_asks_only_what_is_missing(tmp_path):
    broken = after(5, well, lambda one, _: one.reply(401, b""))
    with served(broken) as server:
        with pytest.raises(EndpointError):
            writer(server, cache=tmp_path, parallel=1).run(ASKED)
        (kept,) = tmp_path.iterdir()
        # The process was killed while it wrote.
        kept.write_text(kept.read_text() + '\n["half", "a te')
        server.behave = well
        server.seen.clear()
        resumed = writer(server, cache=tmp_path)
        found = resumed.run(ASKED)
        assert len(server.seen) == 12 - 5
        assert writer(server).run(ASKED) == found
    resumed.forget()
    assert list(tmp_path.iterdir()) == []


def test_another_decoding_or_model_is_asked_anew(tmp_path):
    with served() as server:
        writer(server, cache=tmp_path).run(ASKED)
        longer = [Generation(one.prompt, Decoding(n=2, max_new_tokens=9)) for one in ASKED]
        writer(server, cache=tmp_path).run(longer)
        writer(server, cache=tmp_path, chat=True).run(ASKED)
    assert len(server.seen) == 36


def test_a_rate_is_kept():
    waits = Waits()
    with served() as server:
        writer(server, wait=waits, per_minute=60, parallel=1).run(ASKED[:3])
    # The clock hardly moves: the n-th of six requests waits n seconds.
    assert waits == pytest.approx([1, 2, 3, 4, 5], abs=0.5)


def test_no_more_requests_than_asked_for_are_under_way():
    under_way, most, lock = [0], [0], threading.Lock()

    def counting(handler, body):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.02)
        with lock:
            under_way[0] -= 1
        well(handler, body)

    with served(counting) as server:
        writer(server, parallel=2).run(ASKED)
    assert most[0] == 2


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("127.0.0.1:8000", "is no address of HTTP"),
        ("ftp://x/v1", "is no address of HTTP"),
        ("http://me:secret@host/v1", "holds a password"),
        ("http:///v1", "is no address of HTTP"),
    ],
)
def test_addresses_that_are_none(url, message):
    with pytest.raises(UsageError, match=message) as caught:
        Endpoint(url, "tiny")
    assert not re.search("secret", str(caught.value))
