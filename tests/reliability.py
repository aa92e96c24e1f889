"""The table of faults in docs/reliability.md, made from the marks of the tests.

``python -m tests.reliability`` writes it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).resolve().parent
PAGE = TESTS.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- begin: faults -->\n", "<!-- end: faults -->\n"


class Fault(NamedTuple):
    """One mark: what goes wrong, what comes of it, and the test that shows it."""

    what: str
    outcome: str
    test: str
    long: bool


def faults() -> list[Fault]:
    """Every mark ``fault(what, outcome)`` of the tests, in the order of files."""
    return [fault for path in sorted(TESTS.rglob("test_*.py")) for fault in _of(path)]


def _of(path: Path) -> Iterator[Fault]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    all_long = any(
        isinstance(node, ast.Assign) and "pytest.mark.long" in ast.unparse(node)
        for node in tree.body
    )
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            marks = [_mark(one) for one in node.decorator_list]
            for name, values in marks:
                if name == "fault":
                    what, outcome = values
                    place = f"{path.relative_to(TESTS).as_posix()}::{node.name}"
                    yield Fault(what, outcome, place, all_long or ("long", []) in marks)


def _mark(node: ast.expr) -> tuple[str, list[str]]:
    """Name of a mark with the texts in it."""
    call = node if isinstance(node, ast.Call) else None
    target = node if call is None else call.func
    name = target.attr if isinstance(target, ast.Attribute) else ""
    given = [] if call is None or name != "fault" else [ast.literal_eval(one) for one in call.args]
    return name, given


def table() -> str:
    """Return the table, one row for each fault."""
    lines = ["| What goes wrong | What comes of it | Test |", "| --- | --- | --- |"]
    lines += [
        f"| {one.what} | {one.outcome} | `{one.test}`{' (long run)' if one.long else ''} |"
        for one in faults()
    ]
    return "".join(f"{line}\n" for line in lines)


def written(page: str) -> str:
    """Return a page with the table of today between its marks."""
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
