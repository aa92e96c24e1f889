"""A class of words is swapped as often for one group as for another, on text held out.

The rules were made looking at BOLD, wikitext and tweets; here are WikiSplit, RedditBias and every
third novel. Set aside are occurrences in a protected phrase and those beside a word with a capital
inside a sentence, which may be names, for all groups alike; and "Felix Holt", in which a person is
called Christian. "Islamic" counts with "Muslim" as one adjective.

"black" and "white" are colours too, and text says "white" of things more often. They are compared
in the same sentences, each with the other word put in its place.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from fairaudit.augmentation.analysis import analyse
from fairaudit.augmentation.lexicon import protected_phrases
from fairaudit.augmentation.tokens import Tokens
from tests.augmentation.corpora import novel_paragraphs, reddit_comments, wiki_split_sentences

#: Most that the rates of two groups may differ by.
MOST_APART = 0.05
#: A group seen less often shows nothing.
FEWEST = 10
CLASSES = [
    ("religion", "christian muslim/islamic jewish hindu buddhist"),
    ("religion", "christians muslims jews hindus buddhists"),
    ("religion", "christianity islam judaism hinduism buddhism"),
    ("race", "african european asian"),
    ("race", "africa europe asia"),
    ("race", "blacks whites asians hispanics"),
    ("gender", "he she"),
    ("gender", "himself herself"),
    ("gender", "man woman"),
    ("gender", "men women"),
    ("gender", "boy girl"),
    ("gender", "brother sister"),
]


@cache
def held_out() -> list[str]:
    novels = novel_paragraphs(every=3, without="Eliot_Felix")
    return wiki_split_sentences() + reddit_comments() + novels


def set_aside(tokens: Tokens, i: int) -> bool:
    """Whether an occurrence is protected or may be part of a name."""
    for first in range(max(0, i - 3), i + 1):
        for phrase, _ in protected_phrases().get(tokens.lower[first], ()):
            end = first + len(phrase.words)
            if end > i and tuple(tokens.lower[first:end]) == phrase.words:
                return True
    before = tokens.touches(i) and tokens.title(i - 1) and not tokens.opens_sentence(i - 1)
    return before or (tokens.touches(i + 1) and tokens.title(i + 1))


def swapped_words(tokens: Tokens, axis: str) -> set[int]:
    hits = analyse(tokens.text, (axis,)).hits
    return {
        i
        for i, (start, _) in enumerate(tokens.spans)
        if any(hit.start <= start < hit.end for hit in hits)
    }


def rates(axis: str, groups: list[list[str]], texts: list[str]) -> list[tuple[int, float]]:
    """Occurrences of each group's words, and the share of them that is swapped."""
    seen: Counter[str] = Counter()
    swapped: Counter[str] = Counter()
    words = [word for group in groups for word in group]
    pattern = re.compile(rf"\b({'|'.join(words)})\b", re.IGNORECASE)
    for text in filter(pattern.search, texts):
        tokens = Tokens.of(text)
        places = swapped_words(tokens, axis)
        for i, word in enumerate(tokens.lower):
            if word in words and not set_aside(tokens, i):
                seen[word] += 1
                swapped[word] += i in places
    counts = [sum(seen[word] for word in group) for group in groups]
    hits = [sum(swapped[word] for word in group) for group in groups]
    return [(n, hit / n if n else 0.0) for n, hit in zip(counts, hits, strict=True)]


@pytest.mark.parametrize(("axis", "words"), CLASSES, ids=lambda part: part.replace(" ", "-"))
def test_groups_are_swapped_at_the_same_rate(axis, words):
    groups = [group.split("/") for group in words.split()]
    texts = held_out() if axis != "gender" else held_out()[::5]
    found = rates(axis, groups, texts)
    assert min(n for n, _ in found) >= FEWEST
    shares = [share for _, share in found]
    assert max(shares) - min(shares) <= MOST_APART, found
    assert min(shares) >= 0.9, found


def test_black_and_white_are_read_alike_in_the_same_sentences():
    other = {"black": "white", "white": "black"}
    total = differs = 0
    for text in held_out():
        tokens = Tokens.of(text)
        places = [i for i, word in enumerate(tokens.words) if word in other]
        if not places:
            continue
        exchanged = re.sub(r"\b(black|white)\b", lambda found: other[found[0]], text)
        first = swapped_words(tokens, "race")
        second = swapped_words(Tokens.of(exchanged), "race")
        kept = [i for i in places if not set_aside(tokens, i)]
        kept = [i for i in kept if not set_aside(Tokens.of(exchanged), i)]
        total += len(kept)
        differs += sum((i in first) != (i in second) for i in kept)
    assert total > 1000
    assert differs / total <= 0.01
