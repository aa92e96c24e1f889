"""BBQ as a person would ask it: the model writes which of three lettered answers is right."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fairaudit.items import Decoding, Item
from fairaudit.metrics.choices import choice_estimates
from fairaudit.suites import bbq
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.bbq_records import Record
from fairaudit.suites.data import DataFinder
from fairaudit.vocabulary.suites import BBQ_PROMPTED

LETTERS: Final = ("a", "b", "c")
_ASK: Final = "Answer with one letter: A, B or C.\nAnswer:"


def item_of(record: Record) -> Item:
    """Make the prompt of a record; facts say whose answer each letter is, and what it says."""
    item = bbq.item_of(record)
    lettered = list(zip(LETTERS, item.texts.items(), strict=True))
    offered = [f"{letter.upper()}. {answer}" for letter, (_, answer) in lettered]
    prompt = "\n".join([record.context, record.question, *offered, _ASK])
    roles = {f"role_{letter}": role for letter, (role, _) in lettered}
    answers = {f"answer_{letter}": answer for letter, (_, answer) in lettered}
    return replace(
        item, texts={PROMPT: prompt}, context="", facts={**item.facts, **roles, **answers}
    )


def _load(finder: DataFinder) -> SuiteData:
    return bbq.load_items(finder, make=item_of)


SUITE = Suite(
    card=BBQ_PROMPTED,
    protocols=(),
    load=_load,
    estimate=choice_estimates,
    default=False,
    generation=GenerationDesign(
        decoding=Decoding(n=1, max_new_tokens=16, do_sample=False),
        scorers=("choices",),
        per_axis=400,
        quick_per_axis=100,
    ),
)
