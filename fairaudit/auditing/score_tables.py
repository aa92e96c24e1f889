"""Score tables from answers: one tidy row per item, protocol and role, per token, or per text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from fairaudit.items import (
    NO_ANSWER,
    NO_SCORE,
    NO_TEXT,
    SCORE_COLUMNS,
    Answer,
    Completions,
    Item,
    Protocol,
    Skipped,
)

#: Reasons of items that a file does not hold.
_NOT_ASKED: Final = tuple(one.reason for one in (NO_ANSWER, NO_SCORE, NO_TEXT))


def item_rows(
    item: Item, protocol: Protocol, role: str, answer: Answer | Skipped
) -> Iterator[dict[str, Any]]:
    """Yield the row of one item, protocol and role; the item's facts are further columns.

    So is the word that a model found, where it was asked for one.
    """
    row = {**_identity(item, protocol.id, role), **item.facts}
    if isinstance(answer, Skipped):
        yield {**row, **_skipped(answer)}
        return
    word = {} if answer.word is None else {"word": answer.word}
    yield {**row, **_scored(protocol.score(answer), answer.n_tokens), **word}


def token_rows(
    item: Item, protocol: Protocol, role: str, answer: Answer | Skipped
) -> Iterator[dict[str, Any]]:
    """Yield one row per scored token: its place among them, its id, whether it was top."""
    row = _identity(item, protocol.id, role)
    if isinstance(answer, Skipped):
        yield {**row, **_skipped(answer), "position": -1, "token_id": -1, "top1": False}
        return
    tokens = zip(answer.log_probs, answer.token_ids, answer.top1, strict=True)
    for position, (log_prob, token_id, top1) in enumerate(tokens):
        extra = {"position": position, "token_id": token_id, "top1": top1}
        yield {**row, **_scored(log_prob, 1), **extra}


def recorded_rows(
    item: Item, protocol: str, scores: dict[str, float | None]
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one item whose scores by role were recorded elsewhere."""
    for role, score in scores.items():
        row = {**_identity(item, protocol, role), **item.facts}
        if score is None:
            yield {**row, **_skipped(NO_SCORE)}
        else:
            yield {**row, **_scored(score, 0)}


def chosen_rows(item: Item, protocol: str, choice: str | Skipped) -> Iterator[dict[str, Any]]:
    """Yield the rows of one item of whose answers one was chosen, by role: 1, the others 0."""
    for role in item.texts:
        row = {**_identity(item, protocol, role), **item.facts}
        if isinstance(choice, Skipped):
            yield {**row, **_skipped(choice)}
        else:
            yield {**row, **_scored(float(role == choice), 0)}


def choice_rows(
    item: Item, protocol: str, labels: Sequence[str], choices: Sequence[str | Skipped]
) -> Iterator[dict[str, Any]]:
    """Yield one row per time that an item was asked and label: 1 for the one chosen, else 0."""
    for sample, choice in enumerate(choices):
        for label in labels:
            row = _text_row(item, protocol, sample, label)
            if isinstance(choice, Skipped):
                yield {**row, **_skipped(choice)}
            else:
                yield {**row, **_scored(float(label == choice), 0)}


def text_rows(
    item: Item,
    protocol: str,
    labels: Sequence[str],
    completions: Completions,
    scores: Sequence[Mapping[str, float] | Skipped],
) -> Iterator[dict[str, Any]]:
    """Yield one row per completion and label of what one scorer says about one prompt's texts."""
    for sample, (n_tokens, found) in enumerate(zip(completions.n_tokens, scores, strict=True)):
        for label in labels:
            row = _text_row(item, protocol, sample, label)
            if isinstance(found, Skipped):
                yield {**row, **_skipped(found)}
            else:
                yield {**row, **_scored(found[label], n_tokens)}


def skipped_text_rows(
    item: Item, protocol: str, labels: Sequence[str], n: int, reason: Skipped
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a prompt that was not continued: ``n`` texts are missing."""
    for sample in range(n):
        for label in labels:
            yield {**_text_row(item, protocol, sample, label), **_skipped(reason)}


def unscored_protocols(table: pd.DataFrame) -> dict[str, str]:
    """Protocols of a score table of which not one row has a score, with the commonest reason."""
    found = {}
    for protocol, rows in table.groupby("protocol", sort=False):
        if not (rows["status"] == "ok").any():
            found[str(protocol)] = str(rows["reason"].mode().iloc[0])
    return found


def why_nothing_scored(table: pd.DataFrame) -> str | None:
    """Why not one row of a table has a score; None if one has."""
    if (table["status"] == "ok").any():
        return None
    return f"nothing was scored: {commonest_reason(table) or 'no rows'}"


def commonest_reason(table: pd.DataFrame) -> str | None:
    """Why rows have no score; that a file lacks them counts only where nothing else does."""
    reasons = table["reason"].dropna()
    of_those_asked = reasons[~reasons.isin(_NOT_ASKED)]
    named = (reasons if of_those_asked.empty else of_those_asked).mode()
    return None if named.empty else str(named.iloc[0])


def n_skipped(table: pd.DataFrame) -> int:
    """Items that some protocol has no score of; of texts and repeated answers, one is enough."""
    by_item = (table["status"] == "ok").groupby([table["item_id"], table["protocol"]])
    scored = by_item.any() if "sample" in table else by_item.all()
    return int((~scored.groupby(level=0).all()).sum())


def _text_row(item: Item, protocol: str, sample: int, label: str) -> dict[str, Any]:
    identity = _identity(item, protocol, f"{sample}:{label}")
    return {**identity, **item.facts, "sample": sample, "label": label}


def score_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Collect rows into a table with the columns of `SCORE_COLUMNS` first."""
    table = pd.DataFrame(list(rows))
    facts = [name for name in table.columns if name not in SCORE_COLUMNS]
    table = table.reindex(columns=[*SCORE_COLUMNS, *facts])
    return table.astype({"score": "float64", "n_tokens": "int64"})


def _identity(item: Item, protocol: str, role: str) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "protocol": protocol,
        "axis": item.axis,
        "group": item.group,
        "cluster": item.cluster,
        "role": role,
    }


def _scored(score: float, n_tokens: int) -> dict[str, Any]:
    return {"score": score, "n_tokens": n_tokens, "status": "ok", "reason": None}


def _skipped(answer: Skipped) -> dict[str, Any]:
    return {"score": None, "n_tokens": 0, "status": "skipped", "reason": answer.reason}
