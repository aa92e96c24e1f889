"""The rule for "her" and "his", measured on sentences labelled by hand.

``pronoun_sentences.tsv`` was written first; the rules were tuned on its even pairs of lines. On the
odd pairs the untouched rules then got 151 of 163 (92.6 %). Those errors were studied, so they are
no held-out set any more. ``pronoun_sentences_held_out.tsv`` was written after that and before any
further change: 153 of 160 (95.6 %) when first run, 152 after later changes that real text asked
for. No rule was changed for its errors; what the rules score on it is the number to quote.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fairaudit.augmentation.pronouns import is_determiner
from fairaudit.augmentation.tokens import Tokens

FOLDER = Path(__file__).parent


def labelled(name: str) -> list[tuple[str, str, int]]:
    """Label, sentence and place of the pronoun in it, for every pronoun in brackets."""
    cases = []
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        label, marked = line.split("\t")
        parts = re.split(r"\[([^\]]*)\]", marked)
        sentence, start = "".join(parts), 0
        for k, part in enumerate(parts):
            if k % 2:
                cases.append((label, sentence, start))
            start += len(part)
    return cases


def share_right(cases: list[tuple[str, str, int]]) -> float:
    right = 0
    for label, sentence, start in cases:
        tokens = Tokens.of(sentence)
        place = next(i for i, span in enumerate(tokens.spans) if span[0] == start)
        right += is_determiner(tokens, place) == (label == "determiner")
    return right / len(cases)


def test_there_are_more_than_450_labelled_pronouns_of_every_kind():
    cases = labelled("pronoun_sentences.tsv") + labelled("pronoun_sentences_held_out.tsv")
    assert len(cases) > 450
    labels = [label for label, *_ in cases]
    assert min(labels.count(kind) for kind in ("determiner", "object", "pronoun")) >= 30


@pytest.mark.parametrize("half", [0, 1])
def test_sentences_the_rules_were_tuned_on(half):
    cases = labelled("pronoun_sentences.tsv")
    assert share_right([case for n, case in enumerate(cases) if n // 2 % 2 == half]) >= 0.97


def test_sentences_held_out():
    assert share_right(labelled("pronoun_sentences_held_out.tsv")) >= 0.95


@pytest.mark.parametrize(
    ("text", "determiner"),
    [
        ("her", False),
        ("her.", False),
        ("her own", True),
        ("her/his book", True),
        ("his or her book", True),
        ('Call her "Red".', False),
        ('She ate her "last" apple.', True),
        ("She lost her\nkeys.", True),
        ("She saw her.\n\nKeys", False),
        ("his", False),
        ("HER CAR", True),
    ],
)
def test_what_follows_decides(text, determiner):
    tokens = Tokens.of(text)
    place = next(i for i, word in enumerate(tokens.lower) if word in {"her", "his"})
    assert is_determiner(tokens, place) is determiner
