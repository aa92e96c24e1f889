"""What a user waits for, in processor time: the program's start, and the bootstrap.

``python benchmarks/waiting.py`` prints the seconds of one process each, which other processes on
the machine hardly change, beside their bars.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

from fairaudit.stats.bootstrap import bootstrap_t


def of_process(*arguments: str) -> float:
    """Processor seconds, user and system, of one Python process."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return float(spent)


def of_bootstrap() -> float:
    """Processor seconds of 10,000 replicates of 100 estimates on 10,000 items in 500 clusters."""
    rng = np.random.default_rng(0)
    w = rng.multinomial(10_000, np.full(500, 1 / 500)).astype(float)
    y = rng.binomial(w.astype(int)[:, None], 0.5, size=(500, 100)).astype(float)
    start = time.process_time()
    bootstrap_t(y, w, replicates=10_000, seed=12345).interval()
    return time.process_time() - start


def main() -> int:
    """Print the table; returns 1 if a bar is missed."""
    rows = [
        ("import fairaudit, beyond python alone", _import(), 0.05),
        ("fairaudit --help", of_process("-m", "fairaudit", "--help"), 0.5),
        ("bootstrap of 100 estimates", of_bootstrap(), 2.0),
    ]
    for name, seconds, bar in rows:
        print(f"{name:40} {seconds:6.2f} s  (bar {bar:g} s)")
    return int(any(seconds > bar for _, seconds, bar in rows))


def _import() -> float:
    return of_process("-c", "import fairaudit") - of_process("-c", "pass")


if __name__ == "__main__":
    sys.exit(main())
