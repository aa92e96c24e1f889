"""Several processes of one run, as torchrun starts them, without its own messages around theirs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tests.waiting import PATIENCE


@dataclass(frozen=True)
class Ended:
    """How one rank ended and what it said."""

    code: int
    out: str
    err: str


def launch(arguments: Sequence[str], size: int = 2, **environment: str) -> list[Ended]:
    """Run ``python ARGUMENTS`` on so many ranks, one thread each, and wait for all."""
    started = [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | _of_rank(rank, size, port) | environment,
        )
        for port in [_free_port()]
        for rank in range(size)
    ]
    said = [one.communicate(timeout=PATIENCE) for one in started]
    return [Ended(one.returncode, out, err) for one, (out, err) in zip(started, said, strict=True)]


def _of_rank(rank: int, size: int, port: int) -> dict[str, str]:
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "OMP_NUM_THREADS": "1",
    }


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
