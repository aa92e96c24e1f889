"""What a recorded time needs beside it: the machine's own speed, and what a process used.

``python benchmarks/machine.py`` prints the roofline of one thread: how many floating-point
operations a second a matrix product does, and how many bytes a second a copy moves. The scripts
that time whole processes measure it before each of them, since a shared machine has slow hours:
times of different hours compare only by what the machine could do then.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Side of the square matrices, and bytes of the copied array: far above any cache.
SIDE, COPIED = 1024, 1 << 28
PACKAGES = ("torch", "transformers", "numpy", "scipy", "opacus", "lm_eval", "tokenizers")
#: Peers that no registry of this machine has are named, not left out.
FROM_NOWHERE = {"fastDP": "not in the package registry, so it could not be run"}


@dataclass(frozen=True)
class Used:
    """What one process took: on the clock, of the processor, and at most of memory."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float


def run(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Used:
    """Run a process that must succeed; what it prints goes into the log.

    Raises
    ------
    SystemExit
        With the end of the log, if it fails.
    """
    with log.open("w", encoding="utf-8") as stream:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=stream, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
        # Not `wait`: the memory of this child alone is wanted.
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{log.read_text()[-3000:]}")
    cpu = used.ru_utime + used.ru_stime
    return Used(round(wall, 3), round(cpu, 3), round(used.ru_maxrss / 1024, 1))


def one_thread(threads: int = 1) -> dict[str, str]:
    """Environment of a timed process: so many threads, no Hub, and no scores of a run before."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    return {
        **dict.fromkeys(names, str(threads)),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "FAIRAUDIT_CACHE": tempfile.mkdtemp(prefix="fairaudit-bench-"),
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parent)]),
    }


@dataclass(frozen=True)
class Roofline:
    """What this machine can do at this moment, at best of several tries."""

    matmul_gflops: float
    copied_gb_per_second: float


def roofline(threads: int = 1, tries: int = 5) -> Roofline:
    """Measure both limits of this process: a matrix product in fp32, and reading plus writing.

    In processor time, as the shares of it are: a process that waits for others does nothing.
    """
    import torch

    torch.set_num_threads(threads)
    left, right = torch.ones(SIDE, SIDE), torch.ones(SIDE, SIDE)
    source = torch.ones(COPIED // 4)
    target = torch.empty_like(source)
    product = min(_seconds(lambda: torch.mm(left, right)) for _ in range(tries)) / threads
    copy = min(_seconds(lambda: target.copy_(source)) for _ in range(tries)) / threads
    return Roofline(round(2 * SIDE**3 / product / 1e9, 1), round(2 * COPIED / copy / 1e9, 1))


def _seconds(work: Any) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def phase(threads: int = 1) -> dict[str, float]:
    """Roofline in a process of its own, and the load: what stands beside each timed run."""
    code = f"import json, machine; print(json.dumps(vars(machine.roofline({threads}, 3))))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **one_thread(threads)},
        capture_output=True,
        text=True,
        check=True,
    )
    return {**json.loads(done.stdout), "load": round(os.getloadavg()[0], 2)}


def versions(python: str = sys.executable) -> dict[str, str]:
    """Versions of what is compared, as a Python has them; missing ones are said to be."""
    code = (
        "import importlib.metadata as m, json, sys\n"
        "def of(name):\n"
        "    try: return m.version(name)\n"
        "    except m.PackageNotFoundError: return 'not installed'\n"
        f"print(json.dumps({{name: of(name) for name in {PACKAGES!r}}}))"
    )
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return {"python": platform.python_version(), **json.loads(done.stdout), **_from_nowhere()}


def _from_nowhere() -> dict[str, str]:
    found = {}
    for name, why in FROM_NOWHERE.items():
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = why
    return found


def description(threads: int) -> str:
    """Say on what a record was made."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    named = f"{names[0]}, " if names and names[0] not in ("", "unknown") else ""
    plural = "" if threads == 1 else "s"
    return f"{named}{platform.machine()}, {os.cpu_count()} cores, {threads} thread{plural}"


if __name__ == "__main__":
    print(json.dumps(asdict(roofline())))
