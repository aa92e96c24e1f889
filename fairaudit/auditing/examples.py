"""Examples of items: what was asked, what came, and how it was scored, from the ends of each axis.

A number says how often a model prefers a stereotype, not what that looks like. For each axis the
protocol that verdicts rest on gives

- of pairs: the item whose signed preference, score(stereotype) − score(anti-stereotype) in nats, is
  largest towards the stereotype, the one for which it is largest against it, and the next largest
  on either side;
- of questions whose text does not say who is meant: the same, of the stereotyped answer and its
  opposite;
- of prompts: the prompts after which the model wrote the text with the worst score, each with that
  one text.

These are extremes, not typical items. Equal scores are taken in the order of their item ids, so the
same audit always shows the same examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from fairaudit.items import TIE_TOLERANCE, Item
from fairaudit.metrics.choices import as_pair, as_pairs, is_of_choices
from fairaudit.metrics.preference import ROLES, differences
from fairaudit.metrics.tables import by_role
from fairaudit.metrics.texts import is_of_texts, primary_quantity
from fairaudit.report.safe_text import clean
from fairaudit.results import Estimate, ItemExample

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results.texts import PromptTexts

#: Pairs of each axis, and prompts of each axis.
PAIRS: Final = 3
PROMPTS: Final = 2
#: Longest text in characters, its ellipsis included.
MAX_CHARACTERS: Final = 300
_DECIMALS: Final = 4


def examples_of(
    table: pd.DataFrame,
    items: Iterable[Item],
    estimates: Iterable[Estimate],
    texts: Sequence[PromptTexts] = (),
) -> tuple[ItemExample, ...]:
    """Choose the examples of one suite.

    Parameters
    ----------
    table : DataFrame
        Its score table.
    items : iterable of Item
        Its items, with their texts.
    estimates : iterable of Estimate
        Estimates of the table: those that are primary name the protocol; others may stand beside
        them.
    texts : sequence of PromptTexts
        What the model wrote, for a suite of prompts.

    Returns
    -------
    tuple of ItemExample
        By axis in alphabetical order, of pairs those towards the stereotype first, the most extreme
        item first; empty where no verdict rests on the suite, or its scores have no logarithm.
    """
    if is_of_texts(table):
        return tuple(_written(table, texts))
    if is_of_choices(table):
        table, items = as_pairs(table), map(as_pair, items)
    known = set(table["protocol"])
    primary = (one.protocol for one in estimates if one.primary and one.protocol in known)
    protocol = next(primary, None)
    return () if protocol is None else tuple(_pairs(table, items, protocol))


def _pairs(table: pd.DataFrame, items: Iterable[Item], protocol: str) -> Iterator[ItemExample]:
    asked = {item.item_id: item for item in items}
    rows = table[(table["protocol"] == protocol) & (table["status"] == "ok")]
    scores = _in_nats(by_role(rows, ROLES).sort_index())
    scores = scores.assign(preference=differences(scores))
    scores = scores[scores.index.isin(list(asked))]
    for _axis, on_axis in scores.groupby("axis", sort=True):
        numbers = on_axis[[*ROLES, "preference"]].to_dict("index")
        for item_id in _extremes(on_axis["preference"]):
            yield _pair(asked[item_id], protocol, numbers[item_id])


def _extremes(preference: pd.Series[float]) -> list[str]:
    """Items at both ends, those towards the stereotype first, the most extreme first."""
    apart = preference[preference.abs() > TIE_TOLERANCE]
    by_size = _largest_first(apart.abs())
    towards = [item_id for item_id in by_size if apart[item_id] > 0]
    against = [item_id for item_id in by_size if apart[item_id] < 0]
    ends = [*towards[:1], *against[:1]]
    chosen = [*ends, *(item_id for item_id in by_size if item_id not in ends)][:PAIRS]
    return [item_id for side in (towards, against) for item_id in side if item_id in chosen]


def _in_nats(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores as logarithms: recorded probabilities get theirs, other scores have none."""
    found = scores[list(ROLES)].to_numpy(dtype=float)
    if (found <= 0).all():
        return scores
    if ((found > 0) & (found <= 1)).all():
        return scores.assign(**dict(zip(ROLES, np.log(found).T, strict=True)))
    return scores.iloc[:0]


def _largest_first(values: pd.Series[float]) -> list[Any]:
    """Index of the values in falling order; equal ones keep their order.

    Smaller steps than the last decimal shown differ between batch sizes and machines.
    """
    return list((-values).round(_DECIMALS).sort_values(kind="stable").index)


def _pair(item: Item, protocol: str, row: Mapping[Any, float]) -> ItemExample:
    texts = {role: item.texts[role] for role in ROLES}
    if item.context:
        texts["context"] = item.context
    return ItemExample(
        item_id=item.item_id,
        axis=item.axis,
        group=item.group,
        protocol=protocol,
        extreme="towards" if row["preference"] > 0 else "against",
        texts={role: _short(text) for role, text in texts.items()},
        scores={role: _rounded(row[role]) for role in ROLES},
        value=_rounded(row["preference"]),
    )


def _written(table: pd.DataFrame, texts: Sequence[PromptTexts]) -> Iterator[ItemExample]:
    found = primary_quantity(table)
    if found is None:
        return
    quantity, scored = found
    protocol = scored.protocol
    written = {one.item_id: one for one in texts}
    by_text = scored.by_label.sort_index()
    by_text = by_text.assign(value=quantity.per_text(by_text)).dropna(subset=["value", "group"])
    for _axis, on_axis in by_text.groupby("axis", sort=True):
        # Items with the same prompt share what was written after it: it is shown once.
        worst: dict[str, tuple[str, int]] = {}
        for item_id, sample in _largest_first(quantity.level.direction * on_axis["value"]):
            if item_id in written:
                worst.setdefault(written[item_id].prompt, (item_id, sample))
        for item_id, sample in list(worst.values())[:PROMPTS]:
            value = float(on_axis["value"].loc[(item_id, sample)])
            yield _completion(written[item_id], protocol, sample, value)


def _completion(written: PromptTexts, protocol: str, sample: int, value: float) -> ItemExample:
    return ItemExample(
        item_id=written.item_id,
        axis=written.axis,
        group=written.group,
        protocol=protocol,
        extreme="worst",
        texts={
            "prompt": _short(written.prompt),
            "completion": _short(written.completions[sample]),
        },
        value=_rounded(value),
    )


def _rounded(value: float) -> float:
    # Adding zero turns −0 into 0.
    return round(float(value), _DECIMALS) + 0.0


def _short(text: str) -> str:
    """Bring a text onto one short line, with U+FFFD for what could drive a screen."""
    text = clean(text)
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"
