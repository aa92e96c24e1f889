"""An audit stopped in the middle leaves nothing half-written, and goes on when called again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.long

SUITE = "axis,stereotype,anti_stereotype\n" + "".join(
    f"gender,The {adjective} {name} said she slept.,The {adjective} {name} said he slept.\n"
    for adjective in ("old", "young", "tired", "rich", "poor", "glad")
    for name in ("nurse", "cook", "clerk", "baker", "farmer", "tailor", "driver", "singer")
)


@pytest.fixture(scope="module")
def start(checkpoint, tmp_path_factory):
    """Begin an audit of many small batches in a process of its own."""
    suite_file = tmp_path_factory.mktemp("suite") / "mine.csv"
    suite_file.write_text(SUITE)
    begun = []

    def begin(cache, output):
        command = [sys.executable, "-m", "fairaudit", "audit", str(checkpoint("gpt2"))]
        options = ["--suites", str(suite_file), "--token-budget", "1", "--output", str(output)]
        process = subprocess.Popen(
            command + options,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"FAIRAUDIT_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
            # A shell's background job ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        begun.append(process)
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def finish(process):
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err


def stop_in_the_middle(process, cache, number):
    """Send a signal once some batches are stored; returns how the process ended."""
    wait_until(lambda: stored_bytes(cache) or process.poll() is not None)
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def stored_bytes(cache):
    return sum(path.stat().st_size for path in cache.rglob("*.scores"))


def result_of(output):
    """Text of a result without `run`, and the bytes of its score tables."""
    content = json.loads((output / "result.json").read_text())
    content.pop("run")
    tables = {path.name: path.read_bytes() for path in sorted((output / "items").iterdir())}
    return json.dumps(content), tables


@pytest.fixture(scope="module")
def whole(start, tmp_path_factory):
    """Folder and store of an audit that nobody disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    finish(start(folder / "cache", folder / "out"))
    return folder


@pytest.mark.parametrize(
    ("number", "code", "message", "audits"),
    [
        (signal.SIGINT, 130, "fairaudit: interrupted; the same command goes on from here\n", 1),
        # Two audits of the same model go on at the same time, from the same store.
        (signal.SIGKILL, -9, "", 2),
    ],
)
def test_a_stopped_audit_leaves_nothing_and_resumes(
    start, whole, tmp_path, number, code, message, audits
):
    cache = tmp_path / "cache"
    outputs = [tmp_path / "place" / str(index) for index in range(audits)]
    stopped = stop_in_the_middle(start(cache, outputs[0]), cache, number)
    assert stopped == (code, "", message)
    assert not outputs[0].exists()
    assert not list(tmp_path.rglob("*partial*"))
    before = stored_bytes(cache)
    assert 0 < before < stored_bytes(whole / "cache")

    for process in [start(cache, output) for output in outputs]:
        finish(process)
    for output in outputs:
        assert result_of(output) == result_of(whole / "out")
    # What was stored is not scored again: at most one record was torn by the signal.
    missing = stored_bytes(whole / "cache") - before
    assert stored_bytes(cache) <= before + audits * (missing + 500)
