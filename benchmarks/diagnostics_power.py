"""Does the diagnosis find what is there, and nothing else; does influence predict what moved.

``python benchmarks/diagnostics_power.py [null] [power] [influence] --work DIR [--output FILE]``.
Each part appends what is done to a file in DIR and goes on from there; ``--output`` then gathers
all parts.

*null*: fresh data sets of synthetic gradients of two groups of one distribution, with shared
templates and groups of unequal size; the share of rejections at 5 % must not exceed 6.5 %.
*power*: small GPT-2 models trained from scratch on texts of two groups, of which one is rare; how
often the test of the norm of the mean finds it (bar 80 %), and how often it finds one where both
are equally common: no error rate, since a trained model may treat two groups of words differently
all the same. *influence*: SGD runs of many small steps from a model that has learnt some of the
world, which differ in the mixture of their data; R² of the summed bias influence against the change
of the bias score (bar 0.9).
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from fairaudit.diagnostics.bias import BiasRows, bias_score
from fairaudit.diagnostics.decomposition import bias_push
from fairaudit.diagnostics.differences import MIN_EVENTS, area_weights, mean_p
from fairaudit.diagnostics.encoding import LabelledRow
from fairaudit.diagnostics.inference import Draws, permutation_p
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.resampled_cells import Cells
from fairaudit.diagnostics.statistics import Combination, Log, Mean, SquaredNorm, Statistic
from fairaudit.gradients import GradientEngine, clip_factors

ALPHA, REPLICATES = 0.05, 499
DATA_SETS, CHUNK = 2500, 50
DIMENSION = 40

Row = dict[str, Any]


@dataclass(frozen=True)
class Design:
    """Templates of each group, and records of each template."""

    first: range
    second: range
    sizes: tuple[int, int]


DESIGNS = {
    "24 shared templates, 1 and 1 records": Design(range(24), range(24), (1, 1)),
    "24 shared templates, 3 and 1 records": Design(range(24), range(24), (3, 1)),
    "12 shared templates, 4 and 1 records": Design(range(12), range(12), (4, 1)),
    "40 and 15 templates, 15 of them shared": Design(range(40), range(15), (1, 1)),
    "30 and 25 templates, 15 shared, 3 and 1 records": Design(range(30), range(15, 40), (3, 1)),
    "30 and 10 templates, none shared": Design(range(30), range(30, 40), (1, 1)),
}
#: Length of the expected gradient over the deviation of a record's in one coordinate.
SIGNALS = (0.0, 1.0, 4.0)


def labels(groups: Sequence[int], templates: Sequence[int]) -> Labels:
    """Labels of records of two groups."""
    names = (("x", "a"), ("x", "b"))
    return Labels(
        np.asarray(groups), np.unique(templates, return_inverse=True)[1], names,
        tuple(map(str, templates)),
    )  # fmt: skip


def null_set(design: Design, signal: float, rng: np.random.Generator) -> dict[str, float | None]:
    """One data set without any difference: p-values of all statistics."""
    groups: list[int] = []
    templates: list[int] = []
    for group, (own, size) in enumerate(
        zip((design.first, design.second), design.sizes, strict=True)
    ):
        groups += [group] * (len(own) * size)
        templates += [template for template in own for _ in range(size)]
    found = labels(groups, templates)
    mean = np.full(DIMENSION, signal / DIMENSION**0.5)
    shared = rng.normal(size=(max(templates) + 1, DIMENSION)) * 0.6
    lengths = np.exp(rng.normal(size=(len(groups), 1)) * 0.4)
    steps = [
        mean + shared[templates] + lengths * rng.normal(size=(len(groups), DIMENSION))
        for _ in range(3)
    ]
    return p_values(found, steps, rng)


def p_values(
    found: Labels, steps: Sequence[np.ndarray], rng: np.random.Generator
) -> dict[str, float | None]:
    """p-values of the statistics that a diagnosis prints, on gradients held as rows."""
    cells = Cells.of(found, (0, 1))
    draws = Draws.of_pair(cells, 0, REPLICATES, rng)
    squared = [SquaredNorm(cells.products(g @ g.T), cells.counts) for g in steps]
    norms = np.linalg.norm(steps[0], axis=1)
    clip_norm = float(np.quantile(norms, 0.8))
    clipped = (norms > clip_norm).astype(float)
    update = steps[0].mean(axis=0)
    logs = [Log(one, 0.5) for one in squared]
    statistics: dict[str, Statistic] = {
        "norm_of_mean": squared[0],
        "area_between_curves": Combination(logs, area_weights(range(len(steps)))),
    }
    values = {
        "mean_norm": norms,
        "mean_clip_factor": np.minimum(1, clip_norm / norms),
        "along_update": steps[0] @ update,
    }
    if min(clipped.sum(), (1 - clipped).sum()) >= MIN_EVENTS:
        values["clip_rate"] = clipped
    single = None if cells.balanced else Draws.of_records(found, (0, 1), REPLICATES, rng)
    return {name: permutation_p(statistic, draws) for name, statistic in statistics.items()} | {
        name: mean_p(value, Mean(cells.sums(value), cells.counts), draws, single)
        for name, value in values.items()
    }


def null_rows() -> Iterator[tuple[str, Callable[[], Row]]]:
    """One piece of work per design, signal and chunk of data sets."""
    for number, (name, design) in enumerate(DESIGNS.items()):
        for signal in SIGNALS:
            for chunk in range(DATA_SETS // CHUNK):
                key = f"{name} | {signal} | {chunk}"
                seeds = np.random.SeedSequence([7, number, int(10 * signal), chunk])
                yield key, lambda d=design, s=signal, q=seeds: null_chunk(d, s, q)


def null_chunk(design: Design, signal: float, seeds: np.random.SeedSequence) -> Row:
    """Rejections in a chunk of data sets, by statistic, and how many had a test."""
    rejected: dict[str, int] = {}
    tested: dict[str, int] = {}
    for seed in seeds.spawn(CHUNK):
        for name, p in null_set(design, signal, np.random.default_rng(seed)).items():
            tested[name] = tested.get(name, 0) + (p is not None)
            rejected[name] = rejected.get(name, 0) + (p is not None and p <= ALPHA)
    return {"rejected": rejected, "tested": tested}


def null_summary(rows: dict[str, Row]) -> Row:
    """Rejection rates by design, signal and statistic, and the largest of them."""
    cells: dict[str, dict[str, list[int]]] = {}
    for key, row in rows.items():
        place = " | ".join(key.split(" | ")[:2])
        for name, count in row["rejected"].items():
            entry = cells.setdefault(place, {}).setdefault(name, [0, 0])
            entry[0] += count
            entry[1] += row["tested"][name]
    rates = {
        place: {name: round(hits / n, 4) for name, (hits, n) in entries.items() if n >= 2000}
        for place, entries in cells.items()
    }
    every = [(rate, place, name) for place, entries in rates.items()
             for name, rate in entries.items()]  # fmt: skip
    return {
        "data_sets_per_cell": DATA_SETS, "replicates": REPLICATES, "bar": 0.065,
        "largest": max(every), "rates": rates,
    }  # fmt: skip


# A little world for small models: token ids of frames, of people and of what they do.
BOS, END = 0, 1
FRAMES, PEOPLE, ACTIONS = 24, 6, 6
FRAME_AT = 2
PEOPLE_AT = FRAME_AT + 2 * FRAMES
ACTIONS_AT = PEOPLE_AT + 2 * PEOPLE
VOCABULARY = ACTIONS_AT + 2 * ACTIONS


def sentence(group: int, frame: int, rng: np.random.Generator) -> list[int]:
    """Return a frame's two words around one of the group's people, and one of its actions."""
    who = PEOPLE_AT + group * PEOPLE + int(rng.integers(PEOPLE))
    does = ACTIONS_AT + group * ACTIONS + int(rng.integers(ACTIONS))
    start = FRAME_AT + 2 * frame
    return [BOS, start, who, start + 1, does, END]


def small_model(seed: int, width: int = 32, layers: int = 2) -> Any:
    """Build a GPT-2 of a few ten thousand parameters."""
    torch.manual_seed(seed)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=width, n_layer=layers, n_head=2, n_positions=8,
        bos_token_id=BOS, eos_token_id=END, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0,
    )  # fmt: skip
    return transformers.GPT2LMHeadModel(config).eval()


def pretrained(share: float, rng: np.random.Generator, steps: int = 150, size: int = 32) -> Any:
    """Train on texts of which a share is of the second group."""
    model = small_model(int(rng.integers(2**31)))
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        drawn = (rng.random(size) < share).astype(int)
        rows = [sentence(int(group), int(rng.integers(FRAMES)), rng) for group in drawn]
        ids = torch.tensor(rows)
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model


def power_row(share: float, seed: int) -> Row:
    """Train a model, then test both groups' probe texts: one text of each in every frame."""
    rng = np.random.default_rng(np.random.SeedSequence([11, int(1000 * share), seed]))
    model = pretrained(share, rng)
    rows = [sentence(group, frame, rng) for frame in range(FRAMES) for group in (0, 1)]
    ids = torch.tensor(rows)
    query = GradientEngine(model, objective="causal", self_check=False).query(
        {"input_ids": ids, "labels": ids}
    )
    gram, norms = query.gram().numpy(), query.norms().numpy()
    found = labels([0, 1] * FRAMES, np.repeat(np.arange(FRAMES), 2).tolist())
    cells = Cells.of(found, (0, 1))
    draws = Draws.of_pair(cells, 0, 999, rng)
    statistics: dict[str, Statistic] = {
        "norm_of_mean": SquaredNorm(cells.products(gram), cells.counts),
        "mean_norm": Mean(cells.sums(norms), cells.counts),
    }
    return {name: permutation_p(one, draws) for name, one in statistics.items()}


SHARES = {"rare": 0.05, "equally common": 0.5}
MODELS = {"rare": 100, "equally common": 200}


def power_rows() -> Iterator[tuple[str, Callable[[], Row]]]:
    """One piece of work per trained model."""
    for name, share in SHARES.items():
        for seed in range(MODELS[name]):
            yield f"{name} | {seed}", lambda s=share, q=seed: power_row(s, q)


def power_summary(rows: dict[str, Row]) -> Row:
    """Share of models in which a difference is found."""
    found: Row = {"bar": 0.8, "shares": SHARES}
    for name in SHARES:
        own = [row for key, row in rows.items() if key.startswith(name)]
        found[name] = {"models": len(own)} | {
            statistic: round(float(np.mean([(row[statistic] or 1.0) <= ALPHA for row in own])), 4)
            for statistic in ("norm_of_mean", "mean_norm")
            if own
        }
    return found


RUNS, STEPS, RATE, SIZE = 24, 300, 0.02, 12
CLIPS = {"plain": None, "clipped": 1.0}


def score_rows() -> BiasRows:
    """Signed log-odds of a group's actions after its own people and the other's, by frame."""
    rows, weights = [], []
    for frame in range(0, FRAMES, 2):
        for group in (0, 1):
            for who, sign in ((group, 1), (1 - group, -1)):
                start = FRAME_AT + 2 * frame
                does = ACTIONS_AT + group * ACTIONS + frame % ACTIONS
                person = PEOPLE_AT + who * PEOPLE + frame % PEOPLE
                ids = (BOS, start, person, start + 1, does, END)
                rows.append(LabelledRow(ids, (-100, -100, -100, -100, does, -100)))
                weights.append(-sign / FRAMES)
    return BiasRows(tuple(rows), np.array(weights), FRAMES)


def mixed(stereotyped: bool, rng: np.random.Generator) -> list[int]:
    """Return a sentence whose person does what their own group does, or what the other does."""
    group = int(rng.integers(2))
    row = sentence(group, int(rng.integers(FRAMES)), rng)
    if not stereotyped:
        row[4] = ACTIONS_AT + (1 - group) * ACTIONS + int(rng.integers(ACTIONS))
    return row


@lru_cache(maxsize=1)
def started() -> Any:
    """Train a small model on sentences three in four of which are stereotyped; all start there.

    An untrained one stands where the bias score is flat, and would hardly move.
    """
    model, rng = small_model(1, width=16, layers=1), np.random.default_rng(1)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        ids = torch.tensor([mixed(bool(rng.random() < 0.75), rng) for _ in range(32)])
        model(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    return model.double()


def influence_row(number: int, clip: float | None) -> Row:
    """One SGD run; change of the bias score, and the summed influence of all records."""
    rng = np.random.default_rng(np.random.SeedSequence([13, number]))
    share, rows = number / (RUNS - 1), score_rows()
    model = copy.deepcopy(started())
    engine = GradientEngine(model, objective="causal", self_check=False)
    start, pushed = bias_score(engine, rows, pad_id=0).value, 0.0
    for _ in range(STEPS):
        ids = torch.tensor([mixed(bool(rng.random() < share), rng) for _ in range(SIZE)])
        gradient = bias_score(engine, rows, pad_id=0).gradient
        query = engine.query({"input_ids": ids, "labels": ids})
        norms = query.norms()
        factors = torch.ones_like(norms) if clip is None else clip_factors(norms, clip)
        pushed += float(bias_push((factors * query.dot(gradient)).numpy(), RATE, SIZE).sum())
        update = query.weighted_sum(factors / SIZE)
        with torch.no_grad():
            for name, parameter in engine.parameters.items():
                parameter -= RATE * update[name]
    return {"moved": bias_score(engine, rows, pad_id=0).value - start, "pushed": pushed}


def influence_rows() -> Iterator[tuple[str, Callable[[], Row]]]:
    """One piece of work per run."""
    for name, clip in CLIPS.items():
        for number in range(RUNS):
            yield f"{name} | {number}", lambda n=number, c=clip: influence_row(n, c)


def influence_summary(rows: dict[str, Row]) -> Row:
    """R² of the summed influence as the prediction itself, no line fitted."""
    found: Row = {"bar": 0.9, "runs": RUNS, "steps": STEPS, "learning_rate": RATE}
    for name in CLIPS:
        own = [row for key, row in rows.items() if key.startswith(name)]
        moved = np.array([row["moved"] for row in own])
        pushed = np.array([row["pushed"] for row in own])
        spread = float(np.sum((moved - moved.mean()) ** 2))
        found[name] = {
            "r_squared": round(1 - float(np.sum((moved - pushed) ** 2)) / spread, 4),
            "smallest_change": round(float(moved.min()), 4),
            "largest_change": round(float(moved.max()), 4),
        }
    return found


PARTS: dict[str, tuple[Callable[[], Iterator[tuple[str, Callable[[], Row]]]], Any]] = {
    "null": (null_rows, null_summary),
    "power": (power_rows, power_summary),
    "influence": (influence_rows, influence_summary),
}


def done(path: Path) -> dict[str, Row]:
    """Work that is stored already."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["key"]: line["row"] for line in lines}


def work(part: str, folder: Path) -> None:
    """Do what is left of a part; every finished piece is stored at once."""
    rows, _ = PARTS[part]
    path = folder / f"{part}.jsonl"
    known, start = done(path), time.perf_counter()
    for key, act in rows():
        if key in known:
            continue
        line = json.dumps({"key": key, "row": act()})
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    print(f"{part}: complete, {time.perf_counter() - start:.0f} s now")


def main() -> None:
    """Do the parts that are named, and gather all that is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="null, power, influence")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for part in arguments.parts:
        work(part, arguments.work)
    found = {}
    for part, (_, summary) in PARTS.items():
        rows = done(arguments.work / f"{part}.jsonl")
        if rows:
            found[part] = summary(rows)
    print(json.dumps(found, indent=2))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
