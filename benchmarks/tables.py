"""The section *Speed* of README.md, made from the records of ``benchmarks/results``.

``python benchmarks/tables.py`` writes it; a test fails when the page says anything else. Records
that are not made yet are left out, and of a goal that was missed the table says by how much.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
README = HERE.parent / "README.md"
BEGIN, END = "<!-- begin: speed -->\n", "<!-- end: speed -->\n"
PEERS, COST = "peers-cpu-1-thread.json", "cost-cpu-1-thread.json"
#: What, beside what, how many times as fast, whether the answers are equal, the script.
Row = tuple[str, str, str, str, str]
HEADS: Final = ("work", "beside", "times as fast", "answers", "script")


def record(name: str, results: Path = RESULTS) -> dict[str, Any] | None:
    """Read a record; None if it was not made."""
    path = results / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def rows(results: Path = RESULTS) -> list[Row]:
    """Every row of the table: those of the run beside the peers first."""
    makers = {
        PEERS: _peers,
        "choices-cpu-1-thread.json": _choices,
        "scoring-cpu-2-threads.json": _scoring,
        "generation-cpu-1-thread.json": _generation,
        "dp-step-cpu-1-thread.json": _steps,
    }
    return [
        row
        for name, make in makers.items()
        if (content := record(name, results)) is not None
        for row in make(content)
    ]


def _peers(content: dict[str, Any]) -> Iterator[Row]:
    equal = {(one["contest"], one["side"]): _agreed(one) for one in content["agreement"]}
    for one in content["goals"]:
        if one["beside"] == "a limit in seconds":
            continue
        found = f"{one['found']:g} ({one['lowest']:g} to {one['highest']:g})"
        missed = "" if one["met"] else f"; the goal is {one['bar']:g}"
        yield (
            one["goal"],
            one["beside"],
            found + missed,
            equal.get((one["contest"], one["beside"]), ""),
            "peers.py",
        )


def _agreed(one: dict[str, Any]) -> str:
    if "not_tied" in one:
        return f"{one['same_preference']:,} of {one['not_tied']:,} choices the same"
    return f"differ by at most {one['largest_difference']:g}"


def _choices(content: dict[str, Any]) -> Iterator[Row]:
    found = content["end_to_end"]
    same = f"{found['same_choice']:,} of {found['items_not_tied']:,} choices the same"
    what = f"audit of {found['items']:,} questions, end to end"
    yield what, "lm-evaluation-harness", f"{found['speed_up']:g}", same, "choices.py"


def _scoring(content: dict[str, Any]) -> Iterator[Row]:
    for one in content["results"]:
        beside = "one masked variant at a time" if "BERT" in one["model"] else "one at a time"
        far = f"differ by at most {one['largest_difference_nats']:g} nats"
        what = f"sentences, {one['model'].replace('x', '×')}"
        yield what, beside, f"{one['speed_up_over_one_at_a_time']:g}", far, "scoring.py"


def _generation(content: dict[str, Any]) -> Iterator[Row]:
    for one in content["results"]:
        same = f"{one['same_greedy_texts']} of {one['prompts']} texts the same"
        what = f"texts, {one['model'].replace('x', '×')}"
        yield (
            what,
            "one at a time",
            f"{one['speed_up_over_one_at_a_time']:g}",
            same,
            "generation.py",
        )


def _steps(content: dict[str, Any]) -> Iterator[Row]:
    names = {"opacus_hooks": "Opacus, hooks", "opacus_ghost": "Opacus, ghost clipping"}
    for one in content["results"]:
        if one["trainable"] != "all":
            continue
        for way, words in names.items():
            if way in one["ways"]:
                ratio = one["ways"][way]["seconds"] / one["ways"]["ours"]["seconds"]
                far = f"differ by at most {one['largest_difference_from_ours'][way]:.0e}"
                what = f"private step, {one['batch'].replace('x', '×')}, {one['weights']} weights"
                yield what, words, f"{ratio:.2f}", far, "dp_step.py"


def growth(results: Path = RESULTS) -> str:
    """One sentence on how cost grows, if that was recorded."""
    content = record(COST, results)
    if content is None or "items" not in content:
        return ""
    found, parts = content["items"], []
    most = max(one["items"] for one in found["rows"])
    parts.append(
        f"From {min(one['items'] for one in found['rows']):,} to {most:,} items the cost grows as "
        f"items to the power {found['exponent']:g} [{found['low']:g}, {found['high']:g}]"
    )
    for one in found["goals"][1:]:
        missed = "" if one["met"] else f" (goal: {one['bar']:g})"
        parts.append(f"{one['goal']}: {one['found']:g}{missed}")
    return "; ".join(parts) + " (`benchmarks/cost.py`).\n"


def section(results: Path = RESULTS) -> str:
    """Return what stands between the marks."""
    lines = ["| " + " | ".join(HEADS) + " |", "|" + " --- |" * len(HEADS)]
    lines += [f"| {' | '.join(_cells(row))} |" for row in rows(results)]
    told = "\n".join(lines)
    grown = growth(results)
    return f"{told}\n" + (f"\n{grown}" if grown else "")


def _cells(row: Row) -> Iterable[str]:
    *words, script = row
    return (*words, f"`{script}`")


def written(page: str, results: Path = RESULTS) -> str:
    """Return a page with the section of today between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no marks for the section")
    return f"{before}{BEGIN}\n{section(results)}\n{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
