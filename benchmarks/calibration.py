"""Whether intervals cover, and tests and verdicts err as seldom as they promise.

``python benchmarks/calibration.py [--replicates 5000] [--output FILE]`` draws samples of a known
truth (`calibration_cells`), asks `infer`, `infer_paired` and `decide` as an audit and a comparison
do, and counts. One row per cell; the bars are those of the decision rules:

- exact methods: coverage at least nominal, size at most nominal;
- approximate methods: coverage 93-97 % and size 3-7 % where n·p(1 − p) ≥ 10 (for pairs p is the
  discordance) and, if clustered, at least 40 clusters; elsewhere the figures are shown, and a
  method may give no interval;
- verdicts: ``amplified`` in at most 5 % where there is no increase, and ``reduced`` where there is
  no decrease; ``equivalent`` where the truth lies at the margin is a one-sided test at 5 % by an
  approximate method, so in at most 7 %.

All bars allow 3 Monte-Carlo standard errors. Finished cells are kept beside the output, so that a
run that was cut off goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from calibration_cells import MARGIN, Cell, Sample, cells
from calibration_groups import GroupSample, verdict_on

from fairaudit.stats.decide import decide
from fairaudit.stats.intervals import clopper_pearson, exact_test
from fairaudit.stats.mcnemar import mcnemar_with_ties
from fairaudit.stats.one_estimate import infer
from fairaudit.stats.paired import PairedInference, infer_paired
from fairaudit.stats.permutation import sign_flip

ALPHA: Final = 0.05
EXACT: Final = frozenset({"clopper-pearson", "mcnemar", "sign-flip"})
VERDICTS: Final = frozenset({"verdict", "largest change", "largest gap"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sample led to: None where there is no interval or no test."""

    covers: bool | None
    rejects: bool | None
    method: str
    verdict: str | None = None
    width: float | None = None


def ask(cell: Cell, sample: Sample | GroupSample) -> Outcome:
    """Ask what the cell asks."""
    if isinstance(sample, GroupSample):
        return ask_groups(cell, sample)
    if cell.asks in EXACT:
        return ask_exact(cell, sample)
    return ask_estimate(cell, sample) if cell.asks == "estimate" else ask_paired(cell, sample)


def ask_exact(cell: Cell, sample: Sample) -> Outcome:
    """One exact method by itself."""
    if cell.asks == "clopper-pearson":
        successes, n = float(sample.values.sum()), len(sample.values)
        bounds = clopper_pearson(successes, n, 1 - ALPHA)
        return outcome(cell, *bounds, exact_test(successes, n, cell.truth), cell.asks)
    assert sample.candidate is not None
    moved = sample.candidate - sample.values
    if cell.asks == "sign-flip":
        assert sample.clusters is not None
        p_value = sign_flip(np.bincount(sample.clusters, weights=moved))
    else:
        steps = [int((moved == step).sum()) for step in (1, -1, 0.5, -0.5)]
        p_value = mcnemar_with_ties(*steps, mid_p=False)
    return outcome(cell, None, None, p_value, cell.asks)


def ask_estimate(cell: Cell, sample: Sample) -> Outcome:
    """Interval and test of one model's value, as an audit makes them."""
    found = infer(
        sample.values,
        _clusters(sample),
        is_rate=cell.is_rate,
        ideal=cell.truth,
        crossed=sample.crossed,
        level=1 - ALPHA,
    )
    return outcome(cell, found.low, found.high, found.p_value, found.method)


def ask_paired(cell: Cell, sample: Sample) -> Outcome:
    """Interval and test of the difference of two models; for verdicts also the decision."""
    assert sample.candidate is not None
    weights = sample.weights or (None, None)
    found = infer_paired(
        sample.values,
        sample.candidate,
        _clusters(sample),
        weights_baseline=weights[0],
        weights_candidate=weights[1],
        is_rate=cell.is_rate,
        crossed=sample.crossed,
        level=1 - ALPHA,
    )
    verdict = _verdict(found) if cell.asks == "verdict" else None
    return outcome(cell, found.low, found.high, found.p_value, found.method, verdict)


def ask_groups(cell: Cell, sample: GroupSample) -> Outcome:
    """Verdict on an axis with more than two groups."""
    assert cell.asks in ("largest change", "largest gap")
    made = verdict_on(cell.asks, sample, MARGIN, ALPHA)
    return outcome(cell, made.low, made.high, made.p_value, "max-t", made.verdict)


def _clusters(sample: Sample) -> Any:
    return np.arange(len(sample.values)) if sample.clusters is None else sample.clusters


def _verdict(found: PairedInference) -> str:
    evidence = found.evidence()
    if evidence is None or found.difference is None:
        return "inconclusive"
    return decide(
        found.difference,
        found.se,
        found.df,
        MARGIN,
        ALPHA,
        evidence=evidence,
        p_adjusted=found.p_value,
    ).verdict


def outcome(
    cell: Cell,
    low: float | None,
    high: float | None,
    p_value: float | None,
    method: str | None,
    verdict: str | None = None,
) -> Outcome:
    """Whether the interval holds the truth and the test rejects its null value."""
    rejects = None if p_value is None else p_value <= cell.alpha + 1e-12
    if low is None or high is None:
        return Outcome(None, rejects, method or "none", verdict)
    return Outcome(low <= cell.truth <= high, rejects, method or "none", verdict, high - low)


def fingerprint(cell: Cell, sample: Sample | GroupSample) -> tuple[int, ...] | None:
    """Return the counts that identify a sample of independent rates, to ask about it once."""
    if isinstance(sample, GroupSample) or sample.clusters is not None or not cell.is_rate:
        return None
    answer = 2 * sample.values
    if sample.candidate is not None:
        answer = 3 * answer + 2 * sample.candidate
    return tuple(np.bincount(answer.astype(np.intp)).tolist())


def run_cell(task: tuple[str, int]) -> dict[str, Any]:
    """Draw and ask ``replicates`` times; one row of the table."""
    name, replicates = task
    index, cell = next((i, one) for i, one in enumerate(cells()) if one.name == name)
    rng = np.random.default_rng([index, replicates])
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
    made: dict[str, Any] = {
        "cell": cell.name,
        "replicates": len(outcomes),
        "coverage": _share([one.covers for one in outcomes if one.covers is not None]),
        "rejects": _share([one.rejects for one in outcomes if one.rejects is not None]),
        "width": round(float(np.mean(widths)), 4) if widths else None,
        "without_interval": _share([one.covers is None for one in outcomes]),
        "methods": _shares([one.method for one in outcomes]),
    }
    if cell.asks in VERDICTS:
        made["verdicts"] = _shares([str(one.verdict) for one in outcomes])
    return {**made, "missed": missed(cell, made)}


def _shares(names: list[str]) -> dict[str, float]:
    return {name: round(count / len(names), 4) for name, count in sorted(Counter(names).items())}


def _share(hits: Sequence[bool | None]) -> float | None:
    return round(sum(bool(hit) for hit in hits) / len(hits), 4) if hits else None


def missed(cell: Cell, made: dict[str, Any]) -> list[str]:
    """Bars that this row does not hold, in words."""
    n = made["replicates"]
    if cell.asks in VERDICTS:
        return missed_verdicts(cell, made["verdicts"], n)
    coverage, size = made["coverage"], made["rejects"]
    if cell.asks in EXACT:
        return [*_outside("coverage", coverage, 0.95, 1, n), *_outside("size", size, 0, ALPHA, n)]
    if not cell.regular:
        return []
    found = _outside("coverage", coverage, 0.93, 0.97, n)
    if cell.asks == "estimate" or cell.truth == 0:
        found += _outside("size", size, 0.03, 0.07, n)
    if cell.power is not None:
        found += _outside("power", size, cell.power - 0.01, cell.power + 0.01, n)
    return found


def _outside(name: str, share: float | None, low: float, high: float, n: int) -> list[str]:
    if share is None or low - _slack(low, n) <= share <= high + _slack(high, n):
        return []
    return [f"{name} {share} outside {low:g}-{high:g}"]


def missed_verdicts(cell: Cell, verdicts: dict[str, float], n: int) -> list[str]:
    """Name false claims: a change that is not there, equivalence that is not there."""
    false = {}
    if cell.truth <= 0:
        false["amplified"] = 0.05
    if cell.truth >= 0:
        false["reduced"] = 0.05
    if abs(cell.truth) >= MARGIN:
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


def simulate(tasks: list[tuple[str, int]], processes: int, kept: Path | None) -> list[Any]:
    """Rows of all tasks; those that ``kept`` holds are not drawn again."""
    done = {}
    if kept is not None and kept.exists():
        lines = kept.read_text(encoding="utf-8").splitlines()
        done = {made["cell"]: made for made in map(json.loads, lines)}
    open_tasks = [task for task in tasks if task[0] not in done]
    with multiprocessing.Pool(processes) as pool:
        for made in pool.imap(run_cell, open_tasks):
            done[made["cell"]] = made
            print(json.dumps(made), flush=True)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(made) + "\n")
    return [done[name] for name, _ in tasks]


def main() -> None:
    """Simulate all cells, print the table and the worst cells, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="cells whose name contains this")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    tasks = [(cell.name, given.replicates) for cell in cells() if given.only in cell.name]
    kept = None if given.output is None else given.output.with_suffix(".jsonl")
    rows = simulate(tasks, given.processes, kept)
    print("\n".join(worst(rows)))
    print(f"{time.perf_counter() - start:.0f} s")
    if given.output is not None and kept is not None:
        record = {"alpha": ALPHA, "margin": MARGIN, "cells": rows}
        given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        given.output.with_suffix(".md").write_text(markdown(rows), encoding="utf-8")
        kept.unlink()


if __name__ == "__main__":
    main()
