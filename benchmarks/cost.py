"""How the cost of scoring grows: with items, length and parameters; and how near the limit it is.

``python benchmarks/cost.py --model FOLDER [--chat-model FOLDER] [--million] [--quick]
[--output FILE]`` scores sentences with ``gpt2-mini`` and models built from config (weights random:
speed does not depend on them) and records, in processor seconds of one thread,

- items: 10³ to 10⁵ sentences (10⁶ with ``--million``): the exponent of cost in items, with an
  interval; the share of time outside forward passes; memory above the model;
- length: 16 to 512 tokens, the same number of tokens in all;
- parameters: about 1 to 135 million, the same number of tokens in all;
- limits: the matrix product and the copy of this machine in the same run, and the share of it that
  scoring and a private training step reach;
- audits: the whole program on so many pairs, by phases.

A part that is recorded is not measured again; ``--only`` names parts.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import random
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from machine import Roofline, description, one_thread, roofline, run, versions
from phases import Clock
from scipy import stats
from scoring import Timed, sentences

from fairaudit.items import LogLikelihood
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer

HERE = Path(__file__).parent
ITEMS: Final = (1_000, 3_000, 10_000, 30_000, 100_000)
LENGTHS: Final = (16, 32, 64, 128, 256, 512)
#: Layers, width, heads of models of about 1, 3, 9, 25, 57 and 124 million parameters.
SHAPES: Final = ((2, 96, 2), (4, 192, 3), (6, 320, 5), (8, 480, 8), (8, 704, 11), (12, 912, 12))
VOCABULARY: Final = 8192
#: Goals of issue 26.
MOST_EXPONENT, MOST_OUTSIDE, MOST_MEMORY_MIB = 1.02, 0.10, 2048


def texts_of(count: int) -> list[str]:
    """Return so many different sentences, of lengths that do not depend on how many."""
    base = sentences(400)
    words = sorted({word for text in base for word in text.split() if word.isalpha()})
    draw, found = random.Random(0), dict[str, None]()
    while len(found) < count:
        found[f"{draw.choice(base)} {draw.choice(words)} {draw.choice(words)}."] = None
    return list(found)


def built(shape: tuple[int, int, int], positions: int) -> Any:
    """Build a GPT-2 of layers, width and heads."""
    layers, width, heads = shape
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        n_positions=positions,
        architectures=["GPT2LMHeadModel"],
    )
    return transformers.GPT2LMHeadModel(config).eval()


def rows_of(tokenizer: Any, length: int, total: int) -> list[str]:
    """Texts of exactly so many tokens with BOS, together so many."""
    draw, found = random.Random(1), []
    vocabulary = sorted({word for text in sentences(400) for word in text.split()})
    while len(found) < max(1, total // length):
        words = " ".join(draw.choice(vocabulary) for _ in range(length))
        ids = tokenizer(words)["input_ids"][: length - 1]
        text = tokenizer.decode(ids)
        if len(tokenizer(text)["input_ids"]) == length - 1:
            found.append(text)
    return found


def scored(scorer: Scorer, model: Any, texts: Sequence[str]) -> dict[str, float]:
    """Plan and score texts once: processor seconds, those outside forward passes, memory."""
    clock = Clock()
    hooks = (
        model.register_forward_pre_hook(clock.begin),
        model.register_forward_hook(clock.end),
    )
    gc.collect()
    used: dict[str, float] = {}

    def work() -> None:
        start, wall = time.process_time(), time.perf_counter()
        plan = scorer.plan([LogLikelihood(text) for text in texts])
        used["plan_cpu"] = time.process_time() - start
        scorer.run(plan)
        used["cpu"] = time.process_time() - start
        used["wall"] = time.perf_counter() - wall
        used["tokens"] = plan.n_tokens

    timed = Timed(work)
    timed.repeat()
    for hook in hooks:
        hook.remove()
    outside = (used["wall"] - clock.inside) / used["wall"]
    return {**used, "outside_forward": outside, "memory_mib": timed.mebibytes}


def exponent(x: Sequence[float], y: Sequence[float]) -> dict[str, float | None]:
    """Slope of log y over log x, with its 95 % interval; two points have none."""
    fit = stats.linregress([math.log(one) for one in x], [math.log(one) for one in y])
    half = stats.t.ppf(0.975, len(x) - 2) * fit.stderr if len(x) > 2 else None
    return {
        "exponent": round(float(fit.slope), 3),
        "low": None if half is None else round(float(fit.slope - half), 3),
        "high": None if half is None else round(float(fit.slope + half), 3),
        "points": len(x),
    }


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()}


def items(given: argparse.Namespace) -> dict[str, Any]:
    """Sentences with gpt2-mini, each number of them twice, in turn."""
    loaded = load_model(given.model, device="cpu")
    scorer = Scorer(loaded)
    counts = [100, 300, 1_000] if given.quick else list(ITEMS)
    if given.million:
        counts.append(1_000_000)
    texts = texts_of(counts[-1])
    scored(scorer, loaded.model, texts[:50])
    rows = [
        {"items": count, **scored(scorer, loaded.model, texts[:count])}
        for _ in range(given.rounds)
        for count in counts
        if count < 1_000_000 or _ == 0
    ]
    fit = exponent([row["items"] for row in rows], [row["cpu"] for row in rows])
    tenth = [row for row in rows if row["items"] == (300 if given.quick else 10_000)]
    outside = min(row["outside_forward"] for row in tenth)
    memory = max(row["memory_mib"] for row in rows if row["items"] <= 100_000)
    return {
        **fit,
        "goals": [
            _goal("exponent of cost in items", fit["exponent"], MOST_EXPONENT),
            _goal("share outside forward passes, 10,000 items", outside, MOST_OUTSIDE),
            _goal("memory above the model, 100,000 items, MiB", memory, MOST_MEMORY_MIB),
        ],
        "rows": [_rounded(row) for row in rows],
    }


def _goal(words: str, found: float, bar: float) -> dict[str, Any]:
    met = found <= bar
    short = None if met else round(found / bar, 2)
    return {"goal": words, "bar": bar, "found": round(found, 3), "met": met, "over_by": short}


def lengths(given: argparse.Namespace) -> dict[str, Any]:
    """Rows of one length each, with a model of 4 × 256; attention grows faster than the rest."""
    loaded = load_model((built((4, 256, 4), 512), _tokenizer(given)), device="cpu")
    scorer, total = Scorer(loaded), 4_096 if given.quick else 65_536
    rows = []
    for _ in range(given.rounds):
        for length in LENGTHS[:3] if given.quick else LENGTHS:
            found = scored(scorer, loaded.model, rows_of(loaded.tokenizer, length, total))
            rows.append({"length": length, **found, "us_per_token": _per_token(found)})
    fit = exponent([row["length"] for row in rows], [row["us_per_token"] for row in rows])
    return {**fit, "rows": [_rounded(row) for row in rows]}


def _per_token(found: dict[str, float]) -> float:
    return 1e6 * found["cpu"] / found["tokens"]


def _tokenizer(given: argparse.Namespace) -> Any:
    return transformers.AutoTokenizer.from_pretrained(given.model)


def parameters(given: argparse.Namespace) -> dict[str, Any]:
    """Models of growing size on the same texts, and the real chat model beside them."""
    texts, rows = texts_of(60 if given.quick else 400), []
    for shape in SHAPES[:2] if given.quick else SHAPES:
        source = (built(shape, 256), _tokenizer(given))
        rows.append(_sized("x".join(map(str, shape[:2])), source, texts, given.threads))
    fit = exponent([row["parameters"] for row in rows], [row["us_per_token"] for row in rows])
    if given.chat_model is not None and not given.quick:
        rows.append(_sized("SmolLM2-135M", given.chat_model, texts, given.threads))
    return {**fit, "rows": [_rounded(row) for row in rows]}


def _sized(name: str, source: Any, texts: Sequence[str], threads: int) -> dict[str, Any]:
    loaded = load_model(source, device="cpu")
    scorer = Scorer(loaded)
    scored(scorer, loaded.model, texts[:10])
    before = roofline(threads)
    found = scored(scorer, loaded.model, texts)
    count = multiplied(loaded.model)
    gflops = 2 * count * found["tokens"] / found["cpu"] * threads / 1e9
    share = gflops / _limit(before, threads)
    row = {"model": name, "parameters": count, "us_per_token": _per_token(found), "gflops": gflops}
    return {**row, "share_of_matmul": share, "memory_mib": found["memory_mib"]}


def _limit(before: Roofline, threads: int) -> float:
    """Operations a second, the better of before and now: the machine's hours are unlike."""
    return max(before.matmul_gflops, roofline(threads).matmul_gflops)


def multiplied(model: Any) -> int:
    """Parameters that a token is multiplied with: all but the tables it is looked up in."""
    head = model.get_output_embeddings().weight
    tables = (model.get_input_embeddings().weight, getattr(model.base_model, "wpe", None))
    looked_up = sum(
        one.weight.numel() if hasattr(one, "weight") else one.numel()
        for one in tables
        if one is not None and one is not head
    )
    return int(sum(one.numel() for one in model.parameters()) - looked_up)


def steps(given: argparse.Namespace) -> dict[str, Any]:
    """Plain and private steps of gpt2-mini as a share of the matrix product."""
    from dp_step import NOISE, ours, plain
    from peer_step import batch_of, load

    rows = []
    for name, make in (("plain", plain), ("private", ours)):
        model = load(given.model, tied=True)
        way = make(model, batch_of(model, 32, 64))
        before, used = roofline(given.threads), []
        for _ in range(2 if given.quick else 10):
            start = time.process_time()
            way.step(NOISE)
            used.append(time.process_time() - start)
        gflops = 6 * multiplied(model) * 32 * 64 / min(used) * given.threads / 1e9
        share = gflops / _limit(before, given.threads)
        rows.append({"step": name, "cpu": min(used), "gflops": gflops, "share_of_matmul": share})
    return {"rows": [_rounded(row) for row in rows]}


def audits(given: argparse.Namespace) -> dict[str, Any]:
    """Whole audits of pairs by the command line: start, scoring, tail, and peak memory."""
    folder, rows = given.work.absolute(), []
    folder.mkdir(parents=True, exist_ok=True)
    for count in [50, 100] if given.quick else [500, 5_000, 50_000]:
        place = folder / f"audit-{count}"
        shutil.rmtree(place, ignore_errors=True)
        texts, suite = iter(texts_of(2 * count)), folder / "pairs.jsonl"
        lines = [
            {"axis": "gender", "cluster": str(n % 500), "stereotype": a, "anti_stereotype": b}
            for n, (a, b) in enumerate(zip(texts, texts, strict=True))
        ]
        suite.write_text("".join(json.dumps(line) + "\n" for line in lines))
        arguments = ["--suites", str(suite), "--device", "cpu", "--output", str(place)]
        program = ["-m", "fairaudit", "--quiet", "audit", str(given.model), *arguments]
        environment = one_thread(given.threads)
        command = [given.python, str(HERE / "phases.py"), str(folder / "phases.json"), *program]
        used = run(command, folder / "log.txt",
                   {**environment, "FAIRAUDIT_BENCH_START": str(time.time())})  # fmt: skip
        shutil.rmtree(environment["FAIRAUDIT_CACHE"], ignore_errors=True)
        found = json.loads((folder / "phases.json").read_text())
        rows.append({"pairs": count, **vars(used), **found})
    return {"rows": rows}


PARTS: Final[dict[str, Callable[[argparse.Namespace], dict[str, Any]]]] = {
    made.__name__: made for made in (items, lengths, parameters, steps, audits)
}


def main() -> None:
    """Measure the parts that are not recorded, and write the record."""
    import sys

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of gpt2-mini")
    parser.add_argument("--chat-model", type=Path, help="folder of SmolLM2")
    parser.add_argument("--only", help=f"of {', '.join(PARTS)}; comma-separated")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--million", action="store_true", help="10⁶ items, once")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: only to see that it runs"
    )
    parser.add_argument("--work", type=Path, default=Path("build/cost"), help="for files")
    parser.add_argument("--output", type=Path, default=Path("build/cost/record.json"))
    given = parser.parse_args()
    given.python = sys.executable
    torch.set_num_threads(given.threads)
    record = {"machine": description(given.threads), "versions": versions(), "quick": given.quick}
    if given.output.exists():
        before = json.loads(given.output.read_text(encoding="utf-8"))
        if any(before[name] != value for name, value in record.items()):
            raise SystemExit(f"{given.output} was made otherwise; choose another --output")
        record = before
    for name in PARTS if given.only is None else given.only.split(","):
        if name in record:
            continue
        record[name] = {**PARTS[name](given), "machine_now": vars(roofline(given.threads))}
        print(json.dumps({name: record[name]}), flush=True)
        given.output.parent.mkdir(parents=True, exist_ok=True)
        given.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
