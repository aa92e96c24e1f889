"""Imports run one way, and the light parts stay light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"
HEAVY = {"torch", "transformers", "datasets", "opacus", "peft", "accelerate"}
LIGHT_ROOMS = ("stats", "metrics", "results", "report", "suites", "comparing")
#: What any room may import: nothing of ours stands below it but errors and progress.
EVERYWHERE = {"durable", "forks", "lines", "options", "parsing", "ranks", "vocabulary"}
#: What each room may import of fairaudit; the rooms of a suite's inner files are their own.
ALLOWED = {
    "errors": set(),
    "items": set(),
    # stats: a stored number is asked for bounds at other levels.
    "results": {"errors", "items", "results", "stats"},
    "stats": {"errors", "stats"},
    "metrics": {"errors", "items", "results", "stats", "metrics"},
    "suites": {"errors", "items", "results", "stats", "metrics", "suites"},
    "scoring": {"errors", "items", "results", "scoring"},
    "gradients": {"errors", "gradients"},
    "augmentation": {"errors", "augmentation"},
    "training": {
        "errors",
        "results",
        "scoring",
        "gradients",
        "augmentation",
        "diagnostics",
        "training",
        "versions",
    },
    # suites and scoring.token_rows: the bias score is that of the audit's own pairs, encoded as the
    # audit does; report: a saved diagnosis carries its page, as a comparison does.
    "diagnostics": {
        "errors",
        "items",
        "results",
        "stats",
        "gradients",
        "augmentation",
        "diagnostics",
        "scoring",
        "suites",
        "report",
        "progress",
        "versions",
    },
    # report: a comparison writes its page.
    "comparing": {
        "comparing",
        "errors",
        "items",
        "metrics",
        "progress",
        "report",
        "results",
        "stats",
    },
    "options": {"errors", "progress"},
    "progress": set(),
    "namesake": set(),
    "versions": {"_version"},
    "vocabulary": set(),
    "report": {"errors", "items", "results", "report", "_version"},
    # report: an audit writes its page. training: a privacy statement is recomputed.
    "auditing": {
        "auditing",
        "errors",
        "items",
        "metrics",
        "progress",
        "report",
        "results",
        "scoring",
        "suites",
        "training",
        "versions",
    },
    # scoring.texts: what a recorded text answers is read as a model's own is.
    "recorded": {
        "auditing",
        "errors",
        "items",
        "metrics",
        "recorded",
        "results",
        "scoring",
        "suites",
        "versions",
    },
    "gating": {"errors", "gating", "results", "stats"},
    "experiments": {
        "auditing",
        "comparing",
        "diagnostics",
        "errors",
        "experiments",
        "items",
        "progress",
        "report",
        "results",
        "scoring",
        "stats",
        "suites",
        "training",
        "versions",
    },
    # Joins the verbs with other programs; nothing of ours imports it but the command line.
    "integrations": {
        "auditing",
        "comparing",
        "diagnostics",
        "errors",
        "gating",
        "gradients",
        "integrations",
        "items",
        "report",
        "results",
        "scoring",
        "suites",
        "training",
    },
    "pytest_plugin": {"gating", "results"},
}


def imported(path: Path) -> set[str]:
    """Absolute names of all modules that a file imports, at any depth."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def rooms(path: Path) -> set[str]:
    """Rooms of fairaudit that a file imports."""
    found = {name.split(".")[1] for name in imported(path) if name.startswith("fairaudit.")}
    return found


@pytest.mark.parametrize("room", ALLOWED)
def test_a_room_imports_only_what_stands_below_it(room):
    files = list((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    for path in files:
        assert rooms(path) <= ALLOWED[room] | EVERYWHERE, path


@pytest.mark.parametrize("room", LIGHT_ROOMS)
def test_light_rooms_never_import_heavy_packages(room):
    for path in (PACKAGE / room).rglob("*.py"):
        heavy = {name.split(".")[0] for name in imported(path)} & HEAVY
        assert not heavy, f"{path} imports {heavy}"


def test_nothing_imports_the_command_line():
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name != "cli" and path.name != "__main__.py":
            assert "cli" not in rooms(path), path


def test_the_library_does_not_print():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "print", path


def test_help_needs_no_heavy_package():
    code = (
        "import sys; sys.argv = ['fairaudit', '--help']\n"
        "from fairaudit.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', sorted(set(sys.modules) & {HEAVY!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "audit-scores" in done.stdout
    assert done.stdout.rstrip().endswith("HEAVY []")


def test_public_names_are_importable():
    import fairaudit

    for name in fairaudit.__all__:
        assert getattr(fairaudit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        fairaudit.nothing  # noqa: B018
