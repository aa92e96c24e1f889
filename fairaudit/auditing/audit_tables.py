"""From answers to the tables and texts of an audit, suite by suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fairaudit.auditing.audit_texts import text_table, texts_of
from fairaudit.auditing.score_tables import item_rows, score_table, token_rows
from fairaudit.auditing.suite_plan import SuitePlan
from fairaudit.items import Answer, Completions, Generation, Request, Skipped

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results.texts import PromptTexts


def items_table(entry: SuitePlan, answers: Mapping[Request, Answer | Skipped]) -> pd.DataFrame:
    """Score table of a suite whose items were scored."""
    assert entry.data is not None
    items = {item.item_id: item for item in entry.data.items}
    protocols = {protocol.id: protocol for protocol in entry.protocols}
    make_rows = token_rows if entry.suite.per_token else item_rows
    rows: list[dict[str, Any]] = []
    for (item_id, protocol_id, role), request in entry.requests.items():
        answer = request if isinstance(request, Skipped) else answers[request]
        rows.extend(make_rows(items[item_id], protocols[protocol_id], role, answer))
    return score_table(rows)


def _by_item(
    entry: SuitePlan, written: Mapping[Generation, Completions | Skipped]
) -> dict[str, Completions | Skipped]:
    return {item_id: written[request] for item_id, request in entry.prompts.items()}


def texts_table(
    entry: SuitePlan, written: Mapping[Generation, Completions | Skipped]
) -> pd.DataFrame:
    """Score table of a suite whose prompts were continued."""
    assert entry.data is not None
    assert entry.suite.generation is not None
    n = entry.suite.generation.decoding.n
    answers = _by_item(entry, written)
    return text_table(entry.suite.name, entry.data.items, answers, entry.scorers, n)


def texts_by_suite(
    suites: Iterable[SuitePlan], written: Mapping[Generation, Completions | Skipped]
) -> dict[str, tuple[PromptTexts, ...]]:
    """Return what the model wrote, by suite of prompts."""
    return {
        entry.suite.name: texts_of(entry.data.items, _by_item(entry, written))
        for entry in suites
        if entry.prompts and entry.data is not None
    }
