"""Whole private steps beside Opacus's: gradient, clipping, noise and AdamW, as ratios to plain.

``python benchmarks/dp_step.py [--repeats N] [--output FILE]``. A model of DistilGPT2's shape, all
of it trainable or LoRA adapters, on draws of 8 × 128 and 32 × 24 tokens. A plain step is forward,
backward and AdamW; ours is the trainer's, from a draw of examples to the updated parameters. Beside
it: Opacus with hooks (tied weights, as the model has them) and with ghost clipping (untied: it
refuses tied weights). All have the same noise multiplier; parameters after the first step without
noise are compared.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import os
import platform
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import opacus
import torch
import transformers
from gradients import BATCHES, batch_of, build, row_losses, with_positions
from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
from opacus.optimizers import DPOptimizer, DPOptimizerFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from scoring import Timed
from torch import Tensor, nn

from fairaudit.gradients import GradientEngine
from fairaudit.training.draws import Example
from fairaudit.training.optimizers import make_optimizer
from fairaudit.training.randomness import noise_generator
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import GradientSum, add_noise, apply_update

MAX_NORM, NOISE = 1.0, 0.8
RECIPE = Recipe(learning_rate=1e-4)
REPEATS = 5


@dataclass(frozen=True)
class Way:
    """One way to take a step: the model that it changes, and the step at a noise multiplier."""

    model: nn.Module
    step: Callable[[float], Any]


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Parameters that a step changes."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def plain(model: Any, batch: dict[str, Tensor]) -> Way:
    """Forward and backward with the model's own loss, and AdamW."""
    optimizer = make_optimizer(trainable(model), RECIPE)

    def step(noise: float) -> None:
        del noise
        model(**batch, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return Way(model, step)


def ours(model: Any, batch: dict[str, Tensor]) -> Way:
    """Take the trainer's step, from examples on; one micro-batch, as the others have."""
    engine = GradientEngine(model, objective="causal")
    optimizer = make_optimizer(engine.parameters.values(), RECIPE)
    rows = [tuple(row) for row in batch["input_ids"].tolist()]
    examples = [Example(number, ((row, row),), (1.0,)) for number, row in enumerate(rows)]
    gradient = GradientSum(engine, MAX_NORM, len(rows), 0)
    generator = noise_generator(torch.device("cpu"), None)

    def step(noise: float) -> None:
        sums, _ = gradient.of(examples)
        add_noise(sums, noise * MAX_NORM, generator)
        apply_update(engine.parameters, sums, len(examples), optimizer)

    return Way(model, step)


def opacus_hooks(model: Any, batch: dict[str, Tensor]) -> Way:
    """Opacus with stored gradients per record."""
    wrapped = GradSampleModule(model, loss_reduction="sum", strict=False)
    optimizer = DPOptimizer(
        make_optimizer(trainable(model), RECIPE),
        noise_multiplier=NOISE,
        max_grad_norm=MAX_NORM,
        expected_batch_size=len(batch["labels"]),
    )

    def step(noise: float) -> None:
        optimizer.noise_multiplier = noise
        optimizer.zero_grad(set_to_none=True)
        logits = wrapped(**with_positions(batch), use_cache=False).logits
        row_losses(logits, batch["labels"]).sum().backward()
        optimizer.step()

    return Way(model, step)


def opacus_ghost(model: Any, batch: dict[str, Tensor]) -> Way:
    """Opacus with ghost clipping: two backward passes."""
    wrapped = GradSampleModuleFastGradientClipping(
        model, loss_reduction="mean", max_grad_norm=MAX_NORM, strict=False
    )
    optimizer = DPOptimizerFastGradientClipping(
        make_optimizer(trainable(model), RECIPE),
        noise_multiplier=NOISE,
        max_grad_norm=MAX_NORM,
        expected_batch_size=len(batch["labels"]),
    )

    def step(noise: float) -> None:
        optimizer.noise_multiplier = noise
        wrapped.enable_hooks()
        logits = wrapped(**with_positions(batch), use_cache=False).logits
        losses = row_losses(logits, batch["labels"])
        DPTensorFastGradientClipping(wrapped, optimizer, losses, "mean").backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return Way(model, step)


def ways_of(*, lora: bool, tied: bool, batch: dict[str, Tensor]) -> dict[str, Way]:
    """All ways, each on a copy of one model."""
    model = build(lora=lora, tied=tied)
    makers = {"plain": plain, "ours": ours}
    makers |= {"opacus_hooks": opacus_hooks} if tied else {"opacus_ghost": opacus_ghost}
    return {name: make(copy.deepcopy(model), batch) for name, make in makers.items()}


def differences(ways: dict[str, Way]) -> dict[str, float]:
    """Largest difference of a parameter from ours after one step without noise."""
    for way in ways.values():
        way.step(0.0)
    reference = trainable(ways["ours"].model)
    return {
        name: max(
            float((one - other).detach().abs().max())
            for one, other in zip(trainable(way.model), reference, strict=True)
        )
        for name, way in ways.items()
        if name.startswith("opacus")
    }


def measure(shape: str, *, lora: bool, tied: bool, repeats: int) -> dict[str, Any]:
    """Time all ways on one model and batch, in turn so that a slow minute hits them alike."""
    ways = ways_of(lora=lora, tied=tied, batch=batch_of(*BATCHES[shape]))
    difference = differences(ways)
    timed = {name: Timed(lambda way=way: way.step(NOISE)) for name, way in ways.items()}  # type: ignore[misc]
    for _ in range(repeats):
        for way in timed.values():
            way.repeat()
    base = timed["plain"]
    return {
        "batch": shape,
        "trainable": "LoRA" if lora else "all",
        "weights": "tied" if tied else "untied",
        "largest_difference_from_ours": difference,
        "ways": {
            name: {
                "seconds": round(way.median, 3),
                "time_relative_to_plain": round(way.median / base.median, 2),
                "memory_mib": round(way.mebibytes),
            }
            for name, way in timed.items()
        },
    }


def main() -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    warnings.filterwarnings("ignore")
    rows = []
    for lora, tied in ((False, True), (False, False), (True, True), (True, False)):
        for shape in BATCHES:
            rows.append(measure(shape, lora=lora, tied=tied, repeats=arguments.repeats))
            print(json.dumps(rows[-1]), flush=True)
            # Hooks and modules refer to each other; three models and their moments are 4 GiB.
            gc.collect()
    record = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "load_at_end": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "opacus": opacus.__version__,
        "noise_multiplier": NOISE,
        "results": rows,
    }
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
