"""The store of scores stays bounded, loses the oldest first, and nothing while somebody reads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.scoring import pruning
from fairaudit.scoring.pruning import EVERY, MOST_SECONDS, prune, used
from fairaudit.scoring.segments import Segments

NOW = 2_000_000_000.0
KEY = b"k" * 32


def store(root, name: str, *, n_bytes: int = 100, age: float = 0.0) -> Segments:
    """A context with one segment of about so many bytes, last used so many seconds before `NOW`."""
    made = Segments(root, {"name": name}, "scores")
    made.put(KEY, b"x" * n_bytes)
    stamp(made.folder, age)
    return made


def stamp(folder, age: float) -> None:
    for path in (*folder.iterdir(), folder):
        os.utime(path, (NOW - age, NOW - age))


def kept(root) -> set[str]:
    return {path.parent.name for path in root.rglob("*.scores")}


def overdue(root) -> None:
    """As if nobody had looked for too much since long ago."""
    os.utime(root / ".lock", (0, 0))


def test_what_was_not_used_for_long_goes_with_its_folder(tmp_path):
    old = store(tmp_path, "old", age=MOST_SECONDS + 1)
    new = store(tmp_path, "new", age=MOST_SECONDS - 1)
    assert prune(tmp_path, NOW) > 0
    assert kept(tmp_path) == {new.folder.name}
    assert not old.folder.exists()


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(0, 1000)), min_size=1, max_size=6))
def test_what_is_left_is_bounded_and_the_latest(tmp_path_factory, sizes):
    root = tmp_path_factory.mktemp("store")
    most = 700
    made = [
        store(root, str(number), n_bytes=n_bytes, age=float(age))
        for number, (n_bytes, age) in enumerate(sizes)
    ]
    age = {one.folder.name: age for one, (_, age) in zip(made, sizes, strict=True)}
    size = {one.folder.name: sum(p.stat().st_size for p in one.folder.iterdir()) for one in made}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pruning, "MOST_BYTES", most)
        gone = prune(root, NOW)
    left = kept(root)
    assert sum(size[name] for name in left) == sum(size.values()) - gone <= most
    removed = age.keys() - left
    assert all(age[one] >= age[other] for one in removed for other in left)
    if removed:
        last = max(removed, key=lambda name: (-age[name], name))
        assert sum(size[name] for name in left) + size[last] > most, "more than had to"


def test_reading_is_use(tmp_path):
    store(tmp_path, "a", age=MOST_SECONDS + 1)
    assert Segments(tmp_path, {"name": "a"}, "scores").get(KEY) is not None
    (folder,) = (path.parent for path in tmp_path.rglob("*.scores"))
    # The system's clock says when it was read; that is all that pruning goes by.
    assert prune(tmp_path, folder.stat().st_mtime) == 0


def test_what_the_program_did_not_make_stays(tmp_path):
    folder = store(tmp_path, "a", age=MOST_SECONDS + 1).folder
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    others = [
        tmp_path / "notes.scores",
        folder / "notes.txt",
        elsewhere / "mine.scores",
    ]
    for path in others:
        path.write_text("mine")
    (tmp_path / ("f" * 32)).symlink_to(elsewhere)
    (folder / "link.scores").symlink_to(elsewhere / "mine.scores")
    stamp(folder, MOST_SECONDS + 1)
    prune(tmp_path, NOW)
    assert all(path.read_text() == "mine" for path in others)
    assert (folder / "link.scores").is_symlink()


def test_the_first_use_prunes_once_a_day(tmp_path):
    made = store(tmp_path, "old")
    segment = next(made.folder.iterdir())
    folder = made.folder
    # Both are of long ago by any clock.
    os.utime(segment, (0, 0))
    os.utime(folder, (0, 0))
    del made
    Segments(tmp_path, {}, "scores")
    assert segment.exists(), "looked at when the lock was made, a moment ago"
    overdue(tmp_path)
    Segments(tmp_path, {}, "scores")
    assert not segment.exists()
    assert (tmp_path / ".lock").stat().st_mtime > EVERY


READER = (
    "import sys, pathlib\n"
    "from fairaudit.scoring.segments import Segments\n"
    "held = Segments(pathlib.Path(sys.argv[1]), {}, 'scores')\n"
    "print('reading', flush=True)\n"
    "sys.stdin.read()\n"
)


def test_nothing_goes_while_another_process_reads(tmp_path):
    made = store(tmp_path, "old")
    segment = next(made.folder.iterdir())
    del made
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "reading\n"
        for path in (segment, segment.parent, tmp_path / ".lock"):
            os.utime(path, (0, 0))
        use = used(tmp_path)
        assert use is not None
        assert segment.exists()
        del use
        reader.communicate("")
    # It was still due, and now nobody reads.
    assert used(tmp_path) is not None
    assert not segment.exists()


def test_a_store_that_is_not_there_is_not_made_by_reading(tmp_path):
    assert Segments(tmp_path / "none", {}, "scores").get(KEY) is None
    assert not (tmp_path / "none").exists()


def test_a_lock_that_cannot_be_had_is_no_error_and_prunes_nothing(tmp_path):
    made = store(tmp_path, "old")
    del made
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").mkdir()
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    again = Segments(tmp_path, {"name": "old"}, "scores")
    assert again.get(KEY) is not None
