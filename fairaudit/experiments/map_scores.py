"""Bias of one model of a map: mean log-odds by axis, and by whom the stereotypes name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import pandas as pd

from fairaudit.experiments.asked_suites import PAIRS
from fairaudit.experiments.world import load_words
from fairaudit.results import AuditResult

ROLES: Final = ("stereotype", "anti_stereotype")
#: Mean log-odds by axis and by which group of it the stereotype names; None: all of them.
Bias = Mapping[tuple[str, int | None], float]


def bias_of(audit: AuditResult, axes: tuple[str, ...]) -> dict[tuple[str, int | None], float]:
    """Mean log-odds of each axis of the known world: of all pairs, and by whom they are about.

    The whole is what the audit calls ``mean_log_odds``; its two parts have as many pairs each where
    an axis has as many stereotypes about either group, as those of the known world do.
    """
    rows = audit.items(PAIRS)
    rows = rows[(rows["status"] == "ok") & rows["role"].isin(ROLES)]
    scores = rows.pivot(index=["item_id", "axis", "cluster"], columns="role", values="score")
    odds = (scores[ROLES[0]] - scores[ROLES[1]]).dropna().reset_index(name="odds")
    odds["named"] = odds["cluster"].map(_named())
    found: dict[tuple[str, int | None], float] = {}
    for axis in axes:
        own = odds[odds["axis"] == axis]
        found[axis, None] = float(own["odds"].mean())
        for group, some in own.groupby("named"):
            found[axis, int(str(group))] = float(some["odds"].mean())
    return found


@lru_cache(maxsize=1)
def _named() -> pd.Series[int]:
    """Which group of its axis the stereotype about a concept names, by cluster of items."""
    return pd.Series(
        {
            f"{axis}-{concept.text}": concept.stereotyped
            for axis, slots in load_words().axes.items()
            for concept in slots.concepts
        }
    )
