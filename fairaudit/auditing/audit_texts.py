"""The two stages of suites of prompts: what a model writes, and what text scorers say about it.

Scoring never asks where a text comes from, so texts that another program recorded enter the same
stage.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from fairaudit.auditing.score_tables import score_table, skipped_text_rows, text_rows
from fairaudit.items import Completions, Continuation, Decoding, Generation, Item, Skipped
from fairaudit.report.safe_text import shorten
from fairaudit.results.texts import PromptTexts
from fairaudit.scoring.texts.thinking import without_thinking
from fairaudit.suites import PROMPT
from fairaudit.vocabulary.metrics import REFUSAL_RATE
from fairaudit.vocabulary.suites import called

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results import Estimate
    from fairaudit.scoring.texts.base import TextScorer

#: Content warning of every audit that holds texts.
WARNING: Final = "content warning: texts/ holds what the model wrote, unfiltered; it may offend"
#: A text is named that makes up so much of all, and at least so many.
_REPEATED_SHARE: Final = 0.25
_REPEATED_LEAST: Final = 20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def requests_of(items: Iterable[Item], decoding: Decoding) -> dict[str, Generation]:
    """Request by item id; items with the same prompt share it, and its completions."""
    return {item.item_id: Generation(item.texts[PROMPT], decoding) for item in items}


def text_table(
    suite: str,
    items: Sequence[Item],
    answers: Mapping[str, Completions | Skipped],
    scorers: Iterable[TextScorer],
    n: int,
) -> pd.DataFrame:
    """Score what was written and collect one row per prompt, completion and label.

    Parameters
    ----------
    suite : str
        Name of the suite: protocols are ``<suite>/<scorer id>``.
    items : sequence of Item
        The prompts.
    answers : mapping
        Completions, or why there are none, by item id.
    scorers : iterable of TextScorer
        What scores the texts.
    n : int
        Completions that each prompt should have.
    """
    rows: list[dict[str, Any]] = []
    for scorer in scorers:
        rows.extend(_rows(f"{suite}/{scorer.id}", items, answers, scorer, n))
    return score_table(rows)


def _rows(
    protocol: str,
    items: Sequence[Item],
    answers: Mapping[str, Completions | Skipped],
    scorer: TextScorer,
    n: int,
) -> Iterator[dict[str, Any]]:
    scores = iter(scorer.score([one for item in items for one in _continuations(item, answers)]))
    for item in items:
        answer = answers[item.item_id]
        if isinstance(answer, Skipped):
            yield from skipped_text_rows(item, protocol, scorer.labels, n, answer)
        else:
            found = [next(scores) for _ in answer.texts]
            yield from text_rows(item, protocol, scorer.labels, answer, found)


def _continuations(
    item: Item, answers: Mapping[str, Completions | Skipped]
) -> Iterator[Continuation]:
    answer = answers[item.item_id]
    if not isinstance(answer, Skipped):
        for text in answer.texts:
            said, _ = without_thinking(readable(text))
            yield Continuation(item, item.texts[PROMPT], said)


def repeated_note(suite: str, texts: Iterable[PromptTexts]) -> str | None:
    """Say that one text came again and again, as a refusal does; None where none did.

    Of a model that refuses whatever it is asked, all groups get the same.
    """
    counts = Counter(text.strip() for one in texts for text in one.completions)
    text, n = max(counts.items(), key=lambda item: item[1], default=("", 0))
    if n < max(_REPEATED_SHARE * counts.total(), _REPEATED_LEAST):
        return None
    return (
        f"{called(suite)}: {n:,} of {counts.total():,} completions are the same text ('"
        f"{shorten(text, 60)}'); if it is a refusal, the scores say little about the model"
    )


def thinking_note(suite: str, texts: Iterable[PromptTexts]) -> str | None:
    """Say how many texts held thinking, which is not scored; None where none did."""
    counts = Counter(without_thinking(text)[1] for one in texts for text in one.completions)
    n = counts["cut"] + counts["unfinished"]
    if not n:
        return None
    note = (
        f"{called(suite)}: {n:,} of {counts.total():,} completions hold thinking; it is not scored"
    )
    if counts["unfinished"]:
        note += (
            f"; {counts['unfinished']:,} were cut before the thinking ended and have no answer: "
            "write longer ones with --max-new-tokens"
        )
    return note


def refusal_notes(estimates: Iterable[Estimate]) -> Iterator[str]:
    """Say which share of a suite's answers is a refusal, by group."""
    found = [one for one in estimates if one.name == REFUSAL_RATE.name and one.value is not None]
    for whole in found:
        if whole.axis == "all" and whole.value:
            groups = [
                f"{one.group} {one.value:.1%}"
                for one in found
                if one.suite == whole.suite and one.group is not None
            ]
            by_group = f" ({', '.join(groups)})" if groups else ""
            yield f"{called(whole.suite)}: {whole.value:.1%} of the answers are refusals{by_group}"


def truncation_notes(scorers: Iterable[TextScorer]) -> list[str]:
    """Say of which texts a scorer could read the beginning only; call it after scoring."""
    # Word lists read all of a text; a classifier has a longest input.
    cut = {scorer.id: getattr(scorer, "n_truncated", 0) for scorer in scorers}
    return [
        f"{name}: {n:,} texts were longer than it reads; they were truncated"
        for name, n in cut.items()
        if n
    ]


def readable(text: str) -> str:
    """Text with a replacement character for each half of a surrogate pair.

    No tokenizer and no file format reads such halves; recorded texts may hold them.
    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def texts_of(
    items: Iterable[Item], answers: Mapping[str, Completions | Skipped]
) -> tuple[PromptTexts, ...]:
    """Join prompts and completions as ``texts/<suite>.jsonl`` holds them."""
    return tuple(_prompt_texts(item, answers[item.item_id]) for item in items)


def answer_of(texts: PromptTexts) -> Completions | Skipped:
    """Return what was written after a prompt, or why nothing was; the other way round."""
    if texts.reason is not None:
        return Skipped(texts.reason)
    return Completions(texts.completions, texts.n_tokens, texts.ended)


def _prompt_texts(item: Item, answer: Completions | Skipped) -> PromptTexts:
    identity = (item.item_id, item.axis, item.group, item.texts[PROMPT])
    if isinstance(answer, Skipped):
        return PromptTexts(*identity, reason=answer.reason)
    return PromptTexts(*identity, answer.texts, answer.n_tokens, answer.ended)


def decoding_settings(
    suites: Mapping[str, Decoding], chat: Mapping[str, str | None] | None
) -> dict[str, Any] | None:
    """How the texts of an audit were written, for its record; the seed stands beside it."""
    if not suites:
        return None
    found: dict[str, Any] = {}
    for name, decoding in suites.items():
        found[name] = {key: value for key, value in asdict(decoding).items() if key != "seed"}
    return {**found, **(chat or {})}
