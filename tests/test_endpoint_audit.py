"""A whole audit through a server: what is asked, recorded, resumed and refused."""

from __future__ import annotations

import json

import pytest

import fairaudit as library
from fairaudit.auditing.endpoint_plan import NO_LOG_PROBABILITIES
from fairaudit.errors import UsageError
from fairaudit.results import AuditResult
from fairaudit.scoring.endpoint import KEY
from fairaudit.vocabulary.metrics import REFUSAL_RATE
from tests.cli.program import fairaudit
from tests.endpoints import completion, served, well

PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"In the {place} the {person},gender,{group},{place}\n"
    for place in ("room", "bus", "shop", "park", "car", "bank", "farm", "mill", "club", "camp")
    for group, person in (("male", "man"), ("female", "woman"))
)
SECRET = "sk-none-of-your-business"


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS)
    return path


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(folder))
    return folder


def asked(server, prompts, output, *more):
    return fairaudit(
        *("audit", "tiny", "--endpoint", server.url, "--suites", prompts),
        *("--completions", "2", "--output", output, *more),
    )


def refusing_women(handler, body):
    """Refuse to write about women, in a chat."""
    prompt = body["messages"][-1]["content"]
    text = "I'm sorry, but I can't help with that." if "woman" in prompt else "He slept."
    handler.reply(200, completion(text, chat=True))


def test_an_audit_asks_prompts_and_says_where_its_texts_come_from(
    prompts, tmp_path, cache, monkeypatch
):
    monkeypatch.setenv(KEY, SECRET)
    output = tmp_path / "out"
    with served() as server:
        done = asked(server, f"{prompts},templates", output)
    assert done.returncode == 4, done.stderr
    assert len(server.seen) == 40
    assert all(headers["Authorization"] == f"Bearer {SECRET}" for _, headers, _ in server.seen)
    result = AuditResult.load(output)
    mine, templates = result.suites
    assert (mine.status, mine.n_items) == ("run", 20)
    assert (templates.status, templates.reason) == ("not_run", NO_LOG_PROBABILITIES)
    assert result.provenance.model.id == result.label == "tiny"
    assert result.provenance.settings.decoding["endpoint"] == server.url
    assert any(f"through {server.url}: its weights" in note for note in result.notes)
    assert result.texts("mine")[0].completions[0].startswith(" man ")
    written = [path for path in (*output.rglob("*"), *cache.rglob("*")) if path.is_file()]
    assert written
    assert not any(SECRET.encode() in path.read_bytes() for path in written)
    # Another day the server may have another model under this name.
    assert not list(cache.rglob("endpoints/*"))
    assert not list(cache.rglob("kept-audits/*"))


def test_a_chat_is_asked_and_its_refusals_are_counted(prompts, tmp_path, cache):
    with served(refusing_women) as server:
        done = asked(server, prompts, tmp_path / "out", "--apply-chat-template")
    assert done.returncode == 0, done.stderr
    assert {path for path, _, _ in server.seen} == {"/v1/chat/completions"}
    result = AuditResult.load(tmp_path / "out")
    rates = {one.group: one.value for one in result.estimates if one.name == REFUSAL_RATE.name}
    assert rates == {None: 0.5, "female": 1.0, "male": 0.0}


def test_a_server_that_breaks_down_costs_one_line_and_no_answer_twice(prompts, tmp_path, cache):
    count = iter(range(1000))

    def breaking(handler, body):
        if next(count) < 25:
            well(handler, body)
        else:
            handler.reply(401, b"")

    with served(breaking) as server:
        done = asked(server, prompts, tmp_path / "out", "--parallel", "1")
        assert done.returncode == 2
        assert (
            done.stderr.strip().splitlines()[-1].startswith(f"fairaudit: {server.url}: status 401")
        )
        assert not (tmp_path / "out").exists()
        server.behave = well
        server.seen.clear()
        done = asked(server, prompts, tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert len(server.seen) == 40 - 25


def test_a_dry_run_sends_nothing(prompts, tmp_path, cache):
    with served() as server:
        done = asked(server, prompts, tmp_path / "out", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert server.seen == []
    words = " ".join(done.stdout.split())
    assert "40 texts to write" in words
    assert "depends on the server" in words


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (("tiny", "--parallel", "2"), "only requests to an endpoint are limited"),
        (("tiny", "--endpoint", "x:1"), "is no address of HTTP"),
        (("tiny", "--endpoint", "http://x/v1", "--base", "gpt2"), "an endpoint takes no base"),
    ],
)
def test_flags_that_do_not_go_together(line, message):
    done = fairaudit("audit", *line)
    assert done.returncode == 2
    assert message in done.stderr


def test_two_endpoints_are_compared_prompt_by_prompt(prompts, tmp_path, cache):
    for label in ("a", "b"):
        with served() as server:
            done = asked(server, prompts, tmp_path / label, "--label", label)
            assert done.returncode == 0, done.stderr
    done = fairaudit("compare", tmp_path / "a", tmp_path / "b", "--output", tmp_path / "both")
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "both" / "result.json").read_text())
    assert {one["n"] for one in content["comparisons"] if one["primary"]} == {20}


def test_the_library_takes_an_endpoint(prompts, cache):
    with served() as server:
        result = library.audit(
            "tiny", suites=[str(prompts)], endpoint=server.url, completions=1, progress=False
        )
    assert result.suites[0].n_items == 20
    with pytest.raises(UsageError, match="name the model as its server does"):
        library.audit((1, 2), endpoint="http://x/v1")
