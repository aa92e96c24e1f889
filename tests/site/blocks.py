"""Code blocks of the pages: read from Markdown, and run as a reader would, in one folder."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fairaudit.gating.policy import read_policy
from tests.cli.program import fairaudit

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
#: Lines that a test does not run, by how they begin, and why.
NOT_RUN = {
    "pip install": "it installs",
    "docker ": "it needs a daemon",
    "make ": "it is what CI runs",
    "fairaudit --show-completion": "it asks which shell has started it, and make starts a plain sh",
    "lm_eval ": "it needs lm-evaluation-harness; tests/integrations runs its loader where it is",
    ".venv/bin/python": "it is what CI runs",
    "fairaudit audit ./model ": "the tests of GGUF files have their own files",
    "fairaudit audit model.Q4_K_M.gguf": "the tests of GGUF files have their own files",
    "fairaudit compare audits/full audits/q4": "the tests of GGUF files have their own files",
    "fairaudit audit-scores logged/samples.jsonl": "it reads what lm_eval writes",
}
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


@dataclass
class Reader:
    """Somebody who reads pages in one folder and does what they say."""

    folder: Path
    done: set[str] = field(default_factory=set)
    ran: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def read(self, page: str) -> None:
        """Run every block of a page, after those of the pages that it builds on."""
        if page in self.done:
            return
        self.done.add(page)
        names: dict[str, Any] = {"__name__": "page"}
        for block in blocks(DOCS / f"{page}.md"):
            with chdir(self.folder):
                self._do(block, names)

    def _do(self, block: Block, names: dict[str, Any]) -> None:
        where = f"{block.page}:{block.line}"
        match block.language:
            case "sh":
                for line in commands(block.text):
                    self._run(line, where)
            case "python":
                exec(compile(block.text, where, "exec"), names)
                self.ran.append(where)
            case "toml":
                self._write(block)
            case "yaml":
                assert isinstance(yaml.safe_load(block.text), dict), where
            case "text" | "{toctree}":
                pass
            case other:
                raise AssertionError(f"{where}: nobody knows how to run '{other}'")

    def _run(self, line: str, where: str) -> None:
        if any(line.startswith(start) for start in NOT_RUN):
            self.left.append(line)
            return
        program, verb, *rest = shlex.split(line, comments=True)
        assert program == "fairaudit", f"{where}: {line}"
        outcome = fairaudit(verb, *rest)
        allowed = _OF_GATES if verb == "gate" else {0}
        assert outcome.returncode in allowed, f"{where}: {line}\n{outcome.stderr}{outcome.stdout}"
        self.ran.append(line)

    def _write(self, block: Block) -> None:
        """Keep a file under the name in its first comment; a policy is read as one."""
        named = re.match(r"# (\S+\.toml)\n", block.text)
        if named:
            Path(named[1]).write_text(block.text, encoding="utf-8")
        if "[policy]" in block.text:
            Path("policy-of-page.toml").write_text(block.text, encoding="utf-8")
            read_policy("policy-of-page.toml")
        else:
            assert named or "[experiment]" in block.text, block
        self.ran.append(f"{block.page}:{block.line}")


def offline(monkeypatch: Any) -> None:
    """Keep pages from the network, and libraries from asking for more than a page says."""
    for name in ("HF_HUB_OFFLINE", "WANDB_SILENT", "MLFLOW_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "1" if name != "MLFLOW_DISABLE_TELEMETRY" else "true")
    monkeypatch.setenv("MPLBACKEND", "agg")
    assert os.environ["HF_HUB_OFFLINE"] == "1"
