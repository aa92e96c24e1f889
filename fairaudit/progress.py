"""What is going on, told as it goes: a bar on a terminal or in a notebook, lines anywhere else.

Work reports ``(what, done, total)``: the stage in a few words, and how much of it is done. A total
of 0 means that nobody knows how much there is; what follows a " · " is a detail that may change
within a stage.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import escape
from importlib import import_module
from typing import IO, Any, Final

#: Called with (stage, done, total).
Progress = Callable[[str, int, int], None]

#: Seconds without a line after which one is due where there is no bar.
EVERY: Final = 30.0
_DETAIL: Final = " · "
#: Seconds between two updates of a bar in a notebook.
_REFRESH: Final = 0.25


@contextlib.contextmanager
def shown(progress: Progress | bool | None = None) -> Iterator[Progress]:
    """Yield where to report to: a given callable, nowhere (False), or what this place can show."""
    if callable(progress):
        yield progress
    elif progress is False:
        yield lambda *_: None
    elif in_notebook():
        with _notebook_bar() as tell:
            yield tell
    elif sys.stderr.isatty():
        with _terminal_bar() as tell:
            yield tell
    else:
        with _lines(sys.stderr) as tell:
            yield tell


def in_notebook() -> bool:
    """Whether the caller's output goes to a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@dataclass(slots=True)
class Stage:
    """The stage that work is in, and when it began."""

    what: str = "starting"
    done: int = 0
    total: int = 0
    began: float = field(default_factory=time.monotonic)

    def update(self, what: str, done: int, total: int) -> bool:
        """Take a report over; whether it begins another stage."""
        new = what.partition(_DETAIL)[0] != self.what.partition(_DETAIL)[0]
        if new:
            self.began = time.monotonic()
        self.what, self.done, self.total = what, done, total
        return new

    @property
    def share(self) -> float | None:
        """How much is done, 0 to 1; None where nobody knows."""
        return min(self.done / self.total, 1.0) if self.total > 0 else None

    @property
    def left(self) -> float | None:
        """Seconds that the rest of the stage takes at the speed so far."""
        share = self.share
        return None if not share else (time.monotonic() - self.began) * (1 - share) / share

    def words(self) -> str:
        """Stage, share and time left: ``scoring: 40 %, about 2 min left``."""
        share, left = self.share, self.left
        if share is None:
            return self.what
        return f"{self.what}: {share:.0%}".replace("%", " %") + (
            "" if left is None else f", about {duration(left)} left"
        )


def duration(seconds: float) -> str:
    """Return a time in the unit that fits: ``40 s``, ``3 min``, ``1 h 20 min``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@contextlib.contextmanager
def _lines(stream: IO[str], every: float = EVERY) -> Iterator[Progress]:
    """Write a line whenever none was written for ``every`` seconds, whatever the work is doing.

    Once there was one, each new stage gets its own. Short work says nothing.
    """
    stage, ended, wrote = Stage(), threading.Event(), False

    def write() -> None:
        nonlocal wrote
        wrote = True
        stream.write(f"fairaudit: {stage.words()}\n")
        stream.flush()

    def watch() -> None:
        while not ended.wait(every):
            write()

    def tell(what: str, done: int, total: int) -> None:
        if stage.update(what, done, total) and wrote:
            write()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield tell
    finally:
        ended.set()
        watcher.join()


@contextlib.contextmanager
def _terminal_bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.fields[words]}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        stage = Stage()
        task = bar.add_task("", total=None, words=stage.what)

        def tell(what: str, done: int, total: int) -> None:
            stage.update(what, done, total)
            bar.update(task, completed=done, total=total or None, words=stage.words())

        yield tell


@contextlib.contextmanager
def _notebook_bar() -> Iterator[Progress]:
    """Show a bar that is gone when the work is done, so that no notebook stores it."""
    display = import_module("IPython.display").display
    stage, last = Stage(), 0.0
    handle: Any = display(_html(stage), raw=True, display_id=True)

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        new = stage.update(what, done, total)
        if new or time.monotonic() - last > _REFRESH:
            last = time.monotonic()
            handle.update(_html(stage), raw=True)

    try:
        yield tell
    finally:
        handle.update({"text/html": "", "text/plain": ""}, raw=True)


def _html(stage: Stage) -> dict[str, str]:
    share = stage.share
    value = "" if share is None else f" value='{share:.3f}'"
    text = stage.words()
    return {"text/html": f"<progress{value}></progress> {escape(text)}", "text/plain": text}
