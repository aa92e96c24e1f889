"""Two runs in one folder: the second one is turned away in one line, before it computes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fairaudit.auditing.run_audit import save_audit
from fairaudit.comparing.compare import save_comparison
from fairaudit.errors import ResultError
from fairaudit.results.files import staged_folder, write_text
from fairaudit.results.locks import alone_at, alone_in
from tests.cli.program import fairaudit
from tests.conftest import CORPUS
from tests.report import audits, comparisons

HOLD = """
import sys
from pathlib import Path
from fairaudit.results.locks import alone_at
with alone_at(Path(sys.argv[1]), "auditing into this folder"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def held(tmp_path):
    """Return a folder in which another process is at work."""
    folder = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield folder
    process.communicate("\n")
    assert process.returncode == 0


@pytest.mark.fault("two runs in one folder", "the second ends with exit code 2 and one line")
@pytest.mark.parametrize("verb", ["audit", "diagnose", "finetune"])
def test_the_second_run_is_turned_away(held, checkpoint, tmp_path, verb):
    """Issue 24: one of two stated epsilon 1.999 for the model of the other."""
    text = tmp_path / "text.txt"
    text.write_text("\n".join(CORPUS))
    options = {
        "audit": ["--suites", "templates", "--quick"],
        "diagnose": [],
        "finetune": ["--train", text, "--steps", 1, "--batch-size", 2],
    }[verb]
    done = fairaudit(verb, checkpoint("gpt2"), *options, "--output", held, "--device", "cpu")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"fairaudit: {held}: another process is ")
    assert not held.exists()


@pytest.mark.parametrize(
    "save",
    [
        lambda folder: save_comparison(comparisons.undecided(), folder),
        lambda folder: save_audit(audits.whole_audit(), folder),
    ],
)
def test_files_of_two_processes_are_not_mixed(held, save):
    with pytest.raises(ResultError, match="another process is writing into this folder"):
        save(held)
    assert not held.exists()


def test_nothing_is_left_of_a_lock_and_it_may_be_asked_for_again(tmp_path):
    place = tmp_path / "out"
    with alone_at(place, "testing"), alone_at(place, "testing"), staged_folder(place) as stage:
        write_text(stage / "a.txt", "a")
        assert (tmp_path / ".out.lock").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    with alone_at(place, "testing"):
        pass


def test_the_lock_of_a_killed_process_is_no_lock(tmp_path):
    (tmp_path / ".out.lock").touch()
    with alone_at(tmp_path / "out", "testing"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_place_where_no_file_can_be_made_is_not_called_busy():
    for held in (alone_at(Path("/proc/fairaudit"), "testing"), alone_in(Path("/proc"), "testing")):
        with pytest.raises(ResultError, match=r"no file can be made there|cannot"), held:
            pass


def test_a_lock_is_not_taken_through_a_link(tmp_path):
    (tmp_path / "victim").write_text("")
    (tmp_path / ".out.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(ResultError, match="is a link"), alone_at(tmp_path / "out", "testing"):
        pass
    assert (tmp_path / "victim").exists()


@pytest.mark.fault("a folder name of 250 bytes, or a longer one", "a right result; one line")
def test_names_as_long_as_a_file_system_allows(tmp_path):
    place = tmp_path / ("n" * 250)
    with alone_at(place, "testing"), staged_folder(place) as stage:
        write_text(stage / "a.txt", "a")
    assert (place / "a.txt").read_text() == "a"
    done = fairaudit("report", tmp_path / ("n" * 300))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    with pytest.raises(ResultError, match="cannot write there"), staged_folder(place / ("n" * 300)):
        pass


@pytest.mark.fault("an output folder that is a mounted volume", "a right result")
def test_a_mounted_volume_is_written_from_within(tmp_path, monkeypatch):
    """Nothing can be renamed across file systems."""
    place = tmp_path / "volume"
    place.mkdir()
    real = os.path.realpath(place)
    monkeypatch.setattr(Path, "is_mount", lambda path: os.path.realpath(path) == real)
    with alone_at(place, "testing"), staged_folder(place) as stage:
        assert stage.parent == Path(real)
        write_text(stage / "a.txt", "a")
    assert [path.name for path in place.iterdir()] == ["a.txt"]
