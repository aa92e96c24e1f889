"""What one run with canaries says about ε: correct runs below the claim, planted faults, power.

``python benchmarks/privacy_one_run.py [--output FILE] [--repeats N]`` fine-tunes a small GPT-2 with
`finetune(..., canaries=K)` on other text of random tokens, through the production path, once for
each number of canaries, claim and fault, and prints the lower bounds that `fairaudit verify
--canaries` would print beside the claim. A fault is found where `verify` fails: the bound exceeds
the claim, or the guesses are not those of the declared mechanism's trade-off curve. Model, learning
rate and steps are those under which canaries are learned best: the auditor's choice.

Sources: Steinke, Nasr and Jagielski 2023 (arXiv:2305.08846); Mahloujifar, Melis and Chaudhuri 2024
(arXiv:2410.22235).
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from fairaudit.training import loop, running
from fairaudit.training.accounting import Steps, solve_noise_multiplier, tradeoff_points
from fairaudit.training.finetuning import finetune
from fairaudit.training.one_run_audit import SHARES
from fairaudit.training.steps import GradientSum
from fairaudit.training.tradeoff_audit import Inverse, inverse_of_points, ruled_out
from fairaudit.training.verification import CURVE_ERROR, verify

CLAIMS: Final = (1.0, 4.0)
CANARIES: Final = (100, 300, 1000)
DELTA: Final = 1e-6
#: Below every gradient's norm, so that clipping matters.
CLIP: Final = 0.1
OTHERS, WORDS, STEPS, LEARNING_RATE = 100, 500, 80, 1e-2

add_noise, Sampler = loop.add_noise, running.Sampler


def scaled_noise(factor: float) -> Callable[..., None]:
    """Noise of a part of its size."""

    def add(sums: Any, deviation: float, generator: Any) -> None:
        if factor > 0:
            add_noise(sums, factor * deviation, generator)

    return add


def noise_once() -> Callable[..., None]:
    """Noise in the first step, and in no other."""
    steps = itertools.count()

    def add(sums: Any, deviation: float, generator: Any) -> None:
        if next(steps) == 0:
            add_noise(sums, deviation, generator)

    return add


def clipped_at(factor: float | None) -> Callable[..., GradientSum]:
    """Gradients clipped at another norm than the noise is made for; None: at none."""

    def make(
        engine: Any, clip: float | None, micro: int | None, pad_id: int, room: Any, _clipping: Any
    ) -> GradientSum:
        return GradientSum(engine, clip and factor and clip * factor, micro, pad_id, room)

    return make


def drawn_always(records: Any, rate: float, *rest: Any) -> Any:
    """Every record in every step, under the ε of a sample of them."""
    del rate
    return Sampler(records, 1.0, *rest)


@dataclass(frozen=True)
class Fault:
    """A mistake that is made in training and not in the statement."""

    name: str
    module: Any = None
    attribute: str = ""
    make: Callable[[], Any] | None = None

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Train with it."""
        with ExitStack() as stack:
            if self.make is not None:
                stack.enter_context(patch.object(self.module, self.attribute, self.make()))
            yield


FAULTS: Final = (
    Fault("none"),
    Fault("no noise", loop, "add_noise", lambda: scaled_noise(0.0)),
    Fault("noise of the mean, not of the sum", loop, "add_noise", lambda: scaled_noise(0.01)),
    Fault("a quarter of the noise", loop, "add_noise", lambda: scaled_noise(0.25)),
    Fault("noise in the first step only", loop, "add_noise", noise_once),
    Fault("no clipping", running, "GradientSum", lambda: clipped_at(None)),
    Fault("clipped at ten times the norm", running, "GradientSum", lambda: clipped_at(10.0)),
    Fault("every record in every step", running, "Sampler", lambda: drawn_always),
)


def base_model(folder: Path) -> Path:
    """Save a GPT-2 that has read nothing, whose tokens are words."""
    vocabulary = {"<end>": 0, **{f"w{place}": place for place in range(1, WORDS)}}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<end>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<end>").save_pretrained(folder)
    config = GPT2Config(
        vocab_size=WORDS, n_embd=64, n_layer=2, n_head=2, n_positions=64,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def one_run(base: Path, canaries: int, claim: float, fault: Fault, seed: int) -> dict[str, Any]:
    """Train once and say what the canaries tell."""
    start, rng = time.perf_counter(), np.random.default_rng(seed)
    texts = [" ".join(f"w{one}" for one in rng.integers(1, WORDS, 32)) for _ in range(OTHERS)]
    with tempfile.TemporaryDirectory() as folder, fault.planted():
        done = finetune(
            base, texts, output=Path(folder) / "model", epsilon=claim, delta=DELTA, steps=STEPS,
            batch_size=(OTHERS + canaries) // 4, canaries=canaries, learning_rate=LEARNING_RATE,
            max_grad_norm=CLIP, schedule="constant", device="cpu",
        )  # fmt: skip
    assert done.privacy is not None
    found = done.privacy.canaries
    assert found is not None
    return {
        "fault": fault.name,
        "canaries": canaries,
        "claim": claim,
        "lower_bound": round(found.epsilon_lower_bound, 3),
        "gaussian_lower_bound": round(found.gaussian_lower_bound or 0.0, 3),
        "counts": [list(count) for count in found.counts],
        "right": found.right,
        "guesses": found.guesses,
        "above_claim": found.epsilon_lower_bound > claim,
        "refuted": not verify(done.privacy).consistent,
        "seed": seed,
        "seconds": round(time.perf_counter() - start, 1),
    }


def reread(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Judge recorded runs anew, of which only the best share of guesses is known.

    It is one of several shares, so the error is divided as there.
    """
    curves: dict[tuple[int, float], Inverse] = {}
    for row in rows:
        records, setting = OTHERS + row["canaries"], (row["canaries"], row["claim"])
        rate = (records // 4) / records
        if setting not in curves:
            noise = solve_noise_multiplier(row["claim"], rate, STEPS, DELTA)
            points = tradeoff_points(Steps(noise, rate, STEPS), DELTA)
            curves[setting] = inverse_of_points([*points, (row["claim"], DELTA)])
        error = CURVE_ERROR / len(SHARES)
        out = ruled_out(row["canaries"], row["guesses"], row["right"], curves[setting], error)
        row["refuted"] = row["above_claim"] or out
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Correct runs that are refuted (none should be), and the share of faults found."""
    correct = [row["refuted"] for row in rows if row["fault"] == "none"]
    found = {
        fault.name: {
            f"K = {canaries}, epsilon = {claim:g}": float(
                np.mean(
                    [
                        row["refuted"]
                        for row in rows
                        if (row["fault"], row["canaries"], row["claim"])
                        == (fault.name, canaries, claim)
                    ]
                )
            )
            for canaries, claim in itertools.product(CANARIES, CLAIMS)
        }
        for fault in FAULTS[1:]
    }
    return {
        "correct_runs": len(correct),
        "correct_runs_refuted": sum(correct),
        "share_of_runs_in_which_a_fault_is_found": found,
        "best_bound_of_correct_runs": max(
            row["lower_bound"] for row in rows if row["fault"] == "none"
        ),
    }


def main() -> None:
    """Run all, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--reread", type=Path, help="recorded runs to judge anew, without training")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.reread is not None:
        record(arguments.output, reread(json.loads(arguments.reread.read_text())["runs"]))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        base = base_model(Path(folder))
        for canaries, claim, fault in itertools.product(CANARIES, CLAIMS, FAULTS):
            for seed in range(arguments.repeats):
                rows.append(one_run(base, canaries, claim, fault, seed))
                print(json.dumps(rows[-1]), flush=True)
    record(arguments.output, rows)


def record(output: Path | None, rows: list[dict[str, Any]]) -> None:
    """Print what the runs say, and keep it."""
    told = summary(rows)
    print(json.dumps(told, indent=2))
    if output is not None:
        content = {"runs": rows, "summary": told, "delta": DELTA, "steps": STEPS, "clip": CLIP}
        output.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
