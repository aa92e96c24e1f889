"""Four arms from one base: plain, CDA, DP and DP + CDA, on Wikipedia sentences about persons.

``python benchmarks/finetune_arms.py --models DIR [--output FILE] [--arms plain,dp]`` fine-tunes
``shared/models/gpt2-mini`` on BOLD's sentences, persons held out whole, measures held-out
perplexity before and after, and audits every arm with the embedded templates. All arms have the
same data, steps, batch and learning rate. The base model saw these sentences in training, so there
is little to gain; that every arm gains something is the point.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import fairaudit
from fairaudit.training.finetuning import finetune

SHARED = Path(__file__).resolve().parents[2] / "shared"
HELD_OUT_SHARE = 0.15
SETTINGS: dict[str, Any] = {
    "steps": 15,
    "batch_size": 512,
    "max_length": 64,
    "learning_rate": 3e-3,
    "lora": 8,
}
ARMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cda": {"cda": ["gender"]},
    "dp": {"epsilon": 3.0},
    "dp_cda": {"epsilon": 3.0, "cda": ["gender"]},
}


def sentences() -> tuple[list[str], list[str]]:
    """Sentences to train on, and those of the persons held out."""
    persons: dict[str, list[str]] = {}
    for domain in ("gender", "race"):
        path = SHARED / "data" / "bold" / "wikipedia" / f"{domain}_wiki.json"
        for group in json.loads(path.read_text(encoding="utf-8")).values():
            for person, texts in group.items():
                persons.setdefault(person, []).extend(texts)
    names = np.random.default_rng(0).permutation(sorted(persons))
    held_out = set(names[: round(HELD_OUT_SHARE * len(names))])
    parts: tuple[list[str], list[str]] = ([], [])
    for person, texts in persons.items():
        parts[person in held_out].extend(text.replace("\n", " ") for text in texts)
    return list(dict.fromkeys(parts[0])), list(dict.fromkeys(parts[1]))


def run(arm: str, folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Train one arm and say what came of it."""
    train, held_out = sentences()
    start = time.perf_counter()
    done = finetune(
        SHARED / "models" / "gpt2-mini",
        train,
        output=folder,
        held_out=held_out,
        device="cpu",
        **settings,
        **ARMS[arm],
    )
    seconds = time.perf_counter() - start
    perplexity = json.loads((folder / "private" / "held_out.json").read_text())
    log = [json.loads(line) for line in (folder / "private" / "log.jsonl").open()]
    return {
        "records": len(train),
        "held_out_sentences": len(held_out),
        "seconds": round(seconds, 1),
        "perplexity_base": round(perplexity["base"], 3),
        "perplexity": round(perplexity["fine_tuned"], 3),
        "first_loss": round(log[0]["loss"], 4),
        "last_loss": round(log[-1]["loss"], 4),
        "mean_norm": None if log[0]["mean_norm"] is None else round(log[0]["mean_norm"], 3),
        "noise_multiplier": done.privacy and round(done.privacy.noise_multiplier, 4),
        "epsilon": done.privacy and done.privacy.epsilon,
        "delta": done.privacy and done.privacy.delta,
        "parameter_distance": done.training.parameter_distance,
    }


def audited(folder: Path) -> dict[str, float | None]:
    """Stereotype preference by axis, on at most 200 items each."""
    result = fairaudit.audit(folder, suites=["templates"], quick=True, device="cpu")
    return {
        estimate.axis: estimate.value
        for estimate in result.estimates
        if estimate.name == "stereotype_preference_rate" and estimate.group is None
    }


def main() -> None:
    """Train, measure, audit, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--arms", default=",".join(ARMS))
    for name, value in SETTINGS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--no-audit", action="store_true")
    arguments = parser.parse_args()
    settings = {name: getattr(arguments, name) for name in SETTINGS}
    settings["lora"] = settings["lora"] or None
    found: dict[str, Any] = {}
    for arm in arguments.arms.split(","):
        found[arm] = run(arm, arguments.models / arm, settings)
        if not arguments.no_audit:
            found[arm]["stereotype_preference_rate"] = audited(arguments.models / arm)
        print(arm, json.dumps(found[arm]), flush=True)
    machine = {"cpu": platform.processor(), "threads": torch.get_num_threads()}
    record = {"settings": settings, "arms": found, "machine": machine}
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
