"""Maps to report: planted shares of the way, so that what must be found is known."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from fairaudit.experiments.map_findings import (
    Scores,
    Table,
    cells,
    frequencies,
    held_out,
    level,
    moved,
    sides,
)
from fairaudit.experiments.map_plan import MapPlan
from fairaudit.results import Run
from fairaudit.results.map import MapResult, MapWorld
from fairaudit.vocabulary.arms import BASE, PLAIN
from tests.report import audits

#: Share of the way from base to plain that each arm moves.
SHARES = {
    "plain": 1.0,
    "dp_0.5": 0.35,
    "dp_2": 0.6,
    "dp_8": 0.75,
    "dp_cda_2": 0.5,
    "clip_only": 0.95,
    "noise_only_2": 0.7,
    "plain_matched_2": 0.6,
}
_BASE = 0.85
_RUN = Run(
    started="2026-11-27T07:00:00+00:00",
    finished="2026-11-27T07:06:00+00:00",
    seconds=360.0,
    host="vm",
)


def plan(**changes: Any) -> MapPlan:
    """Return a plan of five leans, three ε and two shares, with anything changed."""
    content: dict[str, Any] = {
        "name": "planted",
        "seeds": 3,
        "map": {
            "leans": [-1.0, -0.5, 0.0, 0.5, 1.0],
            "epsilons": [0.5, 2.0, 8.0],
            "shares": [0.5, 0.05],
        },
        "base": {"layers": 1, "width": 16, "steps": 4, "text": {"sentences": 300, "mu": 1.0}},
        "text": {"world": {"sentences": 200}, "held_out_sentences": 50},
        "audit": {"quick": True},
        "train": {"steps": 3, "batch_size": 40, "max_length": 32, "learning_rate": 1e-3},
    }
    return MapPlan.model_validate(content | changes)


def scores(
    of: MapPlan,
    *,
    noise: float = 0.03,
    beyond: float = 0.0,
    law: bool = True,
    seed: int = 5,
    path: Mapping[str, float] = MappingProxyType({}),
    bend: float = 1.0,
) -> Scores:
    """Bias of every model: arms go their share of the way, with noise of each seed.

    Parameters
    ----------
    beyond : float
        What private arms add on stereotypes about groups with less than half of the text.
    law : bool
        Without it, no arm moves anywhere and all that differs is noise.
    path : mapping of str to float
        Plain runs where they were stopped, with the share of the way that they had gone.
    bend : float
        How often a group is named is learned so many times as fast as what is said of it, until it
        is learned.
    """
    rng = np.random.default_rng(seed)
    found = {}
    for world in of.worlds:
        for arm in (BASE, *of.named_arms, *path):
            for number in range(of.seeds):
                found[world.name, arm, number] = _one(
                    of, world, arm, rng, noise, beyond, law, {**SHARES, **path}.get(arm, 0.6), bend
                )
    return found


def _one(
    of: MapPlan,
    world: Any,
    arm: str,
    rng: np.random.Generator,
    noise: float,
    beyond: float,
    law: bool,
    going: float,
    bend: float,
) -> dict[tuple[str, int | None], float]:
    bias: dict[tuple[str, int | None], float] = {}
    for axis in of.axes:
        parts = []
        for named in (0, 1):
            part = world.share if named else 1 - world.share
            share = 0.0 if arm == BASE or not law else going
            value = _BASE - share * 0.8 * world.lean
            value += min(1.0, bend * share) * np.log(part / (1 - part))
            value += noise * rng.standard_normal() if arm != BASE else 0.0
            value += beyond if arm.startswith("dp") and part < 0.5 else 0.0
            bias[axis, named] = value
            parts.append(value)
        bias[axis, None] = float(np.mean(parts))
    return bias


def result_of(of: MapPlan, made: Scores, path: tuple[str, ...] = (), **changes: Any) -> MapResult:
    """Return the result of a map with these scores."""
    table = Table(of, made, path)
    fields: dict[str, Any] = {
        "name": of.name,
        "plan": of.model_dump(mode="json"),
        "metric": "mean_log_odds",
        "axes": of.axes,
        "leans": tuple(sorted(of.map.leans)),
        "epsilons": tuple(sorted(of.map.epsilons)),
        "shares": tuple(sorted(of.map.shares, reverse=True)),
        "arms": of.compared,
        "n_seeds": of.seeds,
        "worlds": tuple(
            MapWorld(
                name=world.name,
                lean=world.lean,
                share=world.share,
                folder=f"worlds/{world.name}",
                n_runs=of.seeds * (len(of.named_arms) + 1),
                base=level(table, place, BASE),
                plain=level(table, place, PLAIN),
                implied=1.0 - world.lean,
            )
            for place, world in enumerate(of.worlds)
        ),
        "cells": tuple(cells(table)),
        "moved": tuple(moved(table)),
        "held_out": tuple(held_out(table)),
        "frequencies": tuple(frequencies(table)),
        "sides": tuple(sides(table)),
        "notes": ("all texts were drawn from the known world",),
        "versions": {"torch": "2.13.0"},
        "run": _RUN,
    }
    return MapResult(**fields | changes)


@cache
def whole_map() -> MapResult:
    """Return a map in which every run finished and the law holds."""
    of = plan()
    return result_of(of, scores(of))


def hostile_map() -> MapResult:
    """Return a map whose every text from outside wants out of its place."""
    bad = audits.HOSTILE + audits.ESCAPES
    made = whole_map()
    lost = made.worlds[0].model_copy(update={"failures": (bad,), "name": bad})
    odd = made.cells[0].model_copy(update={"arm": bad})
    return made.model_copy(
        update={
            "name": bad,
            "worlds": (lost, *made.worlds[1:]),
            "cells": (*made.cells, odd),
            "arms": (*made.arms, bad),
            "axes": (*made.axes, bad),
            "notes": (bad,),
            "plan": {bad: bad},
            "versions": {bad: bad},
        }
    )
