"""Training steps of one kind on a checkpoint, as a process: plain, ours, or Opacus.

``python benchmarks/peer_step.py MODEL WAY OUTPUT [--steps N] [--rows N] [--tokens N]``. WAY is one
of plain, ours, opacus_hooks, ours_untied, opacus_ghost (which refuses tied weights, so that it and
``ours_untied`` have a copy of them). The first step is without noise; a spread of the parameters
after it is written, so that `peers` can compare the ways. The other steps are timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from dp_step import NOISE, Way, opacus_ghost, opacus_hooks, ours, plain, trainable

WAYS: dict[str, Callable[[Any, dict[str, torch.Tensor]], Way]] = {
    "plain": plain,
    "ours": ours,
    "opacus_hooks": opacus_hooks,
    "ours_untied": ours,
    "opacus_ghost": opacus_ghost,
}
UNTIED = ("ours_untied", "opacus_ghost")
#: Parameters that are compared, of each array.
SPREAD = 64


def load(folder: Path, *, tied: bool) -> Any:
    """Load a checkpoint in fp32 without dropout; untied, its head gets a copy of the embedding."""
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    if not tied:
        head = model.get_output_embeddings()
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
        model.config.tie_word_embeddings = False
    return model.train()


def batch_of(model: Any, rows: int, tokens: int) -> dict[str, torch.Tensor]:
    """Full rows of random tokens of the model's vocabulary."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, model.config.vocab_size, (rows, tokens), generator=generator)
    return {"input_ids": ids, "labels": ids}


def spread_of(model: torch.nn.Module) -> list[float]:
    """Return some numbers of every parameter, evenly spread."""
    found: list[float] = []
    for parameter in trainable(model):
        flat = parameter.detach().flatten()
        found += flat[:: max(1, len(flat) // SPREAD)].tolist()
    return found


def main() -> None:
    """Take the steps and write what they took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("way", choices=list(WAYS))
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=64)
    given = parser.parse_args()
    warnings.filterwarnings("ignore")
    model = load(given.model, tied=given.way not in UNTIED)
    way = WAYS[given.way](model, batch_of(model, given.rows, given.tokens))
    way.step(0.0)
    first = spread_of(way.model)
    wall, cpu = [], []
    for _ in range(given.steps):
        start, used = time.perf_counter(), time.process_time()
        way.step(NOISE)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    found = {
        "step_wall": statistics.median(wall),
        "step_cpu": statistics.median(cpu),
        "after_first_step": first,
    }
    given.output.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
