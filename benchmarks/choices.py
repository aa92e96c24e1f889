"""Speed of questions with three answers: shared contexts, and end to end beside the usual tool.

``python benchmarks/choices.py --data DATA [--axis religion] [--limit N] [--harness PYTHON]
[--output FILE]`` needs files of BBQ in DATA. It builds GPT-2 at 4 x 256 from config (weights
random: speed does not depend on them) and prints

- how much faster answers that share their context are scored than one sequence for each, by the
  same program in the same batches, and by how much the scores differ;
- how much faster ``fairaudit audit``, from start to report, is than lm-evaluation-harness on the
  same items, both as processes of their own, and whether they choose the same answers. The harness
  runs at the fastest of several batch sizes. PYTHON has the bench extra installed; without it this
  part is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import torch
import transformers
from scoring import Timed, build, tokenizer

from fairaudit.items import Item, LogLikelihood
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.bbq import answer_after_question
from fairaudit.suites.sampling import quick_sample

SIZE = "4x256"
REPEATS = 5
#: Of these the fastest is taken; on a CPU large ones are slower.
BATCH_SIZES = (1, 8, 16, 32)
#: Items on which batch sizes are tried.
TRIED = 60
#: An item whose two best answers are nearer than this, in nats, has no choice to agree on.
TIED = 1e-3


def items_of(data: Path, axis: str, limit: int | None) -> tuple[Item, ...]:
    """Items of one category of BBQ; with a limit those that an audit takes."""
    items = [item for item in get_suite("bbq").load(DataFinder(data)).items if item.axis == axis]
    return tuple(items) if limit is None else quick_sample(items, limit)


def saved_model(items: Sequence[Item], folder: Path) -> Path:
    """Build the model and a tokenizer that was trained on the items, and save both."""
    texts = [text for item in items for text in (item.context, *item.texts.values())]
    model, tokens = build(SIZE, masked=False), tokenizer(texts, masked=False)
    model.config.bos_token_id = model.config.eos_token_id = tokens.bos_token_id
    model.generation_config = transformers.GenerationConfig.from_model_config(model.config)
    model.save_pretrained(folder)
    tokens.save_pretrained(folder)
    return folder


def requests_of(items: Sequence[Item], *, branches: bool) -> list[LogLikelihood]:
    """Every answer to every question; whether their contexts may be shared."""
    asked = [answer_after_question(item, role) for item in items for role in item.texts]
    return [replace(request, branches=branches) for request in asked]


def shared_contexts(folder: Path, items: Sequence[Item]) -> dict[str, Any]:
    """Time both ways on the same items, in turn so that a slow minute hits them alike."""
    scorer = Scorer(load_model(folder))
    ways = [requests_of(items, branches=branches) for branches in (True, False)]
    plans = [scorer.plan(requests) for requests in ways]
    answers = [scorer.run(plan) for plan in plans]
    differences = [
        abs(answers[0][one].total - answers[1][other].total)  # type: ignore[union-attr]
        for one, other in zip(*ways, strict=True)
    ]
    shared, separate = (Timed(lambda plan=plan: scorer.run(plan)) for plan in plans)  # type: ignore[misc]
    for _ in range(REPEATS):
        shared.repeat()
        separate.repeat()
    return {
        "model": f"GPT-2 {SIZE}",
        "items": len(items),
        "tokens_shared": plans[0].n_tokens,
        "tokens_separate": plans[1].n_tokens,
        "ms_per_item_shared": round(1000 * shared.median / len(items), 2),
        "ms_per_item_separate": round(1000 * separate.median / len(items), 2),
        "speed_up": round(separate.median / shared.median, 2),
        "largest_difference_nats": float(f"{max(differences):.1e}"),
    }


def seconds_of(command: Sequence[str]) -> float:
    """Wall-clock seconds of a process that must succeed."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=_environment())
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return seconds


def _environment() -> dict[str, str]:
    # A cache would keep the scores of the run before.
    cache = tempfile.mkdtemp(prefix="fairaudit-bench-")
    return {**os.environ, "FAIRAUDIT_CACHE": cache, "HF_HUB_OFFLINE": "1"}


class Harness:
    """lm-evaluation-harness on the same items: each prompt begins with the BOS token, as ours."""

    def __init__(self, python: str, model: Path, folder: Path, bos: str) -> None:
        self._python = python
        self._model = model
        self._folder = folder
        self._bos = bos

    def seconds(self, items: Sequence[Item], batch_size: int) -> float:
        """Time one run, from start to end of the process."""
        rows = [
            {
                "id": item.item_id,
                "prompt": self._bos + item.context,
                "choices": list(item.texts.values()),
                "label": list(item.texts).index(str(item.facts["correct"])),
            }
            for item in items
        ]
        asked = self._folder / "items.jsonl"
        asked.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        script = str(Path(__file__).with_name("choices_harness.py"))
        arguments = [script, self._model, asked, self._folder / "scores.json"]
        return seconds_of([self._python, *map(str, arguments), "--batch-size", str(batch_size)])

    def scores(self, items: Sequence[Item]) -> dict[str, dict[str, float]]:
        """Scores by role of the last run."""
        found = json.loads((self._folder / "scores.json").read_text(encoding="utf-8"))
        return {
            item.item_id: dict(zip(item.texts, found[item.item_id], strict=True)) for item in items
        }


def end_to_end(
    harness: Harness, model: Path, items: Sequence[Item], given: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Time both tools as processes of their own, in turn, and compare what they choose."""
    tried = {size: harness.seconds(items[:TRIED], size) for size in BATCH_SIZES}
    batch_size = min(tried, key=lambda size: tried[size])
    audit = [
        sys.executable, "-m", "fairaudit", "--quiet", "audit", str(model), "--suites", "bbq",
        "--axes", given.axis, "--data", str(given.data), "--device", "cpu",
        *([] if given.limit is None else ["--limit", str(given.limit)]),
    ]  # fmt: skip
    ours, theirs = [], []
    for repeat in range(given.repeats):
        ours.append(seconds_of([*audit, "--output", str(folder / f"audit-{repeat}")]))
        theirs.append(harness.seconds(items, batch_size))
    return {
        "items": len(items),
        "harness_batch_size": batch_size,
        "seconds_ours": round(statistics.median(ours), 1),
        "seconds_harness": round(statistics.median(theirs), 1),
        "speed_up": round(statistics.median(theirs) / statistics.median(ours), 2),
        **agreement(scores_of(folder / "audit-0"), harness.scores(items)),
    }


def scores_of(folder: Path) -> dict[str, dict[str, float]]:
    """Scores by item and role that an audit wrote."""
    table = pd.read_parquet(folder / "items" / "bbq.parquet")
    table = table[table["protocol"] == "bbq/choices-sum"]
    return {
        str(name): dict(zip(rows["role"], rows["score"], strict=True))
        for name, rows in table.groupby("item_id")
    }


def agreement(
    ours: dict[str, dict[str, float]], theirs: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Count the items on which both choose the same answer, of those that are no tie."""
    assert ours.keys() == theirs.keys()
    clear = {
        name: scores
        for name, scores in theirs.items()
        if sorted(scores.values())[-1] - sorted(scores.values())[-2] > TIED
    }
    same = sum(_best(scores) == _best(ours[name]) for name, scores in clear.items())
    largest = max(
        abs(ours[name][role] - score) for name, by in theirs.items() for role, score in by.items()
    )
    return {
        "items_not_tied": len(clear),
        "same_choice": same,
        "largest_difference_nats": float(f"{largest:.1e}"),
    }


def _best(scores: dict[str, float]) -> str:
    return max(scores, key=scores.__getitem__)


def main() -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--axis", default="religion")
    parser.add_argument("--limit", type=int, help="as that of an audit")
    parser.add_argument("--repeats", type=int, default=3, help="of the runs end to end")
    parser.add_argument("--harness", default=sys.executable, help="Python with the bench extra")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    items = items_of(given.data, given.axis, given.limit)
    record: dict[str, Any] = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = saved_model(items, folder / "model")
        record["shared_contexts"] = shared_contexts(model, items)
        print(json.dumps(record["shared_contexts"], indent=2), flush=True)
        if given.harness != sys.executable or find_spec("lm_eval") is not None:
            harness = Harness(given.harness, model, folder, "<s>")
            record["end_to_end"] = end_to_end(harness, model, items, given, folder)
            print(json.dumps(record["end_to_end"], indent=2))
    if given.output is not None:
        given.output.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
