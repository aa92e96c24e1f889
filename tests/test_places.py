"""Nothing outside a run's own folder is written or removed: issue 18, item 16."""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.errors import ResultError
from fairaudit.report.files import write_report
from fairaudit.results import AuditResult
from fairaudit.results.digest import sealed
from fairaudit.results.files import (
    made_once,
    refuse_unwritable,
    staged_folder,
    write_text,
)
from fairaudit.results.folders import refuse_other_result
from fairaudit.results.locks import alone_in
from fairaudit.results.places import inside, named, remove_file, remove_folder
from fairaudit.results.texts import PromptTexts
from fairaudit.training.private import PrivateFolder
from fairaudit.training.saving import write_last
from tests.report import audits

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"

#: Calls that remove or replace something, whatever they are called on.
REMOVERS = {
    "rmtree", "unlink", "rmdir", "removedirs", "rename", "renames", "move", "copy", "copy2",
    "copyfile", "copytree", "symlink_to", "hardlink_to", "truncate",
}  # fmt: skip
#: Calls of `os`; strings and dataclasses have a `replace` of their own.
OF_OS = {"remove", "replace", "unlink", "rmdir", "link", "symlink"}

#: Every place that removes or replaces, reviewed: what it may touch, and why only that.
REVIEWED = {
    "augmentation/files.py:_replaced_when_whole:unlink": "its own partial file",
    "durable.py:put_in_place:os.replace": "what callers name: an output or card of the user's, a "
    "pinned file of the cache, or a place found by `inside`",
    "durable.py:replaced_when_whole:unlink": "the partial file that it made",
    "cli/gate.py:forget_decision:unlink": "gate.json with our schema, in the folder named",
    "report/card/update.py:_write:unlink": "its own temporary file",
    "results/locks.py:alone_at:os.unlink": "the lock that it holds, under a name of the program",
    "results/files.py:_remove_stage:rmtree": "its own temporary folder, or a stage of ours whose "
    "process is gone: its name is the program's, and nobody holds its lock",
    "results/files.py:_remove_stage:unlink": "a file of such a stage",
    "results/files.py:_remove_stage:rmdir": "such a stage, emptied",
    "results/files.py:_remove_left_behind:rmdir": "an empty folder under the name of a stage",
    "results/files.py:made_once:rename": "its own partial folder, to a name of the program",
    "results/places.py:remove_file:unlink": "found by `inside`",
    "results/places.py:remove_folder:rmtree": "found by `inside`",
    "scoring/endpoint.py:remove:unlink": "answers of this run, in the cache",
}


class Visitor(ast.NodeVisitor):
    """Collects calls that remove or replace, with the function that they stand in."""

    def __init__(self, name: str) -> None:
        self.name, self.functions, self.found = name, ["<module>"], set()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.functions.append(node.name)
        self.generic_visit(node)
        self.functions.pop()

    def visit_Call(self, node: ast.Call) -> None:
        called = self._called(node.func)
        # Of a path; strings and dates are given more, and copies of records are given names.
        if called is None and isinstance(node.func, ast.Attribute) and node.func.attr == "replace":
            called = "replace" if len(node.args) == 1 and not node.keywords else None
        if called is not None:
            self.found.add(f"{self.name}:{self.functions[-1]}:{called}")
        self.generic_visit(node)

    def _called(self, func: ast.expr) -> str | None:
        if isinstance(func, ast.Name):
            return func.id if func.id in REMOVERS - {"copy", "move"} else None
        if not isinstance(func, ast.Attribute):
            return None
        owner = func.value.id if isinstance(func.value, ast.Name) else ""
        if owner == "os":
            return f"os.{func.attr}" if func.attr in OF_OS | REMOVERS else None
        if func.attr in {"copy", "move"} and owner != "shutil":
            return None
        return func.attr if func.attr in REMOVERS else None


def removing(path: Path) -> set[str]:
    visitor = Visitor(path.relative_to(PACKAGE).as_posix())
    visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
    return visitor.found


def test_every_place_that_removes_is_reviewed():
    """A new one needs a line above, and `fairaudit.results.places` unless it made the file."""
    found = set().union(*(removing(path) for path in PACKAGE.rglob("*.py")))
    assert found == set(REVIEWED)


def test_the_walk_finds_what_removes(tmp_path, monkeypatch):
    """So that the list above cannot be whole because nothing is found."""
    monkeypatch.setattr(f"{__name__}.PACKAGE", tmp_path)
    path = tmp_path / "new.py"
    path.write_text(
        "def tidy(a, frame, text):\n"
        "    shutil.rmtree(a); a.unlink(); os.remove(a); rmtree(a); shutil.move(a, a)\n"
        "    a.replace(a)\n"
        "    frame.copy(); text.replace('a', 'b'); replace(a, b=1)\n"
    )
    assert removing(path) == {
        f"new.py:tidy:{call}" for call in ("rmtree", "unlink", "os.remove", "move", "replace")
    }


# --- the one function ---------------------------------------------------------------------------

NAMES_OUT = ["../victim", "a/../../victim", "..", ".", "", "/etc", "a//b", "a\\..\\..\\b", "a\0b",
             "./a", "a/.", "a/ ../b"]  # fmt: skip


class World(NamedTuple):
    own: Path
    victim: Path


@pytest.fixture
def world(tmp_path) -> World:
    own, victim = tmp_path / "own", tmp_path / "victim"
    for folder in (own, victim):
        folder.mkdir()
        (folder / "kept.txt").write_text(folder.name)
    return World(own, victim)


def untouched(world: World) -> bool:
    return [path.name for path in world.victim.iterdir()] == ["kept.txt"] and (
        world.victim / "kept.txt"
    ).read_text() == "victim"


@pytest.mark.parametrize("name", NAMES_OUT)
@pytest.mark.parametrize("use", [named, inside, remove_folder, remove_file])
def test_a_name_that_leads_out_is_refused(world, use, name):
    with pytest.raises(ResultError, match="not the name of a file in this folder"):
        use(world.own, name)
    assert untouched(world)
    assert (world.own / "kept.txt").exists()


@given(st.lists(st.sampled_from(["..", ".", "a", "b c", "", "/", "..."]), max_size=5))
def test_whatever_the_name_the_place_is_below_the_folder(parts):
    folder = Path("/somewhere/own")
    try:
        place = named(folder, "/".join(parts))
    except ResultError:
        return
    assert Path(os.path.normpath(place)).is_relative_to(folder)
    assert Path(os.path.normpath(place)) != folder


@pytest.mark.parametrize("name", ["link", "link/deeper", "link/kept.txt"])
@pytest.mark.parametrize("use", [inside, remove_folder, remove_file])
def test_a_link_that_leads_out_is_refused(world, use, name):
    (world.own / "link").symlink_to(world.victim)
    with pytest.raises(ResultError, match="link out of"):
        use(world.own, name)
    assert untouched(world)


def test_links_are_followed_for_reading_and_the_folder_may_be_one(world, tmp_path):
    (world.own / "file").symlink_to(world.victim / "kept.txt")
    assert named(world.own, "file").read_text() == "victim"
    (tmp_path / "other_name").symlink_to(world.own)
    remove_file(tmp_path / "other_name", "kept.txt")
    assert not (world.own / "kept.txt").exists()


def test_a_folder_is_removed_with_what_it_holds_and_may_be_missing(world):
    write_text(world.own / "a" / "b" / "c.txt", "x")
    remove_folder(world.own, "a")
    remove_folder(world.own, "a")
    assert [path.name for path in world.own.iterdir()] == ["kept.txt"]


# --- everything that writes ---------------------------------------------------------------------


def _staged(own: Path) -> None:
    with staged_folder(own) as stage:
        write_text(stage / "link" / "new.txt", "x")


def _private(own: Path) -> None:
    (own / "link").rename(own / "private")
    PrivateFolder(own).create()


def _private_file(own: Path) -> None:
    private = PrivateFolder(own)
    private.create()
    (own / "private" / ".log.jsonl.partial").symlink_to(own.parent / "victim" / "kept.txt")
    private.write_text("log.jsonl", "x")


def _last(own: Path) -> None:
    (own / ".arm.json.partial").symlink_to(own.parent / "victim" / "kept.txt")
    write_last(own, "arm.json", "x")


def _once(own: Path) -> None:
    (own / ".base.partial").symlink_to(own.parent / "victim")
    made_once(own / "base", lambda folder: write_text(folder / "new.txt", "x"))


def _lock(own: Path) -> None:
    (own / ".lock").symlink_to(own.parent / "victim" / "kept.txt")
    with alone_in(own, "testing"):
        pass


def _figures(own: Path) -> None:
    (own / "link").rename(own / "figures")
    write_report(audits.whole_audit(), own)


@pytest.mark.parametrize("write", [_staged, _private, _private_file, _last, _once, _lock, _figures])
def test_nothing_is_written_through_a_link(world, write):
    (world.own / "link").symlink_to(world.victim)
    with pytest.raises(ResultError, match="link out of"):
        write(world.own)
    assert untouched(world)


@pytest.mark.parametrize("room", ["items", "texts", "figures", "private", "arms"])
def test_such_a_link_is_refused_before_anything_is_computed(world, room):
    (world.own / room).symlink_to(world.victim)
    with pytest.raises(ResultError, match="link out of"):
        refuse_unwritable(world.own)
    with pytest.raises(ResultError, match="link out of"):
        refuse_other_result(world.own, AuditResult, {})


def test_an_output_folder_may_be_a_link(world, tmp_path):
    (tmp_path / "link").symlink_to(world.own)
    with staged_folder(tmp_path / "link") as stage:
        write_text(stage / "new.txt", "x")
    assert (world.own / "new.txt").read_text() == "x"


def test_the_figures_of_others_stay(tmp_path):
    """Only what carries our mark is an earlier report's."""
    full = audits.whole_audit()
    write_report(full, tmp_path)
    ours = {path.name for path in (tmp_path / "figures").iterdir()}
    theirs = tmp_path / "figures" / "differences_of_mine.png"
    theirs.write_bytes(b"\x89PNG of somebody")
    yaml = tmp_path / ".eval_results" / "stereoset_intersentence.yaml"
    yaml.write_text("- mine\n")
    empty = full.model_copy(update={"estimates": ()})
    write_report(empty, tmp_path)
    assert ours
    assert [path.name for path in (tmp_path / "figures").iterdir()] == [theirs.name]
    assert yaml.exists()


def test_a_suite_whose_name_is_a_path_is_not_read_or_written(tmp_path):
    folder, victim = tmp_path / "audit", tmp_path / "victim.parquet"
    pd.DataFrame({"a": [1]}).to_parquet(victim)
    (tmp_path / "victim.jsonl").write_text("")
    before = victim.read_bytes()
    audit = audits.whole_audit()
    audit.save(folder)
    content = json.loads((folder / "result.json").read_text())
    content["suites"][0]["suite"] = "../../victim"
    (folder / "result.json").write_text(json.dumps(sealed(content)))
    edited = AuditResult.load(folder)
    for read in (edited.items, edited.texts):
        with pytest.raises(ResultError, match="not the name of a file"):
            read(edited.suites[0].suite)
    edited.with_tables({"../../victim": pd.DataFrame({"b": [2]})})
    with pytest.raises(ResultError, match="not the name of a file"):
        edited.save(tmp_path / "copy")
    assert victim.read_bytes() == before


def test_a_copy_of_an_audit_has_its_texts(tmp_path):
    """Read or not before the audit is saved in another folder: nothing is lost on the way."""
    texts = (PromptTexts("1", "gender", "male", "He", (" slept",), (2,), (True,)),)
    audits.whole_audit().with_texts({"bold": texts}).save(tmp_path / "first")
    AuditResult.load(tmp_path / "first").save(tmp_path / "second")
    assert AuditResult.load(tmp_path / "second").texts("bold") == texts


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    """Issue 24: a whole model in `.NAME.partial-…` after each kill."""
    target = tmp_path / "audit"
    left, held, foreign, other = (
        tmp_path / f".{name}.partial-{n}" for n, name in enumerate(["audit", "audit", "audit", "b"])
    )
    for folder in (left, held, foreign, other):
        folder.mkdir()
        (folder / "model.safetensors").write_text("x")
        if folder != foreign:
            (folder / ".lock").touch()
    (tmp_path / ".audit.partial-empty").mkdir()
    with alone_in(held, "writing here"), staged_folder(target) as stage:
        (stage / "a.txt").write_text("a")
        assert not left.exists()
    assert {path.name for path in tmp_path.iterdir()} == {
        "audit", held.name, foreign.name, other.name,
    }  # fmt: skip
    assert [path.name for path in target.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("kill_at", range(1, 8))
def test_a_process_killed_while_it_cleans_up_leaves_nothing_for_good(tmp_path, kill_at):
    """The lock of a stage went first, and what was left was taken for somebody else's."""
    target = tmp_path / "audit"
    removed = 0

    def hook(event, _):
        nonlocal removed
        if event not in {"os.remove", "os.rmdir"}:
            return
        removed += 1
        if removed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def write():
        with staged_folder(target) as stage:
            for name in ("items", "figures", "tables"):
                write_text(stage / name / "a.txt", "a")

    child = os.fork()
    if not child:
        sys.addaudithook(hook)
        write()
        os._exit(0)
    os.waitpid(child, 0)
    write()
    assert [path.name for path in tmp_path.iterdir()] == ["audit"]


def test_another_result_that_came_meanwhile_is_not_mixed_with(tmp_path):
    """Issue 24: two audits that end in one folder."""
    ours, theirs = audits.whole_audit(), audits.whole_audit().model_copy(update={"label": "b"})

    class Slow(AuditResult):
        def _json(self, sha256):
            theirs.save(tmp_path / "audit")
            return super()._json(sha256)

    slow = Slow.model_validate(ours.model_dump(by_alias=True))
    with pytest.raises(ResultError, match="holds another result"):
        slow.save(tmp_path / "audit")
    assert AuditResult.load(tmp_path / "audit").label == "b"
