"""Nothing is silent: stages, shares and time left, on a pipe, on a terminal and in a notebook.

Issue 28, Build 1.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import fairaudit
from fairaudit import progress
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[1]
SUITE = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in ("nurse", "clerk", "baker", "cook", "tailor")
)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(SUITE)
    return path


def test_an_audit_tells_every_stage_and_never_goes_back(checkpoint, suite, tmp_path):
    told = []
    fairaudit.audit(
        checkpoint("gpt2"),
        suites=[str(suite)],
        output=tmp_path / "out",
        progress=lambda *step: told.append(step),
    )
    stages = list(dict.fromkeys(what for what, _, _ in told))
    assert stages == [
        "loading model and items",
        "scoring",
        "tabulating scores",
        "estimating and resampling",
        "drawing figures and report",
    ]
    for stage in stages:
        steps = [(done, total) for what, done, total in told if what == stage]
        assert len({total for _, total in steps}) == 1
        assert steps == sorted(steps)
        assert all(0 <= done <= total for done, total in steps)
    # The model being done is not the end: what follows is said after it.
    assert told[-1][0] == "drawing figures and report"


def test_a_comparison_tells_its_stages(checkpoint, suite):
    told = []
    audits = [
        fairaudit.audit(checkpoint(family), suites=[str(suite)], label=family, progress=False)
        for family in ("gpt2", "gpt2-pad")
    ]
    fairaudit.compare(audits, progress=lambda *step: told.append(step))
    # One suite and the probe text.
    assert told == [("comparing and resampling", done, 2) for done in (0, 1)]


def test_without_a_terminal_a_line_is_due_even_while_work_says_nothing():
    """The work below reports once, then blocks until lines have come without another report."""
    stream = io.StringIO()
    with progress._lines(stream, every=0.01) as tell:
        tell("bootstrap", 1, 4)
        wait_until(lambda: stream.getvalue().count("\n") >= 3)
        tell("figures", 0, 0)
    lines = stream.getvalue().splitlines()
    assert re.fullmatch(r"fairaudit: bootstrap: 25 %, about \d+ s left", lines[1])
    assert lines[-1] == "fairaudit: figures"


def test_the_longest_silence_is_half_a_minute():
    assert progress.EVERY <= 30


def test_short_work_says_nothing_and_leaves_no_thread():
    stream = io.StringIO()
    before = threading.active_count()
    with progress._lines(stream, every=PATIENCE) as tell:
        for step in range(50):
            tell(f"stage {step}", step, 50)
    assert stream.getvalue() == ""
    assert threading.active_count() == before


def test_a_detail_that_changes_is_no_new_stage():
    stage = progress.Stage()
    assert stage.update("training · loss 3.2", 1, 10)
    began = stage.began
    assert not stage.update("training · loss 3.1", 2, 10)
    assert stage.began == began
    assert stage.words().startswith("training · loss 3.1: 20 %, about ")


@pytest.mark.parametrize(
    ("done", "total", "words"),
    [(0, 0, "a"), (3, 0, "a"), (0, 5, "a: 0 %"), (5, 5, "a: 100 %, about 0 s left"),
     (7, 5, "a: 100 %, about 0 s left")],
)  # fmt: skip
def test_stage_and_share_in_words(done, total, words):
    stage = progress.Stage()
    stage.update("a", done, total)
    assert stage.words() == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (89.4, "89 s"), (90, "2 min"), (3540, "59 min"), (3600, "1 h 0 min"),
     (5400, "1 h 30 min")],
)  # fmt: skip
def test_durations_in_words(seconds, words):
    assert progress.duration(seconds) == words


@pytest.mark.long
def test_a_terminal_shows_a_bar_and_stages(checkpoint, suite, tmp_path):
    parent, child = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "fairaudit", "audit", checkpoint("gpt2"), "--suites", suite,
         "--output", tmp_path / "out"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=child,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )  # fmt: skip
    os.close(child)
    shown = b""
    try:
        while chunk := os.read(parent, 4096):
            shown += chunk
    except OSError:
        pass  # The other end is closed when the program ends.
    done.communicate(timeout=PATIENCE)
    assert done.returncode == 0
    assert b"drawing figures and report" in shown


@pytest.mark.long
def test_quiet_shows_no_bar(checkpoint, suite):
    parent, child = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "fairaudit", "audit", checkpoint("gpt2"), "--suites", suite, "-q"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=child, timeout=PATIENCE,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"")
    os.set_blocking(parent, False)
    with pytest.raises(BlockingIOError):
        os.read(parent, 1)
    os.close(child)
    os.close(parent)


def test_a_notebook_shows_a_bar_and_does_not_store_it():
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import RichOutput, capture_output

    shell = InteractiveShell.instance()
    try:
        assert not progress.in_notebook()
        shell.kernel = object()
        assert progress.in_notebook()
        with capture_output() as shown, progress.shown() as tell:
            tell("estimating", 1, 2)
        pages = [output for output in shown.outputs if isinstance(output, RichOutput)]
        assert "<progress value='0.500'>" in pages[1].data["text/html"]
        assert "estimating: 50 %" in pages[1].data["text/html"]
        assert pages[-1].data["text/html"] == ""
        assert all(page.update for page in pages[1:])
    finally:
        InteractiveShell.clear_instance()


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_an_installation_by_make_says_what_it_does(tmp_path):
    """Of a fresh clone, without doing it: the first line says so, and pip is not silenced."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(["make", "-n", "demo"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    installs = [place for place, line in enumerate(lines) if "pip install" in line]
    assert any("Installing" in line for line in lines[: installs[0]])
    assert not any(" -q" in lines[place] for place in installs)
