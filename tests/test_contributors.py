"""What contributors and CI read: the files are sound, and name nothing that is not there."""

from __future__ import annotations

import ast
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs.site.architecture import PICTURE, direct, drawn, heights, rooms
from fairaudit._version import __version__

ROOT = Path(__file__).resolve().parents[1]
YAML = sorted([
    *(ROOT / ".github").rglob("*.yml"), ROOT / "action.yml", ROOT / ".pre-commit-config.yaml",
    *(ROOT / "integrations").rglob("*.yml"),
])  # fmt: skip
TEXTS = sorted([
    *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md"),
    *(ROOT / ".github").rglob("*.md"), *(ROOT / ".github").rglob("*.yml"),
    *(ROOT / "fairaudit").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "Makefile",
    *(ROOT / "benchmarks").rglob("*.py"),
])  # fmt: skip
#: Files that a text may name without their being here: what a user has.
_OF_OTHERS = {"README.md"}
GATE = ROOT / "integrations" / "gate.sh"
POLICY = """
[policy]
name = "ci"
[[rules]]
kind = "min_items"
suite = "templates"
minimum = {minimum}
"""


def test_the_picture_of_the_rooms_is_that_of_the_imports():
    assert PICTURE.read_text(encoding="utf-8") == drawn(rooms()), (
        "run python -m docs.site.architecture"
    )


def test_rooms_stand_above_what_they_import():
    found = rooms()
    level = heights(found)
    assert {"cli", "stats", "integrations", "results"} <= found.keys()
    assert all(level[one] < level[room] for room, used in found.items() for one in used)
    assert all(direct(found)[room] <= used for room, used in found.items())
    with pytest.raises(ValueError, match="a -> b -> a"):
        heights({"a": frozenset("b"), "b": frozenset("a")})


def test_one_place_knows_where_data_from_outside_the_repository_lies():
    """So that a run without it is green, and says in one way what it left out."""
    place = re.compile(r"/shared(/|$)|^shared/")
    for path in (ROOT / "tests").rglob("*.py"):
        if path in {ROOT / "tests" / "conftest.py", Path(__file__)}:
            continue
        nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
        joined = [node.right for node in nodes if isinstance(node, ast.BinOp)]
        named = [node.value for node in joined if isinstance(node, ast.Constant)]
        texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
        said = [one for one in texts if isinstance(one, str) and " " not in one]
        assert "shared" not in named, path
        assert not [one for one in said if place.search(one)], path


def test_no_text_names_a_page_that_is_not_in_the_repository():
    ours = [*TEXTS, *(ROOT / "reports").rglob("*.md"), *(ROOT / "benchmarks").rglob("*.md")]
    pages = {path.name for path in ours} | _OF_OTHERS
    for path in TEXTS:
        named = set(re.findall(r"(?<![\w*{}<>])([A-Z][A-Z_]+\.md)\b", path.read_text("utf-8")))
        assert named <= pages, f"{path} cites {named - pages}"


@pytest.mark.parametrize("path", YAML, ids=lambda path: str(path.relative_to(ROOT)))
def test_yaml_is_sound(path):
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(content, dict)


def test_workflows_name_what_the_makefile_and_the_repository_have():
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}
        for job in workflow["jobs"].values():
            for step in job["steps"]:
                assert ("run" in step) != ("uses" in step)
                for line in step.get("run", "").splitlines():
                    if line.startswith("make "):
                        assert set(line.split()[1:]) <= targets
                    for name in re.findall(r"(?<!\S)(\.\w[\w./]+)", line):
                        assert (ROOT / name).exists()


def test_the_action_puts_no_input_into_a_script():
    """An expression in a script is read as shell: whoever names a branch could run commands."""
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert step["shell"] == "bash"
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text()))
    assert used == action["inputs"].keys()


def test_action_and_template_set_what_the_script_reads():
    read = set(re.findall(r"\bFAIRAUDIT_\w+", GATE.read_text()))
    action = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]["env"]
    job = yaml.safe_load((ROOT / "integrations/gitlab/bias.yml").read_text())[".fairaudit"]
    assert read == {name for name in action if name.startswith("FAIRAUDIT_")}
    assert read == job["variables"].keys() - {"FAIRAUDIT_SOURCE"}


def _shell_parts() -> dict[str, str]:
    """Everything that a shell runs for contributors and CI, by where it stands."""
    found = {path.name: path.read_text("utf-8") for path in (GATE, ROOT / ".ci" / "run")}
    for path in YAML:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        jobs = {**content.get("jobs", {}), "": content.get("runs", {})}
        for name, job in jobs.items():
            for number, step in enumerate(job.get("steps", ())):
                found[f"{path.name} {name} {number}"] = step.get("run", "")
        for name, job in content.items():
            if isinstance(job, dict) and "script" in job:
                found[f"{path.name} {name}"] = "\n".join(job["script"])
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found["Dockerfile"] = "\n".join(re.findall(r"^RUN (.*)$", docker, re.MULTILINE))
    return {where: text for where, text in found.items() if text}


@pytest.mark.parametrize("where", _shell_parts())
def test_shell_parts_are_sound(where):
    text = _shell_parts()[where]
    # An expression of GitHub is put in before the shell sees the line.
    text = re.sub(r"\$\{\{.*?\}\}", "X", text)
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    found = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}"
                         f"{os.environ['PATH']}")  # fmt: skip
    if found is None:
        pytest.skip("needs shellcheck")
    done = subprocess.run([found, "--shell=bash", "-"], input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def ci(tmp_path, checkpoint):
    """A folder of a CI job: models, configuration, and the program on the path."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "fairaudit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fairaudit "$@"\n')
    program.chmod(0o755)
    (tmp_path / "audit.toml").write_text('suites = ["templates"]\naxes = ["gender"]\nlimit = 20\n')
    environment = {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "FAIRAUDIT_BASE": str(checkpoint("gpt2")),
        "FAIRAUDIT_CANDIDATE": str(checkpoint("gpt2-pad")),
        "FAIRAUDIT_POLICY": "policy.toml",
        "FAIRAUDIT_CONFIG": "audit.toml",
        "GITHUB_OUTPUT": str(tmp_path / "outputs"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
    }

    def run(minimum: int, **more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "policy.toml").write_text(POLICY.format(minimum=minimum))
        return subprocess.run(
            ["bash", GATE],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
        )

    return run


@pytest.mark.long
def test_the_script_of_ci_ends_as_its_gate_does(ci, tmp_path):
    done = ci(1)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "outputs").read_text() == "decision=PASS\n"
    assert (tmp_path / "compared" / "junit.xml").is_file()
    assert "templates" in (tmp_path / "step.md").read_text()
    failed = ci(1000)
    assert failed.returncode == 1, failed.stderr
    assert (tmp_path / "outputs").read_text().endswith("decision=FAIL\n")


@pytest.mark.long
def test_the_script_of_ci_says_what_it_lacks(ci):
    assert "name the base model" in ci(1, FAIRAUDIT_BASE="").stderr
    assert ci(1, FAIRAUDIT_CANDIDATE="no/such/model").returncode == 2


@pytest.mark.parametrize(
    ("tag", "changelog", "faults"),
    [
        ("v1.2.0", "## [1.2.0] - 2026-01-31\n", 0),
        ("1.2.0", "## [1.2.0] - 2026-01-31\n", 1),
        ("v1.3.0", "## [Unreleased]\n", 2),
        ("v1.2.0", "## [1.2.0]\n", 1),
    ],
)
def test_a_release_needs_its_version_and_its_changes(tag, changelog, faults):
    check = runpy.run_path(str(ROOT / ".github" / "check_release.py"))["faults"]
    assert len(check(tag, "1.2.0", changelog)) == faults


def test_the_changelog_keeps_its_form():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[[\w.]+\] - \d{4}-\d\d-\d\d", one) for one in sections[1:])
    kinds = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert "schema" in text.partition("## [")[0].lower()
    assert __version__


def test_the_image_is_built_of_what_is_there_and_runs_as_nobody_special():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("COPY "):
            *sources, _ = line.split()[1:]
            assert all((ROOT / source).exists() for source in sources)
            assert {f"!{source.removeprefix('./')}" for source in sources} <= set(ignored)
    words = [line.split()[0] for line in lines if line and line[0].isupper()]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert 'CMD ["demo", "--output", "demo"]' in lines
