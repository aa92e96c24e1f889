"""Run the notebooks of this folder, or those that are named, and store what they show.

``python examples/run_notebooks.py [NOTEBOOK ...]``: cells run in order in one process, without
Jupyter, in a temporary folder that has ``data`` in it. A cell shows what it prints and the value of
its last expression.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def run(path: Path) -> dict[str, Any]:
    """Return a notebook with the outputs of its cells."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    space: dict[str, Any] = {}
    count = 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("data").symlink_to(HERE / "data")
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                count += 1
                cell["outputs"] = _shown("".join(cell["source"]), space, count)
                cell["execution_count"] = count
    return notebook


def _shown(source: str, space: dict[str, Any], count: int) -> list[dict[str, Any]]:
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    value, printed = None, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {count}", "exec"), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), f"cell {count}", "eval"), space)
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": _lines(text)})
    if value is not None:
        data = _rich(value)
        outputs.append({
            "data": data, "execution_count": count, "metadata": {}, "output_type": "execute_result",
        })  # fmt: skip
    return outputs


def _rich(value: Any) -> dict[str, Any]:
    """Return what a notebook shows of a value, in every form that it has."""
    data: dict[str, Any] = {}
    if page := getattr(value, "_repr_html_", lambda: None)():
        data["text/html"] = _lines(page)
    if picture := getattr(value, "_repr_png_", lambda: None)():
        data["image/png"] = base64.b64encode(picture).decode("ascii")
    return {**data, "text/plain": _lines(repr(value))}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def main() -> None:
    """Run all, or those that are named."""
    os.environ.setdefault("MPLBACKEND", "agg")
    paths = [Path(name).resolve() for name in sys.argv[1:]] or sorted(HERE.glob("*.ipynb"))
    for path in paths:
        text = json.dumps(run(path), indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
