"""Cost of a diagnosis of two groups beside a plain training pass, in one run on one machine.

``python benchmarks/diagnostics.py [--output FILE]`` takes batches of two groups of texts through a
model of DistilGPT2's shape (built from config: speed does not depend on the weights) and prints
the time of norms, clip rates and cosines of both groups over that of a plain forward and backward
pass on the same batches. The bar is 1.7.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from fairaudit.diagnostics.group_sums import GroupSums
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.moments import cosine
from fairaudit.gradients import GradientEngine, clip_factors

BAR = 1.7
#: Layers, width, heads, vocabulary; rows, tokens and batches.
SHAPE = (6, 768, 12, 50257)
ROWS, TOKENS, BATCHES, REPEATS = 8, 128, 3, 3


def model() -> Any:
    """Model of DistilGPT2's shape with random weights."""
    layers, width, heads, vocabulary = SHAPE
    config = transformers.GPT2Config(
        vocab_size=vocabulary, n_embd=width, n_layer=layers, n_head=heads, n_positions=256,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(config).eval()


def batches() -> list[dict[str, torch.Tensor]]:
    """Random rows: the first half of each batch is one group, the second the other."""
    generator = torch.Generator().manual_seed(1)
    found = []
    for _ in range(BATCHES):
        ids = torch.randint(1, SHAPE[3], (ROWS, TOKENS), generator=generator)
        found.append({"input_ids": ids, "labels": ids, "attention_mask": torch.ones_like(ids)})
    return found


def labels() -> Labels:
    """Two groups, every record a template of its own."""
    n = ROWS * BATCHES
    groups = np.tile(np.repeat([0, 1], ROWS // 2), BATCHES)
    return Labels(groups, np.arange(n), (("x", "a"), ("x", "b")), tuple(map(str, range(n))))


def plain(net: Any, rows: list[dict[str, torch.Tensor]]) -> None:
    """Forward and backward as a training step does them."""
    for batch in rows:
        net.zero_grad(set_to_none=True)
        net(**batch).loss.backward()


def diagnosis(
    engine: GradientEngine, rows: list[dict[str, torch.Tensor]], own: Labels, clip_norm: float
) -> dict[str, Any]:
    """Norms, clip rates, and all cosines of two groups with each other and with the batch."""
    sums, norms = GroupSums(engine, own), np.zeros(len(own.groups))
    for number, batch in enumerate(rows):
        places = np.arange(number * ROWS, (number + 1) * ROWS)
        query = engine.query(batch)
        found = query.norms()
        norms[places] = found.numpy()
        sums.add(places, query, clip_factors(found, clip_norm))
    moments = sums.moments()
    plain_products, clipped_products = moments.unbiased(), moments.unbiased(clipped=True)
    return {
        "norm_of_mean": np.diag(plain_products).tolist(),
        "clip_rate": [float((norms[own.groups == group] > clip_norm).mean()) for group in (0, 1)],
        "conflict": [
            cosine(products[0, 1], products[0, 0], products[1, 1])
            for products in (plain_products, clipped_products)
        ],
        "batch_cosine": [
            cosine(moments.along_batch[g], moments.squared_norms[g], moments.batch_squared_norm)
            for g in (0, 1)
        ],
        "clipped_batch_cosine": [
            cosine(moments.along_clipped_batch[g], moments.squared_norms[g],
                   moments.clipped_batch_squared_norm)
            for g in (0, 1)
        ],
    }  # fmt: skip


def seconds(act: Callable[[], Any]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure() -> dict[str, Any]:
    """Alternate both ways, so that a slower minute falls on both; medians."""
    net, rows, own = model(), batches(), labels()
    engine = GradientEngine(net, objective="causal")
    clip_norm = float(engine.query(rows[0]).norms().median())
    ways = {
        "plain": lambda: plain(net, rows),
        "diagnosis": lambda: diagnosis(engine, rows, own, clip_norm),
    }
    for act in ways.values():
        act()
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, act in ways.items():
            times[name].append(seconds(act))
    medians = {name: statistics.median(found) for name, found in times.items()}
    ratios = [d / p for d, p in zip(times["diagnosis"], times["plain"], strict=True)]
    return {
        "shape": dict(zip(("layers", "width", "heads", "vocabulary"), SHAPE, strict=True)),
        "batches": {"rows": ROWS, "tokens": TOKENS, "batches": BATCHES, "repeats": REPEATS},
        "seconds": {name: round(value, 4) for name, value in medians.items()},
        "ratio": round(statistics.median(ratios), 3),
        "bar": BAR,
        "threads": torch.get_num_threads(),
        "machine": platform.processor() or platform.machine(),
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
    }


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    found = measure()
    print(json.dumps(found, indent=2))
    verdict = "met" if found["ratio"] <= BAR else "MISSED"
    print(f"two groups at {found['ratio']:.2f} x a plain pass (bar {BAR}): {verdict}")
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
