"""Whether intervals cover, and tests and verdicts err as seldom as they promise.

``python benchmarks/calibration.py [--replicates 5000] [--only PATTERN] [--output FILE]`` draws
samples of a known truth (`calibration_cells`), asks `infer`, `infer_paired` and `decide` as an
audit and a comparison do, and counts. One row per cell; the bars are those of the decision rules:

- exact methods: coverage at least nominal, size at most nominal; the test of clustered pairs, which
  exchanges the models cluster by cluster, is one, and has its bar in every cell, few clusters or
  many;
- approximate methods: coverage 93-97 % and size 3-7 % where n·p(1 − p) ≥ 10 (for pairs p is the
  discordance) and, if clustered, at least 40 clusters; elsewhere the figures are shown, and a
  method may give no interval;
- verdicts: ``amplified`` in at most 5 % where there is no increase, and ``reduced`` where there is
  no decrease; ``equivalent`` where the truth lies at the margin is a one-sided test at 5 % by an
  approximate method, so in at most 7 %; so is a value found below a limit at which it lies.

All bars allow 3 Monte-Carlo standard errors. Finished cells are kept beside the output, so that a
run that was cut off goes on where it stopped. With ``--only`` the cells whose name matches are
drawn anew and take their place in the record, whose other rows stay; each row names the code that
it was made with (`code_version`).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import re
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from calibration_asks import ALPHA, EXACT, Outcome, ask, fingerprint
from calibration_cells import MARGIN, Cell, cells

import fairaudit


def run_cell(task: tuple[str, int]) -> dict[str, Any]:
    """Draw and ask ``replicates`` times; one row of the table."""
    name, replicates = task
    cell = next(one for one in cells() if one.name == name)
    # The name, so that other cells may come and go.
    rng = np.random.default_rng([zlib.crc32(name.encode()), replicates])
    known: dict[Any, Outcome] = {}
    outcomes = []
    for _ in range(replicates):
        sample = cell.draw(rng)
        key = fingerprint(cell, sample)
        found = known.get(key) or ask(cell, sample)
        if key is not None:
            known[key] = found
        outcomes.append(found)
    return row(cell, outcomes)


def row(cell: Cell, outcomes: list[Outcome]) -> dict[str, Any]:
    """Count, and hold the counts against the bars."""
    widths = [one.width for one in outcomes if one.width is not None]
    tests = sum(one.rejects is not None for one in outcomes)
    made: dict[str, Any] = {
        "cell": cell.name,
        "replicates": len(outcomes),
        # Where not every sample has a test, the error of the share is that of fewer.
        **({} if tests == len(outcomes) else {"tests": tests}),
        "coverage": _share([one.covers for one in outcomes if one.covers is not None]),
        "rejects": _share([one.rejects for one in outcomes if one.rejects is not None]),
        "width": round(float(np.mean(widths)), 4) if widths else None,
        "without_interval": _share([one.covers is None for one in outcomes]),
        "methods": _shares([one.method for one in outcomes]),
    }
    if outcomes[0].verdict is not None:
        made["verdicts"] = _shares([str(one.verdict) for one in outcomes])
    return {**made, "missed": missed(cell, made)}


def _shares(names: list[str]) -> dict[str, float]:
    return {name: round(count / len(names), 4) for name, count in sorted(Counter(names).items())}


def _share(hits: Sequence[bool | None]) -> float | None:
    return round(sum(bool(hit) for hit in hits) / len(hits), 4) if hits else None


def missed(cell: Cell, made: dict[str, Any]) -> list[str]:
    """Bars that this row does not hold, in words."""
    n = made["replicates"]
    if "verdicts" in made:
        return missed_verdicts(cell, made["verdicts"], n)
    n = made.get("tests", n)
    coverage, size = made["coverage"], made["rejects"]
    if cell.asks in EXACT:
        return [*_outside("coverage", coverage, 0.95, 1, n), *_outside("size", size, 0, ALPHA, n)]
    found = []
    if cell.exchanges and cell.truth == 0:
        found += _outside("size", size, 0, ALPHA, n)
    if not cell.regular:
        return found
    found += _outside("coverage", coverage, 0.93, 0.97, n)
    if (cell.asks == "estimate" or cell.truth == 0) and not cell.exchanges:
        found += _outside("size", size, 0.03, 0.07, n)
    if cell.power is not None:
        found += _outside("power", size, cell.power - 0.01, cell.power + 0.01, n)
    return found


def _outside(name: str, share: float | None, low: float, high: float, n: int) -> list[str]:
    if share is None or n == 0 or low - _slack(low, n) <= share <= high + _slack(high, n):
        return []
    return [f"{name} {share} outside {low:g}-{high:g}"]


def missed_verdicts(cell: Cell, verdicts: dict[str, float], n: int) -> list[str]:
    """Name false claims: a change that is not there, equivalence that is not there."""
    if cell.asks == "limit":
        return _outside("within", verdicts.get("within", 0.0), 0.0, 0.07, n)
    false = {}
    if cell.truth <= 0:
        false["amplified"] = 0.05
    if cell.truth >= 0:
        false["reduced"] = 0.05
    if abs(cell.truth) >= cell.margin - 1e-12:
        false["equivalent"] = 0.07
    return [
        found
        for name, most in false.items()
        for found in _outside(name, verdicts.get(name, 0.0), 0.0, most, n)
    ]


def _slack(p: float, n: int) -> float:
    """3 Monte-Carlo standard errors of a share near ``p``."""
    return 3 * math.sqrt(p * (1 - p) / n)


def worst(rows: list[dict[str, Any]]) -> list[str]:
    """Lines that name every missed bar and the cells that come closest to missing one."""
    counts = {made["replicates"] for made in rows}
    missing = [made for made in rows if made["missed"]]
    lines = [f"{len(rows)} cells of {min(counts)} replicates, bars missed: {len(missing)}"]
    lines += [f"- {made['cell']}: {'; '.join(made['missed'])}" for made in missing]
    covered = [made for made in rows if made["coverage"] is not None]
    lines += ["", "Lowest coverage, with or without a bar:", ""]
    for made in sorted(covered, key=lambda one: float(one["coverage"]))[:8]:
        methods = ", ".join(made["methods"])
        lines.append(f"- {made['coverage']:.4f} {made['cell']} ({methods})")
    return lines


def markdown(rows: list[dict[str, Any]]) -> str:
    """Lay out all cells as one table, under what is worst."""
    lines = ["# Calibration", "", *worst(rows), ""]
    lines += ["| cell | coverage | rejects | width | without interval | methods or verdicts |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    for made in rows:
        shares = made.get("verdicts") or made["methods"]
        named = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
        numbers = (made[key] for key in ("coverage", "rejects", "width", "without_interval"))
        shown = " | ".join("" if number is None else f"{number:.4f}" for number in numbers)
        lines.append(f"| {made['cell']} | {shown} | {named} |")
    return "\n".join(lines) + "\n"


def simulate(tasks: list[tuple[str, int]], processes: int, kept: Path | None) -> dict[str, Any]:
    """Rows of all tasks by cell; those that ``kept`` holds are not drawn again."""
    done = {}
    if kept is not None and kept.exists():
        lines = kept.read_text(encoding="utf-8").splitlines()
        done = {made["cell"]: made for made in map(json.loads, lines)}
    open_tasks = [task for task in tasks if task[0] not in done]
    code = code_version()
    with multiprocessing.Pool(processes) as pool:
        for made in pool.imap_unordered(run_cell, open_tasks):
            done[made["cell"]] = {**made, "code": code}
            print(json.dumps(done[made["cell"]]), flush=True)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(done[made["cell"]]) + "\n")
    return {name: done[name] for name, _ in tasks}


def code_version() -> str:
    """Hash of the statistics and metrics that rows are made with: 12 digits of SHA-256."""
    package = Path(fairaudit.__file__).parent
    files = sorted(path for part in ("stats", "metrics") for path in (package / part).glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def recorded(output: Path | None) -> dict[str, Any]:
    """Rows of an earlier record, by cell."""
    if output is None or not output.exists():
        return {}
    rows = json.loads(output.read_text(encoding="utf-8"))["cells"]
    return {made["cell"]: made for made in rows}


def main() -> None:
    """Simulate the cells asked for, print the table and the worst cells, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="cells whose name matches this pattern")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    names = [cell.name for cell in cells()]
    tasks = [(name, given.replicates) for name in names if re.search(given.only, name)]
    kept = None if given.output is None else given.output.with_suffix(".jsonl")
    by_name = recorded(given.output) | simulate(tasks, given.processes, kept)
    rows = [by_name[name] for name in names if name in by_name]
    print("\n".join(worst(rows)))
    print(f"{time.perf_counter() - start:.0f} s")
    if given.output is not None and kept is not None:
        record = {"alpha": ALPHA, "margin": MARGIN, "cells": rows}
        given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        given.output.with_suffix(".md").write_text(markdown(rows), encoding="utf-8")
        kept.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
