"""Ctrl-C in a map: every process ends, and the same command continues it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fairaudit.results.map import MapResult
from tests.cli.test_interrupted_experiment import processes_of
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.long

PLAN = """
name = "tiny"
seeds = 1
arms = ["plain", "dp"]
[map]
leans = [-1.0, 1.0]
epsilons = [8.0]
[base]
layers = 1
width = 16
steps = 3
text = { sentences = 300, mu = 1.0 }
[text]
world = { sentences = 120 }
held_out_sentences = 50
[audit]
quick = true
[train]
steps = 5
batch_size = 30
max_length = 32
learning_rate = 1e-3
[arm.dp]
steps = 40
"""


def begin(plan: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fairaudit", "experiment", "map", str(plan)]
    return subprocess.Popen(
        [*command, "-o", str(output), "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_an_interrupted_map_ends_its_processes_and_continues(tmp_path):
    plan, output = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(PLAN)
    process = begin(plan, output)
    try:
        done = "worlds/*/arms/*/seed-0/arm.json"
        wait_until(lambda: list(output.glob(done)), lambda: process.poll() is None)
        # As a terminal does it: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.endswith("fairaudit: interrupted; the same command goes on from here\n")
    wait_until(lambda: processes_of(process.pid) == [])
    assert not (output / "result.json").exists()
    before = {path: path.stat().st_mtime_ns for path in output.glob(done)}

    again = begin(plan, output)
    out, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert "DP against plain: bias" in out
    result = MapResult.load(output)
    assert result.complete
    assert all(path.stat().st_mtime_ns == at for path, at in before.items())
