"""Work spread over processes: in order, errors raised, nobody left behind."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fairaudit.errors import FairauditError
from fairaudit.experiments.parallel_arms import spread
from tests.waiting import wait_until

pytestmark = pytest.mark.long

SLEEPERS = """
import time
from fairaudit.errors import FairauditError
from fairaudit.experiments.parallel_arms import spread

if __name__ == "__main__":
    spread(time.sleep, [600, 600], 2, lambda: print("waiting", flush=True))
"""


def test_results_come_in_the_order_of_the_cells():
    told = []
    assert spread(abs, [-3, 2, -1], 2, lambda: told.append(1)) == [3, 2, 1]
    assert told


def test_an_error_in_a_process_is_raised_here():
    with pytest.raises(ValueError, match="math domain error"):
        spread(__import__("math").sqrt, [1, -1], 2, lambda: None)


def test_a_process_that_was_killed_is_said_and_nobody_waits():
    with pytest.raises(FairauditError, match="ended from outside"):
        spread(_killed, [0, 1], 2, lambda: None)


def _killed(_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_log_lines_of_a_process_look_like_those_of_the_command_line(capfd):
    """Opacus sets up a format of its own where a process has none."""
    work = logging.getLogger("fairaudit.training").warning
    spread(work, ["894 texts are cut"], 1, lambda: None)
    assert capfd.readouterr().err == "WARNING fairaudit.training: 894 texts are cut\n"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_processes_end_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout.readline() == "waiting\n"
            children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
            wait_until(lambda: len(_asleep(children)) == 2)
            workers = _asleep(children)
        finally:
            parent.kill()
    wait_until(lambda: not any(map(_alive, workers)))


def _asleep(children):
    """Workers that have begun, so that their watch over the parent runs."""
    return [pid for pid in children.read_text().split() if _begun(pid)]


def _begun(pid):
    command = Path(f"/proc/{pid}/cmdline").read_bytes()
    threads = len(list(Path(f"/proc/{pid}/task").iterdir()))
    return b"spawn_main" in command and threads > 1


def _alive(pid):
    """Whether a worker still runs; a process that nobody waited for has no command line."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
