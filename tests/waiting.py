"""The one clock of the tests: it ends what hangs, and long runs where there is no time for all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

#: Seconds after which something hangs, on any machine; far from what anything here takes.
PATIENCE: Final = 3600


def wait_until(reached: Callable[[], object], running: Callable[[], object] = lambda: True) -> None:
    """Return as soon as ``reached``; fail if what should reach it no longer runs, or hangs."""
    end = time.monotonic() + PATIENCE
    while not reached():
        assert running(), "ended before it got there"
        assert time.monotonic() < end, "hangs"
        time.sleep(0.001)


def is_too_late() -> bool:
    """Whether the time is over that long runs have, in seconds since 1970."""
    return time.time() > float(os.environ.get("FAIRAUDIT_LONG_RUNS_UNTIL", "inf"))
