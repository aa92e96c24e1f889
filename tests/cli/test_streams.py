"""What is printed, to whom and whether he reads it, changes no outcome (issue 24)."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys

import pytest

from fairaudit.cli.streams import OneLine, one_line
from tests.gating.cases import AMPLIFIED, INCREASE, SAME_RATE
from tests.gating.results import policy, toml

HOSTILE = "a\x1b[31m\n::error::b\r\u2028c\u202ed"


@pytest.fixture
def place(tmp_path):
    SAME_RATE.save(tmp_path / "fine")
    AMPLIFIED.save(tmp_path / "worse")
    (tmp_path / "policy.toml").write_text(toml(policy(INCREASE)))
    return tmp_path


def gate(place, name, *, after="", **environment):
    """Exit code of the gate, before what stands ``after`` it in the shell."""
    program = f"{sys.executable} -m fairaudit gate {name} --policy policy.toml"
    return subprocess.run(
        ["bash", "-c", f"{program} {after}; exit ${{PIPESTATUS[0]}}"],
        cwd=place,
        capture_output=True,
        env=os.environ | environment,
    )


@pytest.mark.parametrize(("name", "code"), [("fine", 0), ("worse", 1)])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_the_exit_code_does_not_hang_on_the_encoding(place, name, code, encoding):
    done = gate(place, name, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize(("name", "code"), [("fine", 0), ("worse", 1)])
@pytest.mark.parametrize("after", ["| head -c 0", "| head -n 1 > /dev/null", ">&-", "> /dev/null"])
def test_nor_on_whether_somebody_reads(place, name, code, after):
    done = gate(place, name, after=after)
    assert done.returncode == code, done.stderr
    assert b"rror" not in done.stderr


@pytest.mark.parametrize("summary", ["/nowhere/summary.md", "."])
def test_nor_on_a_step_summary_that_cannot_be_written(place, summary):
    done = gate(place, "fine", GITHUB_STEP_SUMMARY=summary)
    assert done.returncode == 0
    assert b"step summary: " in done.stderr


def test_errors_and_log_lines_are_one_clean_line():
    assert one_line(HOSTILE) == "a\ufffd[31m ::error::b c\ufffdd"
    assert len(one_line("x" * 10_000)) == 1000
    record = logging.LogRecord("n", logging.WARNING, "p", 1, HOSTILE, None, None)
    assert OneLine("%(levelname)s %(message)s").format(record) == f"WARNING {one_line(HOSTILE)}"


def test_a_hostile_file_name_in_an_error(tmp_path):
    path = tmp_path / "x\n::error::injected\x1b[2J"
    done = subprocess.run(
        [sys.executable, "-m", "fairaudit", "gate", str(path), "--policy", "none"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("fairaudit: ")
    assert "\x1b" not in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_requests_to_end_act_as_ctrl_c(number):
    code = (
        "import os, signal\n"
        "from fairaudit.cli import app\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        # Under nohup it would be ignored, and stay so.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        f"app.app = lambda: os.kill(os.getpid(), {int(number)})\n"
        "app.main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "fairaudit: interrupted\n")
