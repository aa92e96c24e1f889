"""Examples run as written: the commands of README and docs, the workflow, and the notebook."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml
from matplotlib.figure import Figure
from PIL import Image

from fairaudit.cli.app import app
from fairaudit.report.notebook import Drawing
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def _workflow_runs() -> list[str]:
    (text,) = _blocks("yaml")
    (job,) = yaml.safe_load(text)["jobs"].values()
    return [step["run"] for step in job["steps"] if "run" in step]


def _commands() -> list[str]:
    lines = [line for block in _blocks("sh") for line in block.splitlines()]
    return [line for line in (*lines, *_workflow_runs()) if line.startswith("fairaudit ")]


@pytest.mark.parametrize("command", _commands())
def test_every_command_of_the_readme_exists_with_its_flags(command: str):
    _, *words = shlex.split(command, comments=True)
    found = typer.main.get_command(app)
    while hasattr(found, "commands"):
        verb, *words = words
        assert verb in found.commands
        found = found.commands[verb]
    # Raises where a flag does not exist, or an argument is missing or too many; nothing runs.
    found.make_context(verb, list(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path):
    links = re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_picture_of_the_readme_is_a_finding_on_one_screen():
    readme = PAGES[0].read_text(encoding="utf-8")
    said, name = re.findall(r"!\[([^]]*)\]\(([^)]*)\)", readme)[0]
    assert "amplified" in said
    with Image.open(ROOT / name) as picture:
        assert picture.width == 1280
        assert picture.height <= 900


def test_the_workflow_compares_gates_and_keeps_the_report():
    (text,) = _blocks("yaml")
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true; GitHub does not.
    assert workflow[True] == "pull_request"
    verbs = [run.split()[1] for run in _workflow_runs() if run.startswith("fairaudit ")]
    assert verbs == ["audit", "audit", "compare", "gate", "card"]
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1]["if"] == "always()"


def _cells() -> list[dict]:
    text = (ROOT / "reports" / "quickstart.ipynb").read_text(encoding="utf-8")
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_is_stored_with_what_it_shows():
    """A reader on GitHub sees answers, tables and pictures; nothing of the machine it ran on."""
    cells = _cells()
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    last = [(cell, ast.parse("".join(cell["source"])).body[-1]) for cell in cells]
    ends = [cell for cell, statement in last if isinstance(statement, ast.Expr)]
    assert all(cell["outputs"] for cell in ends)
    kinds = [kind for cell in cells for one in cell["outputs"] for kind in one.get("data", {})]
    assert kinds.count("image/png") == 2
    assert kinds.count("text/html") >= 4
    text = json.dumps([cell["outputs"] for cell in cells])
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert len(text) < 200_000


def test_a_drawing_in_a_notebook_does_not_list_its_numbers():
    assert repr(Drawing("plane", Figure)) == "Drawing(name='plane')"


@pytest.mark.long
def test_the_notebook_runs_as_written(checkpoint, tmp_path: Path):
    """Its cells run in order without a network, on a tiny model, and what ends a cell shows."""
    runner = (
        "import ast, json, sys\n"
        "space = {}\n"
        "for number, source in enumerate(json.load(sys.stdin)):\n"
        "    tree = ast.parse(source)\n"
        "    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None\n"
        "    exec(compile(tree, f'cell {number}', 'exec'), space)\n"
        "    if last is not None:\n"
        "        value = ast.Expression(last.value)\n"
        "        shown = eval(compile(value, f'cell {number}', 'eval'), space)\n"
        "        for name in ('_repr_html_', '_repr_png_'):\n"
        "            getattr(shown, name, lambda: None)()\n"
        "        print(type(shown).__name__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", runner],
        input=json.dumps(["".join(cell["source"]) for cell in _cells()]),
        env={**os.environ, "QUICKSTART_MODEL": str(checkpoint("gpt2"))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    shown = done.stdout.split()
    assert {"AuditResult", "ComparisonResult", "Drawing", "DataFrame"} <= set(shown)
    assert (tmp_path / "compared" / "report.html").exists()
    card = (tmp_path / "models" / "plain" / "README.md").read_text(encoding="utf-8")
    assert "fairaudit:begin" in card
