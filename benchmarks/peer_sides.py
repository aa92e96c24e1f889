"""The contests of `peers`: who runs on what, and how what they found is read.

A contest has sides that do the same work as processes of their own, ours first. A side says its
command, and reads what the process wrote: scores by item and choice, or numbers in a row.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from fairaudit.items import Item
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.sampling import quick_sample

HERE = Path(__file__).parent
OURS, HARNESS = "fairaudit", "lm-evaluation-harness"
#: What a process found: scores of the choices by item, or numbers under a few names.
Answers = dict[str, list[float]]


@dataclass(frozen=True)
class Side:
    """One program in a contest.

    Parameters
    ----------
    command : callable
        What is run, given the folder for its files.
    answers : callable
        What it found, given that folder.
    watched : bool
        Whether it runs a model of `transformers`, so that its phases can be told.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    answers: Callable[[Path], Answers]
    watched: bool = True


@dataclass(frozen=True)
class Contest:
    """Sides that do the same work on the same files.

    Parameters
    ----------
    what : str
        The work, as the record says it.
    same : str
        ``preference`` (the same choice on every item that is no tie) or ``numbers``.
    facts : dict
        What else the record says: items, batch size.
    """

    name: str
    what: str
    sides: tuple[Side, ...]
    same: str = "preference"
    facts: dict[str, Any] = field(default_factory=dict)


def items_of(suite: str, given: argparse.Namespace, axis: str | None = None) -> tuple[Item, ...]:
    """Items that an audit takes of a suite, of one axis or all."""
    items = get_suite(suite).load(DataFinder(given.data, fetch=False)).items
    items = tuple(item for item in items if axis is None or item.axis == axis)
    return items if given.limit is None else quick_sample(items, given.limit)


def write_items(items: Sequence[Item], bos: str, path: Path) -> Path:
    """Write the items as the other programs read them; a prompt begins with BOS, as ours does."""
    rows = [
        {
            "id": item.item_id,
            "prompt": bos + item.context if item.context else "",
            "choices": list(item.texts.values()),
            "label": 0,
        }
        for item in items
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def audit(
    model: Path, suite: str, protocol: str, given: argparse.Namespace, *more: str, name: str = OURS
) -> Side:
    """``fairaudit audit``, from start to report."""

    def command(folder: Path) -> list[str]:
        limit = [] if given.limit is None else ["--limit", str(given.limit)]
        chosen = ["--suites", suite, "--data", str(given.data), "--device", "cpu", *limit, *more]
        audited = ["-m", "fairaudit", "--quiet", "audit", str(model), *chosen]
        return [*audited, "--output", str(folder / "audit")]

    def answers(folder: Path) -> Answers:
        table = pd.read_parquet(folder / "audit" / "items" / f"{suite}.parquet")
        table = table[table["protocol"] == f"{suite}/{protocol}"]
        return {str(item): rows["score"].tolist() for item, rows in table.groupby("item_id")}

    return Side(name, command, answers)


def script(name: str, arguments: Callable[[Path], Sequence[Any]], *, watched: bool = True) -> Side:
    """Return a script of this folder that writes its answers as JSON, by item or under names."""

    def command(folder: Path) -> list[str]:
        return [str(one) for one in arguments(folder / "answers.json")]

    def answers(folder: Path) -> Answers:
        return dict(json.loads((folder / "answers.json").read_text(encoding="utf-8")))

    return Side(name, command, answers, watched)


def harness(model: Path, items: Path, batch_size: int, *more: str, name: str = HARNESS) -> Side:
    """lm-evaluation-harness on the same items."""
    program = HERE / "choices_harness.py"
    return script(
        name, lambda output: [program, model, items, output, "--batch-size", batch_size, *more]
    )


def masked_script(model: Path, items: Path) -> Side:
    """Return the published algorithm, one masked variant a forward pass."""
    return script(
        "one variant per forward", lambda output: [HERE / "masked_script.py", model, items, output]
    )


def steps(model: Path, way: str, given: argparse.Namespace) -> Side:
    """Training steps of one kind."""
    sizes = ["--steps", given.steps, "--rows", given.rows, "--tokens", given.tokens]
    return script(
        way, lambda output: [HERE / "peer_step.py", model, way, output, *sizes], watched=False
    )


def statistic(side: str, given: argparse.Namespace) -> Side:
    """Intervals of many estimates."""
    sizes = ["--estimates", given.estimates]
    name = OURS if side == "ours" else "loop over scipy.stats.bootstrap"
    return script(
        name, lambda output: [HERE / "peer_statistics.py", side, output, *sizes], watched=False
    )


def python_of(side: Side, given: argparse.Namespace) -> str:
    """Return the Python that runs a side: the harness may have one of its own."""
    return str(given.harness) if side.name.startswith(HARNESS) else sys.executable
