"""Runs a Python program and writes when its model first and last ran.

``python benchmarks/phases.py OUTPUT -m MODULE ARGUMENTS...`` or ``... OUTPUT SCRIPT ARGUMENTS...``
runs the program as `python` would, and writes to OUTPUT, in seconds on the clock and of the
processor: until the first forward pass of a `transformers` model begins, from there to the end of
the last one, how much of that was spent inside forward passes, and from there to the program's end.
All peers are run by it alike; it adds a function call to each forward pass.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Clock:
    """Times of the forward passes of whole models; one inside another counts once."""

    started: float = field(default_factory=time.time)
    depth: int = 0
    passes: int = 0
    inside: float = 0.0
    first: tuple[float, float] | None = None
    last: tuple[float, float] = (0.0, 0.0)
    entered: float = 0.0

    def begin(self, *_: Any) -> None:
        """Note that a model is called."""
        if self.depth == 0:
            self.entered = time.time()
            self.first = self.first or (self.entered, time.process_time())
        self.depth += 1

    def end(self, *_: Any) -> None:
        """Note that it has answered."""
        self.depth -= 1
        if self.depth == 0:
            self.last = time.time(), time.process_time()
            self.inside += self.last[0] - self.entered
            self.passes += 1

    def phases(self) -> dict[str, float]:
        """Return seconds of each phase; of a program that ran no model there is one."""
        now, cpu = time.time(), time.process_time()
        # The parent says when it started this process: imports of the interpreter count.
        start = float(os.environ.get("FAIRAUDIT_BENCH_START", self.started))
        if self.first is None:
            return {"whole_wall": now - start, "whole_cpu": cpu}
        return {
            "start_wall": self.first[0] - start,
            "start_cpu": self.first[1],
            "scoring_wall": self.last[0] - self.first[0],
            "scoring_cpu": self.last[1] - self.first[1],
            "forward_wall": self.inside,
            "forward_passes": self.passes,
            "tail_wall": now - self.last[0],
            "tail_cpu": cpu - self.last[1],
        }


def watch(clock: Clock) -> None:
    """Have every model that is made from now on tell the clock."""
    from transformers import PreTrainedModel

    made = PreTrainedModel.__init__

    def init(self: Any, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **options)
        self.register_forward_pre_hook(clock.begin)
        self.register_forward_hook(clock.end, always_call=True)

    PreTrainedModel.__init__ = init  # type: ignore[method-assign]


def main() -> None:
    """Run the program that the command line names."""
    output, *program = sys.argv[1:]
    clock = Clock()
    watch(clock)
    try:
        if program[0] == "-m":
            sys.argv = program[1:]
            runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = program
            sys.path.insert(0, str(Path(program[0]).parent))
            runpy.run_path(program[0], run_name="__main__")
    finally:
        phases = {name: round(value, 3) for name, value in clock.phases().items()}
        Path(output).write_text(json.dumps(phases), encoding="utf-8")


if __name__ == "__main__":
    main()
