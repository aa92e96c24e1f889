"""Two processes against one: the same audit and the same DP steps, one thread each.

``python benchmarks/ranks.py [--rounds N] [--output FILE]`` starts one process, then two, then one
again, and so on, with one thread each. Each times, on ``shared/models/gpt2-mini`` and with an
empty score store, the scoring of CrowS-Pairs, and steps of DP-SGD of 256 and of 1,024 records on
average, after one of each to warm up, with no state saved between them. Processes wait for each
other at every step, so that the shorter it is, the more a core's unevenness costs. What is recorded
is the minimum over rounds and the ratio of the minima; ``whole`` is the whole audit, with loading,
statistics and figures, which one process does.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

SHARED: Final = Path(__file__).resolve().parents[2] / "shared"
MODEL: Final = SHARED / "models" / "gpt2-mini"
SUITES: Final = ("crows_pairs",)
#: Records of a step, and how many steps are timed.
STEPS: Final = {256: 5, 1024: 3}


def measure() -> None:
    """Time both on this rank, and let the first one print."""
    import torch

    from fairaudit.auditing.run_audit import plan_audit, run_audit
    from fairaudit.ranks import ranks

    torch.set_num_threads(1)
    here = ranks()
    start = time.perf_counter()
    plan = plan_audit(MODEL, suites=SUITES, data=SHARED / "data")
    here.together(lambda: None)
    begun = time.perf_counter()
    plan.scorer.run(plan.scoring)
    scored = time.perf_counter()
    # What was scored is in the store now.
    run_audit(plan, progress=False)
    whole = time.perf_counter() - start
    found = {"scoring": scored - begun, "whole": whole}
    for records, steps in STEPS.items():
        found[f"dp_step_{records}"] = _step(records, steps)
    if here.is_first:
        print(json.dumps(found))


def _step(records: int, steps: int) -> float:
    """Return the seconds of a step, the first left out; NaN where another rank is told."""
    from fairaudit.training.finetuning import finetune

    marks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        finetune(
            MODEL, _text(Path(folder)), output=Path(folder) / "model", epsilon=8.0,
            steps=steps + 1, batch_size=records, max_length=48, checkpoint_every=steps + 1,
            on_step=lambda report, model: marks.append(time.perf_counter()),
        )  # fmt: skip
    return (marks[-1] - marks[0]) / steps if marks else math.nan


def _text(folder: Path) -> Path:
    sentences = [
        text
        for file in sorted((SHARED / "data" / "bold" / "wikipedia").glob("*.json"))
        for articles in json.loads(file.read_text("utf-8")).values()
        for texts in articles.values()
        for text in texts
    ]
    path = folder / "text.txt"
    path.write_text("\n".join(" ".join(one.split()) for one in sentences[:4000]) + "\n", "utf-8")
    return path


def launched(size: int) -> dict[str, float]:
    """Run `measure` on so many ranks and return what the first one printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    cache = tempfile.TemporaryDirectory()
    setting = {
        "FAIRAUDIT_CACHE": cache.name,
        "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
        "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1",
    }  # fmt: skip
    started = []
    for rank in range(size):
        environment = os.environ | setting | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        started.append(
            subprocess.Popen(
                [sys.executable, __file__, "--measure"],
                env=environment, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
    said = [one.communicate()[0] for one in started]
    cache.cleanup()
    if any(one.returncode for one in started):
        raise SystemExit("a rank failed")
    found: dict[str, float] = json.loads(said[0].strip().splitlines()[-1])
    return found


def main() -> None:
    """Measure in turns, and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure()
        return
    seen: dict[int, list[dict[str, float]]] = {1: [], 2: []}
    for _ in range(given.rounds):
        for size, rounds in seen.items():
            rounds.append(launched(size))
            print(size, rounds[-1], flush=True)
    least = {
        size: {name: min(one[name] for one in rounds) for name in rounds[0]}
        for size, rounds in seen.items()
    }
    record: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "rounds": given.rounds,
        "seconds": {str(size): values for size, values in least.items()},
        "times_faster": {name: round(least[1][name] / least[2][name], 2) for name in least[1]},
    }
    print(json.dumps(record, indent=1))
    if given.output is not None:
        given.output.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
