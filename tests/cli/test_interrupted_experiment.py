"""Ctrl-C in an experiment: every process ends, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fairaudit.results.experiment import ExperimentResult
from tests.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.long

PLAN = """
name = "tiny"
seeds = 1
arms = ["plain", "clip_only"]
[base]
layers = 1
width = 16
steps = 3
text = { sentences = 300 }
[text]
world = { sentences = 120, mu = 1.0 }
held_out_sentences = 50
[audit]
quick = true
[train]
steps = 400
batch_size = 30
max_length = 32
learning_rate = 1e-3
"""


def begin(plan: Path, output: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "fairaudit", "experiment", str(plan), "-o", str(output)]
    return subprocess.Popen(
        [*command, "--processes", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        start_new_session=True,
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_an_interrupted_experiment_ends_its_processes_and_goes_on(tmp_path):
    plan, output = tmp_path / "plan.toml", tmp_path / "out"
    plan.write_text(PLAN)
    process = begin(plan, output)
    try:
        begun = "arms/*/seed-0/model/private/state.pt"
        wait_until(lambda: list(output.glob(begun)), lambda: process.poll() is None)
        # As a terminal does it: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 130
    assert err.endswith("fairaudit: interrupted; the same command goes on from here\n")
    assert "Traceback" not in err
    # The tracker of shared resources, which ignores Ctrl-C, ends when it sees the others gone.
    wait_until(lambda: processes_of(process.pid) == [])
    assert not (output / "result.json").exists()

    again = begin(plan, output)
    _, err = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0, err
    assert ExperimentResult.load(output).complete


def processes_of(group: int) -> list[str]:
    """Processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(path.parent.name)
    return found
