"""The built wheel away from its sources: its name, its files, the recipe of README (issue 28.1).

``make wheel`` builds the wheel and runs these tests. The dependencies are lent by the environment
that runs them; the package itself can only come from the wheel.
"""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from fairaudit.namesake import DISTRIBUTION

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "fairaudit"
POLICY = '[[rules]]\nkind = "min_items"\nsuite = "templates"\nminimum = 1\n'

pytestmark = pytest.mark.skipif(
    "FAIRAUDIT_WHEEL" not in os.environ, reason="needs a wheel: run `make wheel`"
)


@pytest.fixture(scope="module")
def wheel() -> Path:
    (built,) = Path(os.environ["FAIRAUDIT_WHEEL"]).resolve().glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Folder of the programs of a clean environment with nothing of ours but the wheel."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    site = subprocess.run(
        [programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    subprocess.run(
        [programs / "pip", "install", "-q", "--no-deps", "--no-index", "--no-compile", wheel],
        check=True,
    )
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(installed: Path, command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    path = os.pathsep.join([str(installed), environment["PATH"]])
    return subprocess.run(
        ["bash", "-ec", command],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment | {"PATH": path, "FAIRAUDIT_CACHE": str(folder / "cache")},
    )


def test_the_wheel_carries_every_file_of_the_package(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= names


def test_the_wheel_installs_under_its_own_name(wheel, installed, tmp_path):
    assert wheel.name.startswith(f"{DISTRIBUTION.replace('-', '_')}-")
    code = (
        "import fairaudit; from importlib.metadata import version; "
        f"assert version('{DISTRIBUTION}') == fairaudit.__version__; print(fairaudit.__file__)"
    )
    done = run(installed, f'python -c "{code}"; fairaudit --version', tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(installed.parent))
    assert done.stderr == ""


def recipe() -> list[str]:
    """Shell lines of the workflow in README."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (workflow,) = re.findall(r"```yaml\n(.*?on: pull_request.*?)```", readme, re.DOTALL)
    lines: list[str] = re.findall(r"- run: (.+)", workflow)
    return lines


def test_the_recipe_does_not_install_the_unrelated_package():
    (install,) = [line for line in recipe() if "pip install" in line]
    assert "fairaudit" in install
    assert "fairaudit" not in install.split()


def test_the_recipe_of_readme_runs_from_the_wheel(installed, checkpoint, tmp_path):
    """Its audits are narrowed to one axis and its two models replaced; the rest is as printed."""
    (tmp_path / "release.toml").write_text(POLICY)
    (tmp_path / "checkpoint").symlink_to(checkpoint("gpt2"))
    for line in recipe():
        if "pip install" in line:
            continue
        command = line.replace("distilgpt2", str(checkpoint("gpt2")))
        if command.startswith("fairaudit audit "):
            command += " --suites templates --axes gender"
        done = run(installed, command, tmp_path)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "compared" / "junit.xml").is_file()
    assert "bias" in (tmp_path / "checkpoint" / "README.md").read_text().lower()
