"""Does the private trainer keep its claim? White-box canaries, with controls that must break it.

``python benchmarks/privacy_audit.py [--output FILE] [--trials N]`` runs the trainer's own loop many
times with and without one record, the canary. The adversary of the definition sees the parameters
after every step, knows the other records and the canary's gradient, and scores each run by the
likelihood ratio of the canary's share in the noisy sums. From the rates of true and false alarms,
each with an exact (Clopper-Pearson) bound, follows a lower bound on ε that holds with 95 %
confidence:

    ε ≥ log((TPR − δ) / FPR), and ε ≥ log((1 − FPR − δ) / (1 − TPR)).

The threshold comes from other runs than the rates. Correct runs must stay below the claim; broken
ones (no noise, a quarter of it, twins clipped row by row under the claim of averaged twins) must
exceed it, or the audit had no power to find such a fault. The claim is audited at δ = 0.01, where
rates of this many runs can reach it; it is the accountant's ε for the same noise.

Sources: Jagielski, Ullman and Oprea 2020 (arXiv:2006.07709); Nasr et al. 2021 (arXiv:2101.04535).
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import stats
from transformers import GPT2Config, GPT2LMHeadModel

from fairaudit.gradients import GradientEngine
from fairaudit.training.draws import CdaMode, Example, Sampler, causal_labels
from fairaudit.training.encoding import Record, Row
from fairaudit.training.finetuning_plan import Plan
from fairaudit.training.loop import Loop, StepReport
from fairaudit.training.optimizers import make_optimizer
from fairaudit.training.randomness import draw_generator, noise_generator
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import GradientSum

Fault = Literal["none", "no noise", "quarter of the noise", "twins clipped row by row"]
Array = NDArray[np.float64]

DELTA = 0.01
CLIP = 0.05
#: So small that the canary's gradient is the same from step to step.
RATE = 1e-3
#: Two records, and the canary with its twin: other tokens, so other directions.
OTHERS: list[Record] = [((Row.of(ids),),) for ids in ((1, 2, 3, 4, 5), (1, 6, 7, 3, 8))]
CANARY: Record = ((Row.of((1, 20, 21, 22, 23, 24)), Row.of((1, 25, 21, 22, 23, 24))),)


@dataclass(frozen=True)
class Setting:
    """A mechanism, the claim about it, and the fault that was built in."""

    name: str
    mode: CdaMode
    rate: float
    steps: int
    noise: float = 1.0
    fault: Fault = "none"

    @property
    def plan(self) -> Plan:
        """The plan whose ε is the claim."""
        return Plan(
            mechanism="dp",
            n_records=4,
            steps=self.steps,
            batch_size=max(1, round(4 * self.rate)),
            twins=self.mode,
            clip_norm=CLIP,
            noise_multiplier=self.noise,
            delta=DELTA,
            accountant="prv",
        )


class RowByRow(Sampler):
    """The fault of separate clipping: a record's rows enter as examples of their own."""

    def draw(self) -> list[Example]:
        """Return every row of the drawn records as an example."""
        return [
            Example(example.record, (row,), (1.0,))
            for example in super().draw()
            for row in example.rows
        ]


def tiny_model() -> GPT2LMHeadModel:
    """Build a GPT-2 of one narrow layer, always the same."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=32,
        n_embd=16,
        n_layer=1,
        n_head=2,
        n_positions=8,
        bos_token_id=0,
        eos_token_id=0,
    )
    return GPT2LMHeadModel(config).eval()


def canary_direction(mode: CdaMode) -> tuple[Array, float]:
    """Return the canary's unit gradient, and the sum of the others' clipped shares along it."""
    engine = GradientEngine(tiny_model(), objective="causal")
    gradient = GradientSum(engine, CLIP, None, 0)
    averaged: CdaMode = "averaged" if mode != "none" else "none"

    def clipped(record: Record) -> Array:
        sampler = Sampler([record], 1.0, averaged, causal_labels, np.random.default_rng(0))
        sums, _ = gradient.of(sampler.draw())
        return flat(sums)

    canary = clipped(CANARY)
    length = float(np.linalg.norm(canary))
    # A canary that is not clipped would be a weaker one.
    assert abs(length - CLIP) < 1e-5 * CLIP
    copies = 2 if mode == "separate" else 1
    others = copies * sum(float(clipped(record) @ canary) / length for record in OTHERS)
    return canary / length, others / CLIP


def flat(tensors: dict[str, Any]) -> Array:
    """Join tensors to one vector."""
    parts = [tensor.detach().double().flatten() for tensor in tensors.values()]
    return np.asarray(torch.cat(parts).numpy())


def shares(setting: Setting, *, present: bool, trials: int) -> Array:
    """Canary's share in the noisy sums [trials, steps], as the adversary reads it off.

    One long run of the trainer's loop: each `steps` in a row are one trial, whose composition is
    what the claim is about.
    """
    direction, others = canary_direction(setting.mode)
    model = tiny_model()
    engine = GradientEngine(model, objective="causal")
    recipe = Recipe(
        noise_multiplier=setting.noise,
        max_grad_norm=CLIP,
        optimizer="sgd",
        schedule="constant",
        warmup=0.0,
        learning_rate=RATE,
    )
    noise = {"no noise": 0.0, "quarter of the noise": setting.noise / 4}
    plan = replace(
        setting.plan,
        steps=setting.steps * trials,
        noise_multiplier=noise.get(setting.fault, setting.noise),
        # Only the progress would show it.
        mechanism="noise_only",
    )
    kind = RowByRow if setting.fault == "twins clipped row by row" else Sampler
    loop = Loop(
        recipe=recipe,
        plan=plan,
        gradient=GradientSum(engine, CLIP, None, 0),
        sampler=kind(
            [*OTHERS, CANARY] if present else OTHERS,
            setting.rate,
            setting.mode,
            causal_labels,
            draw_generator(None),
        ),
        optimizer=make_optimizer(engine.parameters.values(), recipe),
        noise=noise_generator(torch.device("cpu"), None),
        model=model,
    )
    found: list[float] = []
    before = flat(engine.parameters)
    start = {name: value.detach().clone() for name, value in engine.parameters.items()}

    def watch(report: StepReport, model: Any) -> None:
        nonlocal before
        after = flat(engine.parameters)
        released = (before - after) * plan.expected_examples / RATE
        found.append(float(released @ direction) / CLIP - setting.rate * others)
        # Back to the start, so that noise of thousands of trials does not add up.
        with torch.no_grad():
            for name, value in engine.parameters.items():
                value.copy_(start[name])
        before = flat(engine.parameters)

    loop.run(watch, lambda: None, 10**9)
    return np.array(found).reshape(trials, setting.steps)


def scores(setting: Setting, observed: Array) -> Array:
    """Log likelihood ratio of each trial, canary present against absent, faults known."""
    q, variance = setting.rate, setting.noise**2
    if setting.fault in ("no noise", "quarter of the noise"):
        variance /= 16
    if setting.fault == "twins clipped row by row":
        weights = {0: 1 - q, 2: q}
    elif setting.mode == "separate":
        weights = {0: (1 - q) ** 2, 1: 2 * q * (1 - q), 2: q**2}
    else:
        weights = {0: 1 - q, 1: q}
    terms = [
        np.log(weight) + (2 * k * observed - k * k) / (2 * variance)
        for k, weight in weights.items()
        if weight > 0
    ]
    return np.asarray(np.logaddexp.reduce(terms).sum(axis=1))


def lower_bound(absent: Array, present: Array, threshold: float) -> float:
    """95 % lower bound on ε from alarms above a threshold; 0 where nothing was found."""
    n, m = len(absent), len(present)
    false, true = int((absent > threshold).sum()), int((present > threshold).sum())
    false_high = stats.beta.ppf(0.975, false + 1, n - false) if false < n else 1.0
    true_low = stats.beta.ppf(0.025, true, m - true + 1) if true > 0 else 0.0
    found = [0.0]
    if true_low > DELTA:
        found.append(float(np.log((true_low - DELTA) / false_high)))
    if 1 - false_high > DELTA and true_low < 1:
        found.append(float(np.log((1 - false_high - DELTA) / (1 - true_low))))
    return max(found)


def best_threshold(absent: Array, present: Array) -> float:
    """Threshold with the highest bound on these runs."""
    candidates = np.unique(np.quantile(np.concatenate([absent, present]), np.linspace(0, 1, 400)))
    middle = (candidates[1:] + candidates[:-1]) / 2 if len(candidates) > 1 else candidates
    return float(max(middle, key=lambda cut: lower_bound(absent, present, float(cut))))


def audit(setting: Setting, trials: int) -> dict[str, Any]:
    """Run a setting, bound ε from below, and compare with the claim."""
    start = time.perf_counter()
    worlds = [
        scores(setting, shares(setting, present=present, trials=2 * trials))
        for present in (False, True)
    ]
    cut = best_threshold(*(world[:trials] for world in worlds))
    bound = lower_bound(*(world[trials:] for world in worlds), cut)
    claim = setting.plan.epsilon()
    return {
        "setting": setting.name,
        "mode": setting.mode,
        "fault": setting.fault,
        "sample_rate": setting.rate,
        "steps": setting.steps,
        "noise_multiplier": setting.noise,
        "delta": DELTA,
        "claim": round(claim, 4),
        "lower_bound": round(bound, 4),
        "share_of_claim": round(bound / claim, 3),
        "trials": trials,
        "verdict": verdict(setting, bound, claim),
        "seconds": round(time.perf_counter() - start, 1),
    }


def verdict(setting: Setting, bound: float, claim: float) -> str:
    """Say what a bound means, for a correct mechanism and for one with a fault."""
    if setting.fault == "none":
        return "within the claim" if bound <= claim else "CLAIM BROKEN"
    return "fault found" if bound > claim else "no power"


def settings() -> list[Setting]:
    """One step with all records, and eight with a quarter of them; correct and broken."""
    modes: tuple[CdaMode, ...] = ("none", "averaged", "separate")
    found = []
    for name, rate, steps in (("one step", 1.0, 1), ("eight steps", 0.25, 8)):
        found += [Setting(name, mode, rate, steps) for mode in modes]
        averaged = Setting(name, "averaged", rate, steps)
        found += [
            replace(averaged, fault="no noise"),
            replace(averaged, fault="quarter of the noise"),
            replace(averaged, fault="twins clipped row by row"),
        ]
    return found


def main() -> None:
    """Audit all settings, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--trials", type=int, default=1000)
    arguments = parser.parse_args()
    rows = []
    for setting in settings():
        # Runs of eight steps cost eight times as much; half of them say enough.
        trials = arguments.trials if setting.steps == 1 else arguments.trials // 2
        rows.append(audit(setting, trials))
        print(json.dumps(rows[-1]), flush=True)
    correct = [row for row in rows if row["fault"] == "none"]
    summary = {
        "correct_within_claim": all(row["lower_bound"] <= row["claim"] for row in correct),
        "faults_found": [row["verdict"] == "fault found" for row in rows if row["fault"] != "none"],
        "best_share_of_claim": max(row["share_of_claim"] for row in correct),
    }
    print(json.dumps(summary))
    if arguments.output is not None:
        record = {"settings": rows, "summary": summary}
        arguments.output.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
