"""Independent pieces of work dealt to this process and to copies of it.

A copy (`os.fork`) starts in a millisecond with everything that is loaded already, which a new
interpreter does not. It is safe only where no library runs threads of its own, so it is asked for
(the command line does) and never done where torch is loaded. Answers are those of one process:
each piece knows its own random draws.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkContext
from typing import Any, Final, Generic, TypeVar

T = TypeVar("T")

#: More copies than this read the same tables anew for little gain.
_MOST: Final = 4


def usable_processes() -> int:
    """Return how many processes may share work here: cores, where copying is safe."""
    if sys.platform != "linux" or "torch" in sys.modules:
        return 1
    return min(_MOST, len(os.sched_getaffinity(0)))


def shared_out(
    tasks: Sequence[Callable[[], T]],
    processes: int,
    tell: Callable[[int], object] = lambda done: None,
) -> list[T]:
    """Run all tasks, each in whichever process is free, and return their results in order.

    Parameters
    ----------
    tasks : sequence of callable
        Independent of each other; the longest first. What they return is pickled.
    processes : int
        This one included; no more than `usable_processes` work.
    tell : callable
        Called with the number of tasks that were begun, each time this process begins one.

    Returns
    -------
    list
        One result per task.

    Raises
    ------
    Exception
        What a task raised. A task that another process failed at, or died over, is run again
        here.
    """
    n = min(processes, usable_processes(), len(tasks))
    if n <= 1:
        return [_told(task, index, tell) for index, task in enumerate(tasks)]
    shared = _Shared(tasks, multiprocessing.get_context("fork"))
    with contextlib.ExitStack() as stack:
        copies = [stack.enter_context(_copied(shared)) for _ in range(n - 1)]
        done = {index: _told(tasks[index], index, tell) for index in shared.taken()}
        for copy in copies:
            done.update(_received(copy))
    return [done[index] if index in done else task() for index, task in enumerate(tasks)]


def _told(task: Callable[[], T], index: int, tell: Callable[[int], object]) -> T:
    tell(index)
    return task()


class _Shared(Generic[T]):
    """Tasks, and the place of the next one that no process has taken."""

    def __init__(self, tasks: Sequence[Callable[[], T]], context: ForkContext) -> None:
        self.tasks, self.context = tasks, context
        self._next = context.Value("i", 0)

    def taken(self) -> Iterator[int]:
        """Yield the places of tasks that this process takes."""
        while True:
            with self._next.get_lock():
                index = self._next.value
                self._next.value = index + 1
            if index >= len(self.tasks):
                return
            yield index


@contextlib.contextmanager
def _copied(shared: _Shared[T]) -> Iterator[Connection]:
    """Start a copy of this process that works on the tasks; it ends with the block."""
    ours, theirs = shared.context.Pipe(duplex=False)
    copy = shared.context.Process(target=_work, args=(shared, theirs), daemon=True)
    copy.start()
    theirs.close()
    try:
        yield ours
    finally:
        copy.terminate()
        copy.join()
        ours.close()


def _work(shared: _Shared[T], to: Connection) -> None:
    """Send each result by its place; leave out what fails, for the first process to meet."""
    # The first process answers to the user, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    done: dict[int, T] = {}
    for index in shared.taken():
        try:
            done[index] = shared.tasks[index]()
        except Exception:
            break
    with contextlib.suppress(OSError):
        to.send(done)


def _received(copy: Connection) -> dict[int, Any]:
    try:
        found: dict[int, Any] = copy.recv()
    except (EOFError, OSError):
        return {}
    return found
