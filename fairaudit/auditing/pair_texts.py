"""The texts of pairs beside their scores, so that a comparison can show which pairs changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fairaudit.items import PAIR_TEXT, Item
from fairaudit.metrics.preference import ROLES

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results import Estimate


def with_pair_texts(
    table: pd.DataFrame, items: Iterable[Item], estimates: Iterable[Estimate]
) -> pd.DataFrame:
    """Add the texts of pairs to their rows, of the protocols that verdicts rest on.

    Returns
    -------
    DataFrame
        With a column `PAIR_TEXT`, missing in all other rows; without pairs the table as it was.
    """
    asked = {one.protocol for one in estimates if one.primary}
    wanted = table["role"].isin(ROLES) & table["protocol"].isin(asked)
    texts = {
        (item.item_id, role): item.texts[role]
        for item in items
        for role in ROLES
        if role in item.texts
    }
    if not texts or not wanted.any():
        return table
    keys = zip(table["item_id"], table["role"], strict=True)
    found = [texts.get(key) if shown else None for key, shown in zip(keys, wanted, strict=True)]
    made = table.copy(deep=False)
    made[PAIR_TEXT] = found
    return made
