"""Time and memory of per-record gradients beside a plain training step, in one run on one machine.

``python benchmarks/gradients.py [--repeats N] [--output FILE]``. A model of DistilGPT2's shape
built from config (weights random: speed does not depend on them), all of it trainable or LoRA
adapters, on batches of 8 × 128 and 32 × 24 tokens. A plain step is forward and backward with the
model's own loss. Beside the engine: Opacus with hooks (tied weights, as the model has them), Opacus
ghost clipping (untied: it refuses tied weights) and one backward pass per record. All ways that
clip are compared (Opacus takes norms by one fp32 sum over all entries of a parameter, which errs by
about 1e-4 on the largest: that is the difference shown). Opacus's hooks get 8 rows at a time, since
they store a whole gradient for each.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import opacus
import peft
import torch
import transformers
from opacus.grad_sample import GradSampleModule, GradSampleModuleFastGradientClipping
from opacus.utils.fast_gradient_clipping_utils import DPTensorFastGradientClipping
from scoring import Timed
from torch import Tensor, nn

from fairaudit.gradients import GradientEngine, clip_factors, inner_product

LAYERS, WIDTH, HEADS, VOCABULARY = 6, 768, 12, 50257
BATCHES = {"8x128": (8, 128), "32x24": (32, 24)}
MAX_NORM = 1.0
#: Full gradients that Opacus's hooks may store at once: 32 of them take more than 16 GB.
STORED_RECORDS = 8
REPEATS = 5

Gradient = dict[str, Tensor]


def build(*, lora: bool, tied: bool = True) -> Any:
    """Build a model of DistilGPT2's shape; its gradients are those of a random one."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_embd=WIDTH,
        n_layer=LAYERS,
        n_head=HEADS,
        n_positions=256,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        tie_word_embeddings=tied,
    )
    model = transformers.GPT2LMHeadModel(config)
    if not lora:
        return model.train()
    adapter = peft.LoraConfig(r=8, lora_alpha=16, target_modules=["c_attn"], fan_in_fan_out=True)
    return peft.get_peft_model(model, adapter).train()


def batch_of(rows: int, tokens: int) -> dict[str, Tensor]:
    """Full rows of random tokens."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, VOCABULARY, (rows, tokens), generator=generator)
    return {"input_ids": ids, "labels": ids}


def named(model: nn.Module) -> dict[str, nn.Parameter]:
    """Trainable parameters by name."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def plain_step(model: Any, batch: dict[str, Tensor]) -> None:
    """Forward and backward with the model's own loss, gradients in `.grad`."""
    model(**batch, use_cache=False).loss.backward()


def engine_step(engine: GradientEngine, batch: dict[str, Tensor]) -> Gradient:
    """Return the clipped sum."""
    query = engine.query(batch)
    return query.weighted_sum(clip_factors(query.norms(), MAX_NORM))


def engine_norms(engine: GradientEngine, batch: dict[str, Tensor]) -> Tensor:
    """Return the norms alone."""
    return engine.query(batch).norms()


def engine_groups(engine: GradientEngine, batch: dict[str, Tensor]) -> list[float]:
    """Return the cosines between the mean gradients of two groups, unclipped and clipped."""
    query = engine.query(batch)
    half = torch.arange(query.n_units) < query.n_units // 2
    groups = torch.stack([half, ~half]).double() / (query.n_units / 2)
    clipped = groups * clip_factors(query.norms(), MAX_NORM)
    return [cosine(*query.weighted_sums(weights)) for weights in (groups, clipped)]


def cosine(first: Gradient, second: Gradient) -> float:
    """Cosine of the angle between two gradients."""
    lengths = inner_product(first, first) * inner_product(second, second)
    return inner_product(first, second) / lengths**0.5


def row_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean loss of every row, as the engine defines it."""
    losses = nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none"
    )
    return losses.view(len(labels), -1).mean(dim=1)


def with_positions(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Model inputs with positions per row, without which Opacus miscounts rows."""
    ids = batch["input_ids"]
    return {"input_ids": ids, "position_ids": torch.arange(ids.shape[1]).repeat(len(ids), 1)}


def hooks_step(wrapped: Any, batch: dict[str, Tensor], rows_per_pass: int) -> Gradient:
    """Opacus hooks mode: stored gradients per record, then norms and the clipped sum."""
    total: Gradient = {}
    for start in range(0, len(batch["labels"]), rows_per_pass):
        part = {name: value[start : start + rows_per_pass] for name, value in batch.items()}
        _hooks_pass(wrapped, part, total)
    return total


def _hooks_pass(wrapped: Any, batch: dict[str, Tensor], total: Gradient) -> None:
    logits = wrapped(**with_positions(batch), use_cache=False).logits
    row_losses(logits, batch["labels"]).sum().backward()
    samples = {name: _joined(p.grad_sample) for name, p in named(wrapped._module).items()}
    squares = [value.flatten(1).norm(dim=1).square() for value in samples.values()]
    factors = clip_factors(torch.stack(squares).sum(dim=0).sqrt(), MAX_NORM)
    for name, value in samples.items():
        clipped = torch.einsum("i,i...", factors, value)
        total[name] = total[name].add_(clipped) if name in total else clipped
    for parameter in named(wrapped._module).values():
        parameter.grad_sample = None


def _joined(sample: Any) -> Tensor:
    """Add up the samples of a parameter that is used twice."""
    return sample[0].add_(sample[1]) if isinstance(sample, list) else sample


def ghost_step(wrapped: Any, batch: dict[str, Tensor]) -> Gradient:
    """Opacus ghost clipping: norms from a first backward pass, the clipped sum from a second."""
    wrapped.enable_hooks()
    logits = wrapped(**with_positions(batch), use_cache=False).logits
    losses = row_losses(logits, batch["labels"])
    DPTensorFastGradientClipping(wrapped, _Optimizer(wrapped), losses, "sum").backward()
    return {name: p.grad for name, p in named(wrapped._module).items()}


class _Optimizer:
    """What Opacus wants of an optimizer: to forget the first backward pass."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def zero_grad(self) -> None:
        """Forget all gradients."""
        self._module.zero_grad(set_to_none=True)


def loop_step(model: Any, batch: dict[str, Tensor]) -> Gradient:
    """One forward and backward pass per record."""
    parameters = named(model)
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for row in range(len(batch["labels"])):
        single = {name: value[row : row + 1] for name, value in batch.items()}
        grads = torch.autograd.grad(
            model(**single, use_cache=False).loss, list(parameters.values())
        )
        # Over the last dimension first: one fp32 sum over millions of entries errs by 1e-4.
        norm = sum(grad.norm(dim=-1).double().square().sum() for grad in grads) ** 0.5
        for (name, _), grad in zip(parameters.items(), grads, strict=True):
            total[name].add_(grad, alpha=float(clip_factors(norm, MAX_NORM)))
    return total


@dataclass
class Measured(Timed):
    """Also the processor time of each repeat: what counts on a machine that others use."""

    processor: list[float] = field(default_factory=list)

    def repeat(self) -> None:
        """Run once more."""
        start = time.process_time()
        super().repeat()
        self.processor.append(time.process_time() - start)

    def beside(self, plain: Measured) -> dict[str, float]:
        """Time and memory, and their ratios to a plain step's."""
        processor = statistics.median(self.processor) / statistics.median(plain.processor)
        return {
            "seconds": round(self.median, 3),
            "time_relative_to_plain": round(self.median / plain.median, 2),
            "processor_time_relative_to_plain": round(processor, 2),
            "memory_mib": round(self.mebibytes),
            "memory_relative_to_plain": round(self.mebibytes / plain.mebibytes, 2),
        }


@dataclass(frozen=True)
class Way:
    """One way to treat a batch: the model it works on, and whether it returns a clipped sum."""

    model: nn.Module
    step: Callable[[], Any]
    clips: bool


def ways_of(*, lora: bool, tied: bool, batch: dict[str, Tensor]) -> dict[str, Way]:
    """All ways on copies of one model, since Opacus edits the model it is given."""
    model = build(lora=lora, tied=tied)
    engine = GradientEngine(model, objective="causal")
    ways = {
        "plain": Way(model, lambda: plain_step(model, batch), False),
        "engine": Way(model, lambda: engine_step(engine, batch), True),
    }
    if not tied:
        ghost = GradSampleModuleFastGradientClipping(
            copy.deepcopy(model), loss_reduction="sum", max_grad_norm=MAX_NORM, strict=False
        )
        return ways | {"opacus_ghost": Way(ghost, lambda: ghost_step(ghost, batch), True)}
    rows_per_pass = len(batch["labels"]) if lora else STORED_RECORDS
    hooks = GradSampleModule(copy.deepcopy(model), loss_reduction="sum", strict=False)
    return ways | {
        "engine_norms": Way(model, lambda: engine_norms(engine, batch), False),
        "engine_two_groups": Way(model, lambda: engine_groups(engine, batch), False),
        "opacus_hooks": Way(hooks, lambda: hooks_step(hooks, batch, rows_per_pass), True),
        "single_records": Way(model, lambda: loop_step(model, batch), True),
    }


def differences(ways: dict[str, Way]) -> dict[str, float]:
    """Relative distance of each clipped sum from the engine's; also warms everything up."""
    ours = ways["engine"].step()
    length, found = inner_product(ours, ours) ** 0.5, {}
    for name, way in ways.items():
        theirs = way.step()
        if way.clips:
            gap = {key: theirs[key] - value for key, value in ours.items()}
            found[name] = float(f"{inner_product(gap, gap) ** 0.5 / length:.1e}")
        way.model.zero_grad(set_to_none=True)
    return found


def measure(shape: str, *, lora: bool, tied: bool, repeats: int) -> dict[str, Any]:
    """Time all ways on one model and batch, in turn so that a slow minute hits them alike."""
    ways = ways_of(lora=lora, tied=tied, batch=batch_of(*BATCHES[shape]))
    difference = differences(ways)
    timed = {name: Measured(way.step) for name, way in ways.items()}
    for _ in range(repeats):
        for name, way in ways.items():
            timed[name].repeat()
            way.model.zero_grad(set_to_none=True)
    return {
        "batch": shape,
        "trainable": "LoRA" if lora else "all",
        "weights": "tied" if tied else "untied",
        "clipped_sum_relative_difference_from_engine": difference,
        "ways": {name: way.beside(timed["plain"]) for name, way in timed.items()},
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
    rows = [
        measure(shape, lora=lora, tied=tied, repeats=arguments.repeats)
        for lora, tied in ((False, True), (False, False), (True, True))
        for shape in BATCHES
    ]
    record = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "load_at_end": round(os.getloadavg()[0], 1),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "opacus": opacus.__version__,
        "model": f"GPT-2 {LAYERS}x{WIDTH}, vocabulary {VOCABULARY}",
        "results": rows,
    }
    text = json.dumps(record, indent=2)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
