"""Code blocks of the pages: read from Markdown, and run as a reader would, in one folder."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fairaudit.experiments.experiment_plan import load_plan
from fairaudit.gating.policy import read_policy
from tests.cli.program import fairaudit
from tests.conftest import SHARED
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: Lines that a test does not run, by how they begin, and why.
NOT_RUN = {
    "git clone": "it needs the network",
    "pip install": "it needs the network",
    "docker ": "it needs a daemon",
    "make ": "CI runs it: it installs, tests and builds",
    ".venv/bin/python": "CI runs it",
    "lm_eval ": "it needs lm-evaluation-harness, which is no part of the test environment",
    "fairaudit audit-scores logged/samples.jsonl": "it reads what lm_eval writes",
    "fairaudit audit MODEL --device-map auto --max-memory 0=": "it needs a GPU",
    "torchrun --nproc-per-node 4 -m fairaudit audit MODEL --tensor-parallel": (
        "the pages' model has no plan; tests/scoring/test_parallel.py splits those that have one"
    ),
    "fairaudit experiment map --output map": "it trains 240 models, for hours",
    "fairaudit experiment demo --output": "it trains for minutes; `make demo` runs it",
}
#: Lines that need a file of ../shared, which CI has: how they begin, and the file.
SHARED_FILES = {
    "fairaudit audit-scores predictions.json.gz": (
        "golden", "stereoset", "predictions_gpt2_ModelNSP_GPT2LM.json.gz"
    ),
}  # fmt: skip
#: The address of a server on a page.
ADDRESS = "http://127.0.0.1:8000/v1"
#: A plan that a page adds a regime to.
_PLAN = """
name = "page"
seeds = 1
arms = ["plain"]
"""
#: The program `fairaudit` of this checkout, for lines that a shell runs.
_PROGRAM = """#!{python}
import sys
from fairaudit.cli.app import main
sys.argv[0] = "fairaudit"
main()
"""
#: Audits of pages are run on fewer items, and otherwise as written.
_AUDIT = re.compile(r"\bfairaudit audit ")
#: Exit codes that a gate may end with: which one it is decides nothing about the page.
_OF_GATES = {0, 1, 3}


@dataclass(frozen=True)
class Block:
    """One block of code, with the line where it stands."""

    page: str
    language: str
    text: str
    line: int


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(name, found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in re.finditer(r"^```([\w{}-]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    ]


def commands(text: str) -> Iterator[str]:
    """Lines of a shell block that are commands, continued ones as one."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            yield line


def page_file(page: str) -> Path:
    """Where a page lies: those of the repository itself are named by their file."""
    return ROOT / page if page.endswith(".md") else DOCS / f"{page}.md"


def steps_of(content: dict[str, Any]) -> Iterator[str]:
    """Lines of a workflow's steps; a job that only names an action or a template has none."""
    assert content
    for job in content.get("jobs", {}).values():
        for step in job["steps"]:
            yield from commands(step.get("run", ""))


@dataclass
class Reader:
    """Somebody who reads pages in one folder and does what they say."""

    folder: Path
    #: Where the server answers that a page names by `ADDRESS`.
    address: str = ""
    done: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def read(self, page: str) -> None:
        """Run every block of a page, after those of the pages that it builds on."""
        if page in self.done:
            return
        self.done.add(page)
        names: dict[str, Any] = {"__name__": "page"}
        for block in blocks(page_file(page)):
            with chdir(self.folder):
                self._do(block, names)

    def _do(self, block: Block, names: dict[str, Any]) -> None:
        where = f"{block.page}:{block.line}"
        match block.language:
            case "sh":
                for line in commands(block.text):
                    self._run(line, where)
            case "python" if "def test_" in block.text:
                self._test(block, where)
            case "python":
                exec(compile(block.text, where, "exec"), names)
                self.ran.append(where)
            case "toml":
                self._write(block)
            case "yaml":
                self._follow(yaml.safe_load(block.text), where)
            case "text":
                self._look(block, where)
            case "{toctree}":
                pass
            case other:
                raise AssertionError(f"{where}: nobody knows how to run '{other}'")

    def _run(self, line: str, where: str) -> None:
        if any(line.startswith(start) for start in NOT_RUN):
            self.left.append(line)
            return
        for start, parts in SHARED_FILES.items():
            if line.startswith(start):
                source = SHARED.joinpath(*parts)
                if not source.exists():
                    self.left.append(line)
                    return
                shutil.copy(source, "predictions.json.gz")
                Path("DATA").symlink_to(SHARED / "data")
        line = shlex.join(shlex.split(line, comments=True)) if "|" not in line else line
        if _AUDIT.search(line) and "--limit" not in line and "--dry-run" not in line:
            line += " --limit 20"
        program, verb, *rest = shlex.split(line.replace(ADDRESS, self.address))
        if program == "fairaudit" and not verb.startswith("--show"):
            outcome = fairaudit(verb, *rest)
            code, said = outcome.returncode, f"{outcome.stderr}{outcome.stdout}"
        else:
            code, said = self._in_a_shell(line)
        allowed = _OF_GATES if (program, verb) == ("fairaudit", "gate") else {0}
        assert code in allowed, f"{where}: {line}\n{said}"
        self.ran.append(line)

    def _follow(self, workflow: dict[str, Any], where: str) -> None:
        """Run the steps of a workflow where CI does: in a folder with models and policies."""
        with tempfile.TemporaryDirectory() as checkout:
            for one in (*Path().glob("*.toml"), Path("distilgpt2"), Path("checkpoint")):
                copy = shutil.copytree if one.is_dir() else shutil.copy
                copy(one, Path(checkout, one.name))
            with chdir(checkout):
                for line in steps_of(workflow):
                    self._run(line, where)

    def _in_a_shell(self, line: str) -> tuple[int, str]:
        """Run a line with other programs in bash, where `fairaudit` is this checkout."""
        with tempfile.TemporaryDirectory() as ours:
            program = Path(ours) / "fairaudit"
            program.write_text(_PROGRAM.format(python=sys.executable), encoding="utf-8")
            program.chmod(0o755)
            path = [ours, str(Path(sys.executable).parent), os.environ["PATH"]]
            python_path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", f"{line}\nexit $?"],
                env=os.environ
                | {"PATH": os.pathsep.join(path), "PYTHONPATH": os.pathsep.join(python_path)},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        return done.returncode, f"{done.stderr}{done.stdout}"

    def _test(self, block: Block, where: str) -> None:
        """Run a test of the page with pytest and nothing of this repository's settings."""
        Path("test_of_page.py").write_text(block.text, encoding="utf-8")
        Path("pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        code, said = self._in_a_shell("python -m pytest -q -p no:cacheprovider test_of_page.py")
        assert code == 0, f"{where}: {said}"
        self.ran.append(where)

    def _look(self, block: Block, where: str) -> None:
        """Read rows of a suite as a suite file; other text is only shown."""
        if block.text.startswith("axis,"):
            Path("rows_of_page.csv").write_text(block.text, encoding="utf-8")
            outcome = fairaudit("suites", "validate", "rows_of_page.csv")
            assert outcome.returncode == 0, f"{where}: {outcome.stderr}"
            self.ran.append(where)

    def _write(self, block: Block) -> None:
        """Keep a file under the name in its first comment; a policy is read as one."""
        named = re.match(r"# (\S+\.toml)\n", block.text)
        if named:
            Path(named[1]).write_text(block.text, encoding="utf-8")
        if "[policy]" in block.text:
            Path("policy-of-page.toml").write_text(block.text, encoding="utf-8")
            read_policy("policy-of-page.toml")
        elif named and "arms" in block.text:
            assert load_plan(named[1]).arms, block
        elif not named:
            Path("plan-of-page.toml").write_text(f"{_PLAN}\n{block.text}", encoding="utf-8")
            assert load_plan("plan-of-page.toml").regimes(), block
        self.ran.append(f"{block.page}:{block.line}")


def offline(monkeypatch: Any) -> None:
    """Keep pages from the network, and libraries from asking for more than a page says."""
    for name in ("HF_HUB_OFFLINE", "WANDB_SILENT", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1" if name != "MLFLOW_DISABLE_TELEMETRY" else "true")
    monkeypatch.setenv("MPLBACKEND", "agg")
    assert os.environ["HF_HUB_OFFLINE"] == "1"
