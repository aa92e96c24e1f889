"""Waiting for processes: the one clock of the tests, and it only ends what hangs."""

from __future__ import annotations

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
