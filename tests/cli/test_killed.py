"""SIGKILL at 20 random points of each long run: the same command then ends in an equal result."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_interrupted import SUITE
from tests.conftest import CORPUS

KILLS = 20
DRIVER = Path(__file__).with_name("killed.py")
PLAN = """
name = "tiny"
seeds = 1
arms = ["plain"]
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
steps = 4
batch_size = 10
max_length = 32
learning_rate = 1e-3
"""


def killed(folder: Path, *arguments: object) -> list[Path]:
    """Output folders: of the run that nobody disturbed, then of those that were killed."""
    command = [sys.executable, DRIVER, KILLS, "issue 24", folder, *arguments]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["killed"] == KILLS
    print(told)
    return [folder / str(number) / "out" for number in range(told["series"] + 1)]


def result_of(output: Path) -> dict:
    """What a result says, without times and places."""
    content = json.loads((output / "result.json").read_text())
    return {name: value for name, value in content.items() if name not in {"run", "digest"}}


def bytes_of(folder: Path, pattern: str) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.glob(pattern))
    }


def nothing_left(output: Path) -> None:
    hidden = {path.name for path in output.parent.iterdir()} - {"cache", "out", "touched"}
    assert hidden == set()
    assert not list(output.rglob("*partial*"))


@pytest.mark.long
@pytest.mark.fault("SIGKILL at 20 random points of an audit", "run again: an equal result")
def test_a_killed_audit(checkpoint, tmp_path):
    suite = tmp_path / "mine.csv"
    suite.write_text(SUITE)
    whole, *others = killed(
        tmp_path / "runs", "audit", checkpoint("gpt2"), "--suites", suite, "--token-budget", 200,
        "--device", "cpu", "--output", "{out}",
    )  # fmt: skip
    for output in others:
        assert result_of(output) == result_of(whole)
        assert bytes_of(output, "items/*") == bytes_of(whole, "items/*") != {}
        assert {path.name for path in output.iterdir()} == {path.name for path in whole.iterdir()}
        nothing_left(output)


@pytest.mark.long
@pytest.mark.fault("SIGKILL at 20 random points of a fine-tuning", "equal weights after `--resume`")
def test_a_killed_training(checkpoint, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("\n".join(CORPUS))
    whole, *others = killed(
        tmp_path / "runs", "finetune", checkpoint("gpt2"), "--train", text, "--steps", 6,
        "--batch-size", 2, "--max-length", 16, "--checkpoint-every", 2, "--held-out", text,
        "--device", "cpu", "--output", "{out}", "{resume}",
    )  # fmt: skip
    for output in others:
        for name in ("model.safetensors", "training.json", "private/log.jsonl"):
            assert bytes_of(output, name) == bytes_of(whole, name) != {}, name


@pytest.mark.long
@pytest.mark.fault("SIGKILL at 20 random points of an experiment", "run again: an equal result")
def test_a_killed_experiment(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN)
    whole, *others = killed(
        tmp_path / "runs", "experiment", plan, "--processes", 1, "--output", "{out}"
    )
    for output in others:
        assert _comparable(output) == _comparable(whole)


def _comparable(output: Path) -> dict:
    content = result_of(output)
    for run in content["runs"]:
        run.pop("seconds", None)
    return content
