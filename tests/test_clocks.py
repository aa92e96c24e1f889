"""No test of correctness depends on how fast or busy the machine is (issue 28.6).

Speed is measured by the scripts in ``benchmarks/``.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
CLOCKS = {
    f"time.{name}{unit}"
    for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time")
    for unit in ("", "_ns")
}


def clocks(source: str) -> list[str]:
    """Readings of a clock, and limits on waiting other than the common one."""
    nodes = [node for node in ast.walk(ast.parse(source)) if _clock(node)]
    return [f"line {node.lineno}: {ast.unparse(node)}" for node in nodes]


def _clock(node: ast.AST) -> bool:
    match node:
        case ast.Attribute():
            return ast.unparse(node) in CLOCKS
        case ast.ImportFrom(module="time"):
            return True
        case ast.keyword(arg="timeout", value=limit):
            return ast.unparse(limit) != "PATIENCE"
    return False


def test_no_test_looks_at_a_clock():
    found = {str(path): clocks(path.read_text(encoding="utf-8")) for path in TESTS.rglob("*.py")}
    assert {Path(name).name for name, some in found.items() if some} == {"waiting.py"}


@pytest.mark.parametrize(
    "source",
    [
        "start = time.perf_counter()",
        "from time import monotonic",
        "run(timeout=60)",
        "assert time.process_time_ns() < 2",
    ],
)
def test_a_clock_is_found(source):
    assert len(clocks(source)) == 1


def test_waiting_and_sleeping_are_no_clocks():
    assert clocks("time.sleep(1)\nrun(timeout=PATIENCE)") == []
