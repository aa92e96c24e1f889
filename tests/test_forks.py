"""Work dealt to copies of a process: the answers of one process, whatever happens to a copy.

pytest has loaded torch by then, so each case is a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from fairaudit.forks import shared_out, usable_processes
from tests.comparing.audits import make_audit, pair_table
from tests.waiting import PATIENCE

SETTING = """
import os, signal, sys, json
from functools import partial
from fairaudit.forks import shared_out
FIRST = os.getpid()
"""


def answer(body: str) -> str:
    found = subprocess.run(
        [sys.executable, "-c", SETTING + body], capture_output=True, text=True, timeout=PATIENCE
    )
    assert not found.stderr, found.stderr
    return found.stdout


@pytest.mark.parametrize("processes", [1, 2, 3, 9])
def test_results_come_in_the_order_of_the_tasks(processes):
    body = f"""
os.sched_getaffinity = lambda pid: range(8)
begun = []
found = shared_out([partial(pow, k, 2) for k in range(50)], {processes}, begun.append)
print(json.dumps([found, begun]))
"""
    found, begun = json.loads(answer(body))
    assert found == [k**2 for k in range(50)]
    assert begun == sorted(begun)


def test_work_is_really_shared():
    body = """
os.sched_getaffinity = lambda pid: range(2)
import time
def task(k):
    time.sleep(0.02)
    return os.getpid()
print(len(set(shared_out([partial(task, k) for k in range(20)], 2))))
"""
    assert answer(body).strip() == "2"


@pytest.mark.parametrize("harm", ["os.kill(os.getpid(), signal.SIGKILL)", "1 / 0", "sys.exit(3)"])
def test_what_a_copy_fails_at_is_done_here(harm):
    body = f"""
os.sched_getaffinity = lambda pid: range(2)
def task(k):
    if os.getpid() != FIRST:
        {harm}
    return k
print(json.dumps(shared_out([partial(task, k) for k in range(20)], 2)))
"""
    assert json.loads(answer(body)) == list(range(20))


def test_an_error_is_raised_as_it_is():
    body = """
os.sched_getaffinity = lambda pid: range(2)
from fairaudit.errors import ResultError
def task(k):
    if k == 13:
        raise ResultError("thirteen")
    return k
try:
    shared_out([partial(task, k) for k in range(20)], 2)
except ResultError as error:
    print(error)
"""
    assert answer(body).strip() == "thirteen"


def test_no_copy_is_made_of_a_process_that_runs_torch():
    import torch  # noqa: F401

    assert usable_processes() == 1
    assert shared_out([lambda: 1, lambda: 2], 4) == [1, 2]


def test_a_comparison_does_not_depend_on_the_number_of_processes(tmp_path):
    rng = np.random.default_rng(0)
    for label in "abc":
        table = pair_table({axis: list(rng.normal(size=40)) for axis in ("gender", "race")})
        make_audit(label, table).save(tmp_path / label)
    folders = [str(tmp_path / label) for label in "abc"]
    body = f"""
os.sched_getaffinity = lambda pid: range(3)
from fairaudit.comparing.compare import compare
found = [compare({folders!r}, processes=n, progress=False) for n in (1, 3)]
assert "torch" not in sys.modules
print(json.dumps([one.model_dump_json(exclude={{"run"}}) for one in found]))
"""
    one, three = json.loads(answer(body))
    assert one == three
    assert len(json.loads(one)["comparisons"]) >= 4
