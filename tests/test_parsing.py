"""A file whose values are nested without end is refused in one line, whatever reads it."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest

from fairaudit.errors import ResultError
from fairaudit.parsing import parse_json, parse_toml
from fairaudit.report.card.frontmatter import read
from tests.cli.program import fairaudit

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"
DEEP = 100_000
PARSERS = {"json.load", "json.loads", "tomllib.load", "tomllib.loads"}


def test_what_is_nested_without_end_is_a_fault_of_the_text():
    with pytest.raises(json.JSONDecodeError, match="nested too deeply"):
        parse_json("[" * DEEP)
    with pytest.raises(tomllib.TOMLDecodeError, match="nested too deeply"):
        parse_toml("a = " + "[" * DEEP)
    assert parse_json(b'{"a": [1]}') == parse_toml("a = [1]") == {"a": [1]}


def test_every_reader_parses_in_one_place():
    found = {
        path.relative_to(PACKAGE).as_posix(): sorted(
            {
                ast.unparse(node.func)
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Call) and ast.unparse(node.func) in PARSERS
            }
        )
        for path in PACKAGE.rglob("*.py")
    }
    assert {place: calls for place, calls in found.items() if calls} == {
        "parsing.py": ["json.loads", "tomllib.loads"],
        # Reads lines of our own other process only, and starts with few imports.
        "scoring/chat_worker.py": ["json.loads"],
    }


@pytest.mark.parametrize("front", ["- " + "[" * 5_000, "a: " + "{b: " * 5_000])
def test_a_card_nested_without_end(front):
    with pytest.raises(ResultError, match="not valid YAML"):
        read(front)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("policy.toml", ("gate", "{folder}", "--policy", "{file}")),
        ("plan.toml", ("experiment", "{file}", "--output", "{folder}/out")),
        ("audit.toml", ("audit", "{folder}", "--config", "{file}")),
        ("suite.toml", ("suites", "validate", "{file}")),
    ],
)
def test_files_of_a_user_nested_without_end(tmp_path, name, command):
    file = tmp_path / name
    file.write_text("a = " + "[" * 20_000)
    done = fairaudit(*(word.format(file=file, folder=tmp_path) for word in command))
    assert done.returncode == 2
    assert done.stderr.startswith("fairaudit: ")
    assert len(done.stderr.strip().split("\n")) == 1
