"""fairaudit beside its peers: same checkpoints, same data, same machine, one run, in turn.

``python benchmarks/peers.py --models FOLDER --data FOLDER --harness PYTHON [--only NAMES]
[--rounds N] [--quick] [--output FILE]`` runs every side of every contest as a process of its own,
A B A B, and records time on the clock and of the processor, peak memory, phases (start to first
forward pass, scoring, last forward pass to exit), the machine's own speed just before, whether the
answers are equal, and for each goal whether it is met or by how much not. A run that is recorded is
not run again: a broken-off command goes on. Contests:

- pairs, choices: CrowS-Pairs and BBQ with ``gpt2-mini``, beside lm-evaluation-harness;
- masked: CrowS-Pairs with ``bert-mini``, beside the published algorithm, a variant a forward pass;
- statistics: 100 intervals, beside a loop over `scipy.stats.bootstrap`;
- dp, dp_untied: private steps, beside Opacus with hooks, and with ghost clipping;
- chat: pairs with SmolLM2-135M-Instruct, in fp32 and bf16, beside lm-evaluation-harness.
"""

from __future__ import annotations

import argparse
import copy
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from machine import description, one_thread, phase, run, versions
from peer_goals import BF16, agreement, judged
from peer_sides import (
    HARNESS,
    HERE,
    Contest,
    Side,
    audit,
    harness,
    items_of,
    masked_script,
    python_of,
    statistic,
    steps,
    write_items,
)

#: Of these the fastest is taken for the harness, on as many items as are tried.
BATCH_SIZES, TRIED = (1, 8, 16, 32), 60
#: Numbers of a side's answers that are times.
TIMES: Final = ("step_wall", "step_cpu")
PAIRS_ARGUMENTS: Final = ("--delimiter", "")


def pairs(given: argparse.Namespace, folder: Path) -> Contest:
    """CrowS-Pairs, summed log-probability after BOS."""
    model, items = given.models / "gpt2-mini", items_of("crows_pairs", given)
    asked = write_items(items, "", folder / "items.jsonl")
    size = fastest(given, model, asked, folder, *PAIRS_ARGUMENTS)
    sides = (
        audit(model, "crows_pairs", "causal-sum", given),
        harness(model, asked, size, *PAIRS_ARGUMENTS),
    )
    facts = {"items": len(items), "harness_batch_size": size}
    return Contest("pairs", "CrowS-Pairs with gpt2-mini", sides, facts=facts)


def choices(given: argparse.Namespace, folder: Path) -> Contest:
    """BBQ, three answers to a question."""
    model, items = given.models / "gpt2-mini", items_of("bbq", given, "religion")
    asked = write_items(items, "<|endoftext|>", folder / "items.jsonl")
    size = fastest(given, model, asked, folder)
    sides = (
        audit(model, "bbq", "choices-sum", given, "--axes", "religion"),
        harness(model, asked, size),
    )
    facts = {"items": len(items), "harness_batch_size": size}
    return Contest("choices", "BBQ (religion) with gpt2-mini", sides, facts=facts)


def masked(given: argparse.Namespace, folder: Path) -> Contest:
    """CrowS-Pairs as published. Our audit scores three protocols more."""
    model, items = given.models / "bert-mini", items_of("crows_pairs", given)
    asked = write_items(items, "", folder / "items.jsonl")
    sides = (audit(model, "crows_pairs", "pll-nangia", given), masked_script(model, asked))
    what = "CrowS-Pairs with bert-mini (ours: four protocols, the script: one)"
    return Contest("masked", what, sides, facts={"items": len(items)})


def statistics(given: argparse.Namespace, folder: Path) -> Contest:
    """Intervals of estimates on 10,000 items in 500 clusters, 9,999 replicates."""
    del folder
    what = f"{given.estimates} intervals of 10,000 items in 500 clusters, 9,999 replicates"
    sides = (statistic("ours", given), statistic("scipy", given))
    return Contest("statistics", what, sides, same="numbers")


def dp(given: argparse.Namespace, folder: Path) -> Contest:
    """Private steps on tied weights."""
    return _steps("dp", given, ("ours", "plain", "opacus_hooks"), folder)


def dp_untied(given: argparse.Namespace, folder: Path) -> Contest:
    """Private steps on untied weights, which ghost clipping needs."""
    return _steps("dp_untied", given, ("ours_untied", "opacus_ghost"), folder)


def _steps(name: str, given: argparse.Namespace, ways: tuple[str, ...], folder: Path) -> Contest:
    del folder
    model = given.models / "gpt2-mini"
    what = f"a step of {given.rows} x {given.tokens} tokens with gpt2-mini"
    return Contest(name, what, tuple(steps(model, way, given) for way in ways), same="numbers")


def chat(given: argparse.Namespace, folder: Path) -> Contest:
    """CrowS-Pairs with a real chat model, in both precisions; a part of the pairs."""
    given = copy.copy(given)
    given.limit = given.chat_limit
    model, items = given.chat_model, items_of("crows_pairs", given)
    asked = write_items(items, "", folder / "items.jsonl")
    size = fastest(given, model, asked, folder, *PAIRS_ARGUMENTS)
    sixteen, bf16 = ("--dtype", "bfloat16"), (*PAIRS_ARGUMENTS, "--dtype", "bfloat16")
    sides = (
        audit(model, "crows_pairs", "causal-sum", given),
        harness(model, asked, size, *PAIRS_ARGUMENTS),
        audit(model, "crows_pairs", "causal-sum", given, *sixteen, name=BF16),
        harness(model, asked, size, *bf16, name=f"{HARNESS} bf16"),
    )
    facts = {"items": len(items), "harness_batch_size": size}
    return Contest("chat", "CrowS-Pairs with SmolLM2-135M-Instruct", sides, facts=facts)


CONTESTS: Final[dict[str, Callable[[argparse.Namespace, Path], Contest]]] = {
    made.__name__: made for made in (pairs, choices, masked, statistics, dp, dp_untied, chat)
}
#: Sides that take a quarter of an hour get as many rounds as this.
FEW_ROUNDS: Final = {"masked": 2, "chat": 3}


def fastest(given: argparse.Namespace, model: Path, items: Path, folder: Path, *more: str) -> int:
    """Batch size at which the harness scores fastest, tried on the first items, once."""
    kept = folder / "batch_size"
    if not kept.exists():
        few = folder / "few.jsonl"
        few.write_text("".join(items.read_text().splitlines(keepends=True)[:TRIED]))
        sizes = BATCH_SIZES[:2] if given.quick else BATCH_SIZES
        seconds = {
            size: timed(harness(model, few, size, *more), given, folder)["scoring_wall"]
            for size in sizes
        }
        kept.write_text(str(min(seconds, key=lambda size: seconds[size])))
    return int(kept.read_text())


def timed(side: Side, given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run a side once, in an empty folder; its files stay there."""
    place = folder / side.name.replace(" ", "-")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    environment = one_thread(given.threads)
    watched = [str(HERE / "phases.py"), str(place / "phases.json")] if side.watched else []
    command = [python_of(side, given), *watched, *side.command(place)]
    environment["FAIRAUDIT_BENCH_START"] = str(time.time())
    used = run(command, place / "log.txt", environment)
    shutil.rmtree(environment["FAIRAUDIT_CACHE"], ignore_errors=True)
    phases = json.loads((place / "phases.json").read_text()) if side.watched else {}
    found = {} if side.watched else side.answers(place)
    return {**vars(used), **phases, **{name: found[name] for name in TIMES if name in found}}


class Record:
    """The record as far as it is made; every run is written when it is done."""

    def __init__(self, path: Path, settings: dict[str, Any], given: argparse.Namespace) -> None:
        self.path = path
        self.content: dict[str, Any] = {
            "machine": description(given.threads),
            "settings": settings,
            "versions": versions(str(given.harness)),
            "goals": [],
            "agreement": [],
            "contests": [],
            "runs": [],
        }
        if path.exists():
            before = json.loads(path.read_text(encoding="utf-8"))
            for name in ("settings", "versions"):
                if before[name] != self.content[name]:
                    raise SystemExit(f"{path} was made with other {name}; choose another --output")
            self.content = before

    def has(self, contest: str, side: str, number: int) -> bool:
        """Whether a run is recorded."""
        key = (contest, side, number)
        return any(
            (one["contest"], one["side"], one["round"]) == key for one in self.content["runs"]
        )

    def add(self, contest: str, side: str, number: int, found: dict[str, Any]) -> None:
        """Add a run, and judge the goals anew."""
        self.content["runs"].append({"contest": contest, "side": side, "round": number, **found})
        self.content["goals"] = judged(self.content["runs"])
        self.write()

    def put(self, part: str, contest: str, rows: list[dict[str, Any]]) -> None:
        """Replace what a part says of a contest."""
        others = [row for row in self.content[part] if row["contest"] != contest]
        self.content[part] = [*others, *rows]
        self.write()

    def write(self) -> None:
        """Write the record as it is."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.content, indent=1) + "\n", encoding="utf-8")


def hold(contest: Contest, record: Record, given: argparse.Namespace, folder: Path) -> None:
    """Run the sides of a contest in turn, and compare what they found."""
    record.put("contests", contest.name, [
        {"contest": contest.name, "what": contest.what, **contest.facts}
    ])  # fmt: skip
    for number in range(min(given.rounds, FEW_ROUNDS.get(contest.name, given.rounds))):
        for side in contest.sides:
            if record.has(contest.name, side.name, number):
                continue
            before = phase(given.threads)
            found = {**timed(side, given, folder), **{f"machine_{k}": v for k, v in before.items()}}
            record.add(contest.name, side.name, number, found)
            print(json.dumps(record.content["runs"][-1]), flush=True)
    found = dict(_answers(contest, folder))
    if contest.sides[0].name in found and len(found) > 1:
        record.put("agreement", contest.name, agreement(contest, found))


def _answers(contest: Contest, folder: Path) -> Iterator[tuple[str, Any]]:
    """Read what the last process of each side left in the working folder."""
    for side in contest.sides:
        place = folder / side.name.replace(" ", "-")
        if (place / "log.txt").exists():
            yield side.name, side.answers(place)


def main() -> None:
    """Hold the contests, and print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, required=True, help="with gpt2-mini and bert-mini")
    parser.add_argument(
        "--data", type=Path, required=True, help="with files of CrowS-Pairs and BBQ"
    )
    parser.add_argument(
        "--chat-model", type=Path, help="folder of SmolLM2 (benchmarks/real/fetch.py)"
    )
    parser.add_argument("--harness", default=sys.executable, help="Python with the bench extra")
    parser.add_argument("--only", help=f"of {', '.join(CONTESTS)}; comma-separated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="items of each axis, as that of an audit")
    parser.add_argument("--chat-limit", type=int, default=30, help="the same for the chat model")
    parser.add_argument("--steps", type=int, default=20, help="timed steps of training")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--estimates", type=int, default=100)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: only to see that it runs"
    )
    parser.add_argument("--work", type=Path, default=Path("build/peers"), help="for files")
    parser.add_argument("--output", type=Path, default=Path("build/peers/record.json"))
    given = parser.parse_args()
    if given.quick:
        given.limit, given.chat_limit, given.steps, given.estimates, given.rounds = 2, 1, 2, 5, 1
    named = list(CONTESTS) if given.only is None else given.only.split(",")
    if given.chat_model is None and "chat" in named:
        named.remove("chat")
        print("chat is left out: no --chat-model", file=sys.stderr)
    kept = ("threads", "limit", "chat_limit", "steps", "rows", "tokens", "estimates", "quick")
    record = Record(given.output, {name: getattr(given, name) for name in kept}, given)
    for name in named:
        folder = (given.work / name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        hold(CONTESTS[name](given, folder), record, given, folder)
    print(json.dumps(record.content["goals"], indent=1))


if __name__ == "__main__":
    main()
