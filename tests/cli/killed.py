"""Runs the program again and again, killed as it touches its n-th file, until it is through.

A script, since each run is a fork of a process that has loaded everything and computed nothing:
``python killed.py KILLS SEED FOLDER ARGUMENTS...``. ``{out}`` in the arguments is the output
folder; ``{resume}`` goes, or becomes ``--resume`` where a training has a state. The first run is
left alone, into ``FOLDER/0``. Then runs are killed at random places until there were KILLS; each
series of runs that ends in a whole one has a folder of its own, ``FOLDER/1``, ``FOLDER/2``, ...
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from pathlib import Path

#: What changes files, as the interpreter tells it; `open` for writing counts as well.
TOUCHES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir"}
WRITES = os.O_WRONLY | os.O_RDWR


def forked(arguments: list[str], report: Path, kill_at: int) -> int:
    """Run the program in a fork; returns how it ended. It reports how often it touched files."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    touched = 0

    def hook(event: str, details: tuple) -> None:
        nonlocal touched
        if event in TOUCHES or (event == "open" and details[2] is not None and details[2] & WRITES):
            touched += 1
            if touched == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    code = 0
    try:
        sys.argv = ["fairaudit", "--quiet", *arguments]
        sys.addaudithook(hook)
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
    finally:
        kill_at = -1
        report.write_text(str(touched))
        os._exit(code)


def series(folder: Path, arguments: list[str], kills: list[int]) -> int:
    """Run until a run is whole, the first ones killed; returns how many were."""
    os.environ["FAIRAUDIT_CACHE"] = str(folder / "cache")
    out, killed = folder / "out", 0
    while True:
        has_state = (out / "private" / "state.pt").exists()
        words = [one.replace("{out}", str(out)) for one in arguments]
        words = [one.replace("{resume}", "--resume") for one in words
                 if one != "{resume}" or has_state]  # fmt: skip
        kill_at = kills[killed] if killed < len(kills) else -1
        code = forked(words, folder / "touched", kill_at)
        if code != -signal.SIGKILL:
            assert code == 0, f"{folder}: ended with {code} after {killed} kills"
            return killed
        killed += 1
        if (out / "training.json").exists():
            return killed


if __name__ == "__main__":
    # Loaded once, for all forks.

    import fairaudit.auditing.run_audit
    import fairaudit.experiments.experimenting
    import fairaudit.report.files
    import fairaudit.training.finetuning  # noqa: F401
    from fairaudit.cli.app import main

    wanted, seed, place, arguments = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
    (place / "0").mkdir(parents=True)
    series(place / "0", arguments, [])
    n_touched = int((place / "0" / "touched").read_text())
    chance, done, number = random.Random(seed), 0, 0
    while done < wanted:
        number += 1
        (place / str(number)).mkdir()
        # A few kills to a series, since later ones have less left to do.
        points = [chance.randint(1, n_touched) for _ in range(min(3, wanted - done))]
        done += series(place / str(number), arguments, points)
    print(json.dumps({"touched": n_touched, "killed": done, "series": number}))
