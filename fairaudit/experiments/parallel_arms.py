"""Arms side by side: each in a process of its own, with its share of the cores."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Final, TypeVar

import torch
from transformers.utils import logging as transformers_logging

from fairaudit.errors import FairauditError

C = TypeVar("C")
T = TypeVar("T")

_POLL_SECONDS: Final = 1.0
_ENDED: Final = (
    "a process that trained an arm was ended from outside, perhaps for want of memory; call again "
    "to go on, with fewer processes"
)
_LOGGER: Final = "fairaudit"
#: Log lines of a process look like those of the command line, whatever its libraries set up.
_LOG_FORMAT: Final = "%(levelname)s %(name)s: %(message)s"


def default_processes() -> int:
    """One process for each core; a single one where there is a GPU."""
    return 1 if torch.cuda.is_available() else _cores()


def _cores() -> int:
    """Count the cores that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    work: Callable[[C], T],
    cells: Sequence[C],
    processes: int,
    tell: Callable[[], None],
    after: Mapping[int, Set[int]] | None = None,
) -> list[T]:
    """Do the work of every cell, several at a time; results in the order of the cells.

    Of the cells whose needs are done the first one begins, whatever else still runs, so that no
    process waits while there is work for it.

    Parameters
    ----------
    work : callable
        Picklable; its errors are raised here.
    cells : sequence
        What it is called with, one after another.
    processes : int
        How many at a time. They are ended when the caller is interrupted.
    tell : callable
        Called every second while waiting.
    after : mapping of int to set of int, optional
        By place of a cell, the places of those it needs; none of them may need it in turn.

    Raises
    ------
    FairauditError
        If a process was killed; an error of ``work`` ends the others and is raised as it is.
    """
    threads = max(1, _cores() // processes)
    level = logging.getLogger(_LOGGER).getEffectiveLevel()
    pool = ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(threads, level),
    )
    others = set(multiprocessing.active_children())
    needs = after or {}
    begun: dict[int, Future[T]] = {}
    try:
        while True:
            done = {place for place, future in begun.items() if future.done()}
            ready = (
                place
                for place in range(len(cells))
                if place not in begun and needs.get(place, set()) <= done
            )
            # No more than can run: what becomes ready later may stand earlier in the order.
            for place in islice(ready, processes - (len(begun) - len(done))):
                begun[place] = pool.submit(work, cells[place])
            if _settled(list(begun.values())) and len(begun) == len(cells):
                break
            tell()
        results = [begun[place].result() for place in range(len(cells))]
    except BaseException as error:
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(wait=False, cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise FairauditError(_ENDED) from error
        raise
    # Processes that are left to end clean up after themselves.
    pool.shutdown()
    return results


def _settled(begun: Sequence[Future[T]]) -> bool:
    """Wait a moment, at most until one more is done; whether all are. An error is raised."""
    running = [future for future in begun if not future.done()]
    wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
    for future in begun:
        if future.done():
            future.result()
    return all(future.done() for future in begun)


def _start(threads: int, level: int) -> None:
    """Leave interruptions to the parent, the screen to its progress bar, other cores to others."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(format=_LOG_FORMAT, force=True)
    logging.getLogger(_LOGGER).setLevel(level)
    torch.set_num_threads(threads)
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def _end_with_parent() -> None:
    """Stop at once when the parent was killed: what it locked is free for another process."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Run on one thread: several spend longer on agreeing than a small model takes to run."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
