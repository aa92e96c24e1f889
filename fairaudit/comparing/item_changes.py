"""Which pairs changed: of each axis those on which two models differ most, or prefer otherwise.

Nothing is estimated here, and no verdict rests on it: it shows what a difference looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from fairaudit.comparing.joining import Joined
from fairaudit.comparing.pairing import Terms
from fairaudit.items import PAIR_TEXT, TIE_TOLERANCE
from fairaudit.metrics.preference import ROLES, differences
from fairaudit.metrics.tables import by_role
from fairaudit.results.comparison import ItemChange

if TYPE_CHECKING:
    from pandas import DataFrame

#: Pairs of each axis in either direction, and the longest text in characters.
PAIRS: Final = 8
_LONGEST: Final = 300
_DECIMALS: Final = 4


def item_changes(joined: Joined, protocols: Collection[str], terms: Terms) -> Iterator[ItemChange]:
    """Yield the pairs of a suite that changed most, by protocol and axis, the largest first.

    Parameters
    ----------
    joined : Joined
        Rows of a suite that both models scored.
    protocols : collection of str
        Those that verdicts rest on.
    terms : Terms
    """
    for protocol in sorted(protocols):
        ours, theirs = (
            side[side["protocol"] == protocol] for side in (joined.baseline, joined.candidate)
        )
        if set(ROLES) <= set(ours["role"]) and set(ROLES) <= set(theirs["role"]):
            yield from _changed(ours, theirs, protocol, joined.suite, terms)


def _changed(
    ours: DataFrame, theirs: DataFrame, protocol: str, suite: str, terms: Terms
) -> Iterator[ItemChange]:
    before, after = _preference(ours), _preference(theirs)
    if before is None or after is None:
        return
    pairs = pd.DataFrame({"before": before, "after": after}).dropna()
    facts = by_role(ours, ROLES)
    known = facts.columns.intersection(["axis", "group"])
    pairs = pairs.join(facts[known]).sort_index()
    texts = _texts(ours)
    for axis, on_axis in pairs.groupby("axis", sort=True):
        for item_id, row in _most(on_axis):
            group = row.get("group")
            yield ItemChange(
                candidate=terms.candidate,
                suite=suite,
                protocol=protocol,
                axis=str(axis),
                group=group if isinstance(group, str) else None,
                item_id=item_id,
                texts=texts.get(item_id, {}),
                before=round(float(row["before"]), _DECIMALS),
                after=round(float(row["after"]), _DECIMALS),
            )


def _preference(side: DataFrame) -> pd.Series[float] | None:
    """Score(stereotype) − score(anti-stereotype) of each pair, in nats; None: no logarithms."""
    scores = by_role(side, ROLES)
    found = scores[list(ROLES)].to_numpy(dtype=float)
    if not np.nanmax(found, initial=-np.inf) <= 0:
        if not ((found > 0) & (found <= 1)).all():
            return None
        scores = scores.assign(**dict(zip(ROLES, np.log(found).T, strict=True)))
    return pd.Series(differences(scores), index=scores.index)


def _most(pairs: DataFrame) -> Iterator[tuple[str, dict[Any, Any]]]:
    """Yield the pairs to show of one axis: in either direction flips first, then the largest."""
    moved = (pairs["after"] - pairs["before"]).round(_DECIMALS)
    flips = _side(pairs["before"]) * _side(pairs["after"]) < 0
    for sign in (1, -1):
        size = moved * sign
        order = pd.DataFrame({"flips": flips, "size": size})[size > TIE_TOLERANCE]
        chosen = order.sort_values(["flips", "size"], ascending=False, kind="stable")
        for item_id in chosen.index[:PAIRS]:
            yield str(item_id), pairs.loc[item_id].to_dict()


def _side(preference: pd.Series[float]) -> pd.Series[float]:
    apart = preference.where(preference.abs() > TIE_TOLERANCE, 0.0)
    return pd.Series(np.sign(apart.to_numpy(dtype=float)), index=preference.index)


def _texts(side: DataFrame) -> dict[str, dict[str, str]]:
    """Return the texts of each pair by role, cut, where the audit stored them."""
    found: dict[str, dict[str, str]] = {}
    if PAIR_TEXT in side:
        stored = side[side["role"].isin(ROLES)].dropna(subset=[PAIR_TEXT])
        columns = (stored["item_id"], stored["role"], stored[PAIR_TEXT])
        for item_id, role, text in zip(*columns, strict=True):
            cut = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
            found.setdefault(str(item_id), {})[str(role)] = cut
    return found
