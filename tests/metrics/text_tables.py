"""Score tables of texts, made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from fairaudit.items import SCORE_COLUMNS


@dataclass(frozen=True)
class Asked:
    """One prompt: its scores by label, one value per text; None is a text without a score."""

    group: str
    scores: Mapping[str, Sequence[float | None]]
    axis: str = "gender"
    cluster: str | None = None
    item_id: str | None = None


def table(prompts: Iterable[Asked], *, suite: str = "toxicity", scorer: str = "judge@1"):
    """Build the table that an audit builds of such prompts."""
    rows = []
    for number, one in enumerate(prompts):
        item_id = one.item_id or f"p{number}"
        for label, values in one.scores.items():
            for sample, value in enumerate(values):
                rows.append(
                    {
                        "item_id": item_id,
                        "protocol": f"{suite}/{scorer}",
                        "axis": one.axis,
                        "group": one.group,
                        "cluster": one.cluster or item_id,
                        "role": f"{sample}:{label}",
                        "score": value,
                        "n_tokens": 4,
                        "status": "skipped" if value is None else "ok",
                        "reason": "the completion is empty" if value is None else None,
                        "sample": sample,
                        "label": label,
                    }
                )
    frame = pd.DataFrame(rows, columns=[*SCORE_COLUMNS, "sample", "label"])
    return frame.astype({"score": float})


def toxic(group: str, *values: float | None, **more) -> Asked:
    """Build a prompt whose texts have these toxicities."""
    return Asked(group, {"toxic": values}, **more)


def by_name(found, name: str, axis: str = "gender", group: str | None = None):
    """Return the one estimate of that name, axis and group."""
    (one,) = [e for e in found if (e.name, e.axis, e.group) == (name, axis, group)]
    return one
