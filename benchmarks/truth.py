"""Does an audit find what is there? Models with planted bias, against the whole population.

``python benchmarks/truth.py --work DIR [--models N] [--audits N] [--processes N] [--output FILE]``

A tiny GPT-2 is pre-trained on the known world without a leaning; each of N models is fine-tuned
from it on the same world with another leaning, so that the *implied* stereotype preference rate
changes by −20 to +20 points. Every model is asked the whole item population; that is its truth.
Then

(a) *the audit against the model's own truth*: audits are drawn from the population as suites are
from the language, a sample of concepts (clusters) and of their items, and judged against the
base model by the same code as `fairaudit.compare`. Correlation of drawn and true rates; false
alarms (``amplified`` where the true change is not above 0) and misses (another verdict where the
true change is +10 points or more) over all drawn audits, with a Clopper-Pearson bound over models
beside it: audits of one model share its items.

(b) *the model against what was planted*: slope and correlation over models, as found. A model that
did not learn what its text says is no error of the audit.

What is done is kept in DIR, and a later call goes on from there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import fairaudit
from fairaudit.comparing.families import corrected, decided
from fairaudit.comparing.pairing import Terms, compared
from fairaudit.experiments.pretraining import pretrain
from fairaudit.experiments.world import AXES, Mixture, implied, population, sentences
from fairaudit.metrics.sample_estimates import Measurement, Sample
from fairaudit.metrics.sentence_pairs import pair_measurements
from fairaudit.results import AuditResult
from fairaudit.stats.bisection import threshold
from fairaudit.stats.intervals import clopper_pearson

Array = NDArray[np.float64]

RATE: Final = "stereotype_preference_rate"
#: A drawn audit: concepts of an axis with replacement, and items of each.
CONCEPTS, ITEMS = 300, 5
MISS_FROM: Final = 0.10
BASE_TEXT, MODEL_TEXT = 30_000, 20_000
PRETRAINING: Final[dict[str, Any]] = {
    "layers": 2, "width": 64, "steps": 1500, "batch_size": 64, "learning_rate": 6e-3,
}  # fmt: skip
FINE_TUNING: Final[dict[str, Any]] = {
    "steps": 200, "batch_size": 250, "learning_rate": 4e-3, "max_length": 40,
}  # fmt: skip


def planted(number: int, n_models: int) -> float:
    """Change of the implied rate that is planted in a model: evenly from −0.20 to +0.20."""
    return float(np.linspace(-0.2, 0.2, n_models)[number])


def implied_rate(mu: float) -> float:
    """Preference rate that a text of leaning ``mu`` implies, averaged over the axes."""
    mixture = Mixture(mu=mu)
    return float(np.mean([implied(mixture, axis).stereotype_preference_rate for axis in AXES]))


def leaning(change: float) -> float:
    """Find the leaning whose implied rate differs by ``change`` from that of no leaning."""
    wanted = implied_rate(0.0) + change
    return threshold(lambda mu: implied_rate(mu) >= wanted, -3.0, 3.0)


def base_model(work: Path) -> Path:
    """Pre-train the model that all others come from."""
    folder = work / "base"
    if not (folder / "model.safetensors").exists():
        pretrain(sentences(Mixture(mu=0.0), BASE_TEXT, seed=0), folder, seed=0, **PRETRAINING)
    return folder


def write_population(work: Path) -> Path:
    """Write the whole population as a suite of one's own."""
    path = work / "world.jsonl"
    keys = ("item_id", "axis", "group", "cluster")
    rows = ({**{k: getattr(item, k) for k in keys}, **item.texts} for item in population())
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def truth_of(name: str, work: Path, change: float | None) -> None:
    """Fine-tune one model (or take the base) and ask it everything; kept in the folder."""
    folder = work / "audits" / name
    if (folder / "result.json").exists():
        return
    model = work / "base"
    if change is not None:
        model = work / "models" / name
        text = sentences(Mixture(mu=leaning(change)), MODEL_TEXT, seed=1 + int(name))
        begun = (model / "private" / "state.pt").exists()
        fairaudit.finetune(
            work / "base", text, output=model, device="cpu", resume=begun, **FINE_TUNING
        )
    found = fairaudit.audit(model, suites=[str(work / "world.jsonl")], label=name, device="cpu")
    found.save(folder)


def rates(work: Path, name: str) -> dict[str, Measurement]:
    """Preference of every item of the population, by axis."""
    table = AuditResult.load(work / "audits" / name).items("world")
    return {
        one.where.axis: one
        for one in pair_measurements(table)
        if one.metric.name == RATE and one.where.primary
    }


@dataclass(frozen=True, slots=True)
class Drawn:
    """Places in the population of one drawn audit, and the cluster of each."""

    places: NDArray[np.intp]
    clusters: tuple[str, ...]


def draw(population: Sample, rng: np.random.Generator) -> Drawn:
    """Draw concepts with replacement and items of each without; a repeated concept is a new one."""
    labels = np.asarray(population.clusters)
    by_concept = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen = rng.integers(len(by_concept), size=CONCEPTS)
    places = [rng.choice(by_concept[concept], ITEMS, replace=False) for concept in chosen]
    clusters = tuple(str(number) for number in range(CONCEPTS) for _ in range(ITEMS))
    return Drawn(np.concatenate(places), clusters)


def at(measurement: Measurement, drawn: Drawn) -> Measurement:
    """Return a measurement of the drawn items only."""
    values = np.asarray(measurement.sample.values)[drawn.places]
    sample = Sample(
        values, drawn.clusters, keys=[str(number) for number in range(len(values))],
        n_tied=int((values == 0.5).sum()),
    )  # fmt: skip
    return replace(measurement, sample=sample)


def drawn_audits(number: int, *, work: Path, n_audits: int) -> dict[str, Any]:
    """Judge one model by audits drawn from the population."""
    ours, theirs = rates(work, "base"), rates(work, str(number))
    rng = np.random.default_rng([11, number])
    verdicts: dict[str, list[str]] = {axis: [] for axis in AXES}
    values: dict[str, list[float]] = {axis: [] for axis in AXES}
    for seed in range(n_audits):
        terms = Terms("base", "model", 0.05, None, seed)
        places = {axis: draw(ours[axis].sample, rng) for axis in AXES}
        pairs = [(at(ours[a], places[a]), at(theirs[a], places[a])) for a in AXES]
        entries = corrected([compared(a, b, terms, 0) for a, b in pairs], "holm")
        for entry in entries:
            made = decided(entry, identical=False, capability=True, cautions=())
            assert made.verdict is not None
            assert made.value_candidate is not None
            verdicts[entry.axis].append(made.verdict)
            values[entry.axis].append(made.value_candidate)
    return {
        axis: {
            "truth": mean(theirs[axis]),
            "change": mean(theirs[axis]) - mean(ours[axis]),
            "values": values[axis],
            "verdicts": verdicts[axis],
        }
        for axis in AXES
    }


def mean(measurement: Measurement) -> float:
    """Rate over the whole population: concepts weigh alike, they have equally many items."""
    return float(np.mean(np.asarray(measurement.sample.values, dtype=float)))


def shares(
    found: Sequence[dict[str, Any]],
    wrong: Callable[[str], bool],
    where: Callable[[float], bool],
) -> dict[str, Any]:
    """Share of wrong verdicts where they would be wrong, over audits and over models.

    A model counts as above the bar where that holds of one of its axes.
    """
    by_model = [
        [[wrong(verdict) for verdict in case["verdicts"]] for case in model.values()
         if where(case["change"])]
        for model in found
    ]  # fmt: skip
    by_model = [cases for cases in by_model if cases]
    hits = [hit for cases in by_model for case in cases for hit in case]
    above = sum(max(float(np.mean(case)) for case in cases) > 0.05 for cases in by_model)
    n = len(by_model)
    return {
        "share": round(sum(hits) / len(hits), 4) if hits else None,
        "audits": len(hits),
        "models": n,
        "models_above_5_percent": above,
        "bound_of_share_of_models": round(clopper_pearson(above, n, 0.95)[1], 4) if n else None,
    }


def summary(found: Sequence[dict[str, Any]], n_models: int) -> dict[str, Any]:
    """Put the audits beside the truth of each model (a), and that beside what was planted (b)."""
    cases = [case for model in found for case in model.values()]
    drawn = np.concatenate([case["values"] for case in cases])
    truth = np.concatenate([np.full(len(case["values"]), case["truth"]) for case in cases])
    plans = np.array([planted(number, n_models) for number in range(n_models)])
    moved = np.array([np.mean([case["change"] for case in model.values()]) for model in found])
    return {
        "audit_against_truth": {
            "correlation": round(float(np.corrcoef(drawn, truth)[0, 1]), 4),
            "largest_mean_error": round(
                max(abs(float(np.mean(c["values"])) - c["truth"]) for c in cases), 4
            ),
            "false_alarms": shares(found, lambda v: v == "amplified", lambda c: c <= 0),
            "misses": shares(found, lambda v: v != "amplified", lambda c: c >= MISS_FROM),
            "misses_at_10_to_12_points": shares(
                found, lambda v: v != "amplified", lambda c: MISS_FROM <= c < 0.12
            ),
        },
        "model_against_planted": {
            "slope": round(float(np.polyfit(plans, moved, 1)[0]), 4),
            "correlation": round(float(np.corrcoef(plans, moved)[0, 1]), 4),
            "planted": [round(float(plan), 4) for plan in plans],
            "moved": [round(float(change), 4) for change in moved],
        },
        "bars": {"correlation": 0.95, "false_alarms": 0.05, "misses": 0.05},
        "design": {"concepts": CONCEPTS, "items_of_each": ITEMS, "axes": list(AXES)},
        "fine_tuning": FINE_TUNING,
    }


def tasks(n_models: int) -> Iterator[tuple[str, float]]:
    """Every model with what is planted in it."""
    for number in range(n_models):
        yield str(number), planted(number, n_models)


def _truth(task: tuple[str, float], work: Path) -> None:
    truth_of(task[0], work, task[1])


def main() -> None:
    """Train, ask, draw, judge, print and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--models", type=int, default=64)
    parser.add_argument("--audits", type=int, default=60)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    start = time.perf_counter()
    given.work.mkdir(parents=True, exist_ok=True)
    write_population(given.work)
    base_model(given.work)
    truth_of("base", given.work, None)
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        ask = partial(_truth, work=given.work)
        for done, _ in enumerate(pool.imap(ask, list(tasks(given.models))), 1):
            print(
                f"model {done} of {given.models}, {time.perf_counter() - start:.0f} s", flush=True
            )
        judge = partial(drawn_audits, work=given.work, n_audits=given.audits)
        found = pool.map(judge, range(given.models))
    made = summary(found, given.models)
    print(json.dumps(made, indent=2))
    print(f"{time.perf_counter() - start:.0f} s")
    if given.output is not None:
        given.output.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
