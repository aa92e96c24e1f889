"""The unrelated distribution ``fairaudit`` is named when it is in the environment (issue 28.1)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from fairaudit import namesake

ROOT = Path(__file__).resolve().parents[1]


def _installed(folder: Path, entry_points: str | None) -> Path:
    metadata = folder / "fairaudit-0.0.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: fairaudit\nVersion: 0.0.1\n")
    if entry_points is not None:
        (metadata / "entry_points.txt").write_text(entry_points)
    return folder


def _stderr(folder: Path, *arguments: str) -> list[str]:
    path = os.pathsep.join([str(ROOT), str(folder)])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    "arguments", [("-c", "import fairaudit"), ("-m", "fairaudit", "--version")]
)
@pytest.mark.parametrize("entry_points", [None, "[console_scripts]\nother = other:main\n"])
def test_a_foreign_fairaudit_is_named_in_one_line(tmp_path, arguments, entry_points):
    folder = _installed(tmp_path / "site", entry_points)
    (line,) = _stderr(folder, *arguments)
    assert "fairaudit-0.0.1" in line
    assert str(folder) in line
    assert "pip uninstall fairaudit fairaudit-lm" in line


def test_a_fairaudit_that_declares_our_program_is_not_foreign(tmp_path):
    ours = "[console_scripts]\nfairaudit = fairaudit.__main__:main\n"
    assert _stderr(_installed(tmp_path / "site", ours), "-c", "import fairaudit") == []


def test_folders_that_cannot_be_listed_are_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(tmp_path / "archive.zip"), str(tmp_path / "none")])
    namesake.warn_of_namesake.__wrapped__()


def test_the_distribution_has_a_name_of_its_own():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == namesake.DISTRIBUTION != "fairaudit"
    assert project["scripts"] == {"fairaudit": namesake._ENTRY_POINT}


def test_versions_are_looked_up_in_one_place():
    """Ours under a name that a foreign distribution shares was not found after fine-tuning."""
    asking = {
        path.name
        for path in (ROOT / "fairaudit").rglob("*.py")
        if re.search(r"importlib(\.metadata import| import metadata)", path.read_text("utf-8"))
    }
    assert asking == {"versions.py", "vader.py"}
