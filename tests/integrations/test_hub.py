"""Pushing to the Hub: what would be sent, and what a server gets that takes commits."""

from __future__ import annotations

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

import pandas as pd
import pytest
from huggingface_hub.constants import ENDPOINT

from fairaudit.errors import ResultError, UsageError
from fairaudit.integrations.hub import push_to_hub
from fairaudit.report.files import write_report
from fairaudit.results.texts import PromptTexts
from tests.cli.program import fairaudit as program
from tests.report import audits
from tests.report.test_changed_pairs import _with_pairs

#: The client reads addresses of commits, and knows this host alone.
HOST = urlsplit(ENDPOINT).hostname
CARD = "---\nlicense: mit\n---\n\n# Mine\n\nWords of the owner.\n"


@pytest.fixture
def folder(tmp_path):
    result = audits.whole_audit()
    target = tmp_path / "audit"
    result.with_texts({"toxicity": (PromptTexts("a", "gender", "men", "He", ("is kind",)),)}).save(
        target
    )
    (target / "private").mkdir()
    (target / "private" / "secret.json").write_text("{}")
    (target / "summary.md").write_text("# Summary\n")
    return target


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as a commit of small files needs."""

    commits: ClassVar[list[list[dict]]] = []

    def do_GET(self) -> None:
        self._say({} if "whoami" in self.path else {"error": "Entry not found"}, 404)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/validate-yaml"):
            self._say({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self._say(
                {
                    "files": [
                        {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                        for one in files
                    ]
                }
            )
        elif "/commit/" in self.path:
            self.commits.append([json.loads(line) for line in body.splitlines()])
            url = f"https://{HOST}/me/model/commit/abc"
            self._say({"commitUrl": url, "commitOid": "abc", "pullRequestUrl": None})
        else:
            self._say({"error": self.path}, 404)

    def _say(self, content: dict, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub():
    Hub.commits.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_dry_run_sends_nothing_and_says_all(folder):
    planned = push_to_hub(folder, "me/model", dry_run=True, card=CARD)
    assert planned.url is None
    assert planned.files[0] == "README.md"
    assert {"fairaudit/result.json", "fairaudit/summary.md"} <= set(planned.files)
    assert "Words of the owner." in planned.card
    assert "fairaudit:begin" in planned.card
    assert not [one for one in planned.files if "private" in one or "texts" in one]


def test_score_tables_with_the_texts_of_a_benchmark_stay_here(folder):
    (folder / "items").mkdir(exist_ok=True)
    scores = pd.DataFrame({"item_id": ["a"], "score": [1.0]})
    scores.to_parquet(folder / "items" / "without.parquet")
    scores.assign(text="She slept.").to_parquet(folder / "items" / "with.parquet")
    planned = push_to_hub(folder, "me/model", dry_run=True, card=CARD)
    assert "fairaudit/items/without.parquet" in planned.files
    assert "fairaudit/items/with.parquet" not in planned.files
    assert "items/with.parquet" in planned.left_out
    done = program("push", folder, "me/model", "--dry-run")
    assert "left out, it holds the texts of a benchmark: items/with.parquet" in done.stdout


def test_texts_of_pairs_that_changed_stay_here(tmp_path, hub, monkeypatch):
    """They are the benchmark's: in the table, and on the page in two hundred rows."""
    import huggingface_hub.constants as constants
    from huggingface_hub import HfApi

    result = _with_pairs()
    texts = [text for item in result.item_changes for text in item.texts.values()]
    assert texts
    result.save(tmp_path / "compared")
    write_report(result, tmp_path / "compared")
    kept = [(tmp_path / "compared" / name).read_text() for name in ("result.json", "report.html")]
    # Others are escaped in one file or the other.
    assert "She is a nurse." in kept[0]
    assert "is a nurse." in kept[1]
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    push_to_hub(
        tmp_path / "compared", "me/model", card=CARD, api=HfApi(endpoint=hub, token="hf_test")
    )
    sent = b"".join(
        base64.b64decode(line["value"]["content"])
        for line in Hub.commits[0]
        if line["key"] == "file"
    ).decode()
    assert not [text for text in (*texts, "is a nurse.") if text in sent]
    assert "fairaudit/comparison" in sent


def test_a_dry_run_on_the_command_line(folder):
    done = program("push", folder, "me/model", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dry run: nothing was sent to me/model" in done.stdout
    assert "fairaudit/result.json" in done.stdout


def test_a_push_is_one_commit_of_card_and_files(folder, hub, monkeypatch):
    import huggingface_hub.constants as constants
    from huggingface_hub import HfApi

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    api = HfApi(endpoint=hub, token="hf_test")
    pushed = push_to_hub(folder, "me/model", card=CARD, api=api)
    (commit,) = Hub.commits
    sent = {
        line["value"]["path"]: base64.b64decode(line["value"]["content"])
        for line in commit
        if line["key"] == "file"
    }
    assert tuple(sorted(sent)) == tuple(sorted(pushed.files))
    assert sent["README.md"].decode() == pushed.card
    assert sent["fairaudit/result.json"] == (folder / "result.json").read_bytes()
    assert pushed.url == f"https://{HOST}/me/model/commit/abc"


def test_a_server_that_refuses_is_one_line(folder, monkeypatch):
    import huggingface_hub.constants as constants
    from huggingface_hub import HfApi

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    api = HfApi(endpoint="http://127.0.0.1:9", token="hf_test")
    with pytest.raises(ResultError, match="me/model: the Hub did not take it") as error:
        push_to_hub(folder, "me/model", card=CARD, api=api)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("repo", ["model", "a/b/c", "/x", "me/"])
def test_what_is_no_repository_is_refused(folder, repo):
    with pytest.raises(UsageError, match="write owner/name"):
        push_to_hub(folder, repo, dry_run=True)
