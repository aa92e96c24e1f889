"""Score tables, seen as one row per item with one column per role."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True, slots=True)
class Part:
    """Items of one axis (or ``all``) and group (or None): the complete ones and how many not."""

    axis: str
    group: str | None
    items: pd.DataFrame
    n_skipped: int


def by_role(table: pd.DataFrame, roles: Sequence[str]) -> pd.DataFrame:
    """One row per item: its columns, its facts, and one score column per role.

    An item that lacks one of the roles entirely is left out; one whose score was skipped keeps its
    row, with NaN in that role.

    Parameters
    ----------
    table : DataFrame
        Score table of one protocol: one row per item and role.
    roles : sequence of str
        Roles that an item must have.

    Returns
    -------
    DataFrame
        Indexed by item; the order of items is that of the table.
    """
    wanted = table[table["role"].isin(roles)]
    scores = wanted.pivot(index="item_id", columns="role", values="score")
    facts = [c for c in table.columns if c not in {"role", "score", "n_tokens", "status", "reason"}]
    items = wanted[facts].drop_duplicates("item_id").set_index("item_id")
    complete = wanted.groupby("item_id")["role"].nunique() == len(roles)
    joined = items.join(scores.reindex(columns=list(roles)))
    return joined[complete.reindex(joined.index)]


def parts(items: pd.DataFrame, roles: Sequence[str], *, groups: bool = False) -> Iterator[Part]:
    """Items by axis, by group within an axis where wanted, and pooled as ``all``."""
    yield _part("all", None, items, roles)
    for axis, on_axis in items.groupby("axis", sort=True):
        yield _part(str(axis), None, on_axis, roles)
        if groups:
            for group, in_group in on_axis.groupby("group", sort=True):
                yield _part(str(axis), str(group), in_group, roles)


def _part(axis: str, group: str | None, items: pd.DataFrame, roles: Sequence[str]) -> Part:
    complete = items.dropna(subset=list(roles))
    return Part(axis, group, complete, len(items) - len(complete))
