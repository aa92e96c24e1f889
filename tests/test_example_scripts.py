"""The scripts and notebooks of examples/ run, and notebooks show what they store."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

pytestmark = pytest.mark.long

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
#: What each script is called with: the base, another model, a text, an output folder.
CALLS = {
    "release_gate.py": "{base} {other} --output {out}",
    "dp_against_plain.py": "{base} {text} --steps 2 --epsilon 8 --output {out}",
    "own_suite.py": "{base} --output {out}",
    "several_seeds.py": "{base} {text} --steps 1 --seeds 0 1 --output {out}",
    "logs_from_elsewhere.py": "--output {out}",
}
#: What each must print.
SAYS = {
    "release_gate.py": r"(PASS|FAIL|INCONCLUSIVE|NOT_RUN) \(",
    "dp_against_plain.py": r"private\s+gender\s+-?\d",
    "own_suite.py": r"stereotype_preference_rate .*cr2\s+12",
    "several_seeds.py": r"gender: [+-]\d\.\d+ \[.*\] over 2 seeds",
    "logs_from_elsewhere.py": r"gender\s+-0\.375\s+48\s+12 .*reduced",
}
_NUMBER = re.compile(r"-?\d+\.\d+|\d+")


def test_every_script_is_called_and_listed():
    scripts = {path.name for path in EXAMPLES.glob("*.py")} - {"run_notebooks.py"}
    assert scripts == CALLS.keys() == SAYS.keys()
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in (*scripts, *(path.name for path in NOTEBOOKS)):
        assert f"]({path})" in readme
    assert (len(scripts), len(NOTEBOOKS)) == (5, 2)


@pytest.mark.parametrize("script", CALLS)
def test_a_script_runs(script, checkpoint, tmp_path):
    text = tmp_path / "text.jsonl"
    rows = ({"text": f"The nurse said that she was number {n}."} for n in range(24))
    text.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    words = CALLS[script].format(
        base=checkpoint("gpt2"), other=checkpoint("gpt2-pad"), text=text, out=tmp_path / "out"
    )
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, *words.split()],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=tmp_path,
    )
    allowed = {0, 1, 3} if script == "release_gate.py" else {0}
    assert done.returncode in allowed, done.stderr[-3000:]
    assert re.search(SAYS[script], done.stdout), done.stdout
    assert list((tmp_path / "out").rglob("report.html"))


def cells(notebook) -> list[tuple[str, list[str]]]:
    """Source of each code cell, and what it shows."""
    return [
        (
            "".join(cell["source"]),
            ["".join(one.get("text") or one["data"]["text/plain"]) for one in cell["outputs"]],
        )
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_stores(path):
    """Words are equal; numbers are near, since processors round differently."""
    runner = "import json, sys; sys.path.insert(0, sys.argv[1]); from run_notebooks import *\n"
    runner += "print('RAN' + json.dumps(run(Path(sys.argv[2]))))"
    done = subprocess.run(
        [sys.executable, "-c", runner, EXAMPLES, path],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    ran = cells(json.loads(done.stdout.partition("RAN")[2]))
    stored = cells(json.loads(path.read_text(encoding="utf-8")))
    assert any(shown for _, shown in stored)
    for (source, theirs), (_, ours) in zip(stored, ran, strict=True):
        assert len(theirs) == len(ours), source
        for before, now in zip(theirs, ours, strict=True):
            assert _NUMBER.sub("#", before).split() == _NUMBER.sub("#", now).split()
            for a, b in zip(_NUMBER.findall(before), _NUMBER.findall(now), strict=True):
                assert math.isclose(float(a), float(b), rel_tol=0.02, abs_tol=0.03)
