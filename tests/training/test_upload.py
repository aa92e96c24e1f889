"""What is uploaded of a fine-tuned model: never ``private/``."""

from __future__ import annotations

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from huggingface_hub import HfApi, constants

from fairaudit.errors import ResultError
from fairaudit.results.places import keep_from_upload
from fairaudit.training.private import PrivateFolder

FILES = {"config.json": "{}", "README.md": "A model.", "sub/notes.txt": "notes"}


@pytest.fixture
def model(tmp_path):
    """A folder as a fine-tuning leaves it."""
    folder = tmp_path / "model"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    private = PrivateFolder(folder)
    private.create()
    private.write_text("log.jsonl", "secret\n")
    return folder


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as an upload asks of it; it honours the ``.gitignore`` that is sent."""

    uploaded: list[str]

    def do_POST(self):
        """Answer repo creation, preupload and commit."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/repos/create"):
            answer = {"url": f"{self.server.address}/me/model"}
        elif "/preupload/" in self.path:
            asked = json.loads(body)
            ignored = [line.rstrip("/") for line in asked.get("gitIgnore", "").splitlines()]
            answer = {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "regular",
                        "shouldIgnore": one["path"].split("/")[0] in ignored,
                    }
                    for one in asked["files"]
                ]
            }
        elif "/commit/" in self.path:
            lines = [json.loads(line) for line in body.splitlines()]
            type(self).uploaded = [one["value"]["path"] for one in lines if one["key"] == "file"]
            answer = {
                "commitUrl": f"{self.server.address}/me/model/commit/1",
                "commitOid": "1" * 40,
            }
        else:
            answer = {}
        self._send(answer)

    def do_GET(self):
        """Answer questions about the repository."""
        self._send({"id": "me/model", "sha": "0" * 40, "siblings": []})

    def _send(self, answer):
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def hub(monkeypatch):
    """A hub on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield HfApi(endpoint=server.address, token="hf_none")
    server.shutdown()
    server.server_close()


def test_uploading_a_model_leaves_private_behind(model, hub):
    """Issue 22: what ε does not cover lay in the folder that people upload."""
    hub.upload_folder(folder_path=model, repo_id="me/model")
    assert {*FILES, ".gitignore"} == set(Hub.uploaded)
    (model / ".gitignore").unlink()
    hub.upload_folder(folder_path=model, repo_id="me/model")
    assert "private/log.jsonl" in Hub.uploaded


def test_git_leaves_private_behind(model):
    def git(*arguments):
        done = subprocess.run(
            ["git", *arguments], cwd=model, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    git("init", "--quiet")
    git("add", "--all")
    assert {*FILES, ".gitignore"} == set(git("ls-files"))
    # Also where the folder is part of another repository and the line was lost.
    (model / ".gitignore").unlink()
    git("add", "--all")
    assert set(FILES) == set(git("ls-files"))


def test_what_a_user_ignores_stays_ignored(tmp_path):
    (tmp_path / "private").mkdir()
    (tmp_path / ".gitignore").write_text("*.log")
    for _ in range(2):
        keep_from_upload(tmp_path)
    assert (tmp_path / ".gitignore").read_text() == "*.log\nprivate/\n"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    victim, folder = tmp_path / "victim", tmp_path / "model"
    victim.write_text("mine\n")
    (folder / "private").mkdir(parents=True)
    (folder / ".gitignore").symlink_to(victim)
    with pytest.raises(ResultError, match="link out of"):
        keep_from_upload(folder)
    assert victim.read_text() == "mine\n"
