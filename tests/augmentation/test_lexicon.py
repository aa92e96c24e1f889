"""Every class is a permutation of its words, and the lists are what they say."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import groupby
from statistics import median

import pytest

from fairaudit.augmentation import AXES
from fairaudit.augmentation.lexicon import (
    all_readings,
    groups,
    pluralise,
    protected_phrases,
    readings,
)
from fairaudit.augmentation.rules import RULES
from tests.conftest import shared

CLASSES = [
    (axis, sense, list(entries))
    for axis in AXES
    for sense, entries in groupby(all_readings(axis), key=lambda entry: entry.sense)
]


@pytest.mark.parametrize(("axis", "sense", "entries"), CLASSES, ids=lambda part: str(part)[:30])
def test_a_class_is_a_permutation_of_its_words(axis, sense, entries):
    rows = {entry.row for entry in entries}
    words = Counter(word.lower() for row in rows for word in row)
    assert not [word for word, n in words.items() if n > 1], sense
    for entry in entries:
        assert len(entry.row) == len(groups(axis))
        for shift in range(len(entry.row)):
            moved = (entry.group + shift) % len(entry.row)
            back = entry.row[(moved - shift) % len(entry.row)]
            assert entry.shifted(shift) == entry.row[moved]
            assert back == entry.spelling


def test_every_rule_that_the_lexicons_name_exists_and_is_used():
    assert {entry.rule for axis in AXES for entry in all_readings(axis)} == set(RULES)


def test_gender_has_several_hundred_pairs_besides_names():
    rows = {entry.row for entry in all_readings("gender") if "name" not in entry.rule}
    assert len(rows) > 500
    names = {entry.row for entry in all_readings("gender") if "name" in entry.rule}
    assert len(names) > 350


def test_race_and_religion_have_at_least_three_groups():
    assert groups("race") == ("black", "white", "asian", "hispanic")
    assert groups("religion") == ("christian", "muslim", "jewish", "hindu", "buddhist")


def test_a_word_is_read_by_context_only_where_its_classes_have_rules():
    """Two readings of the same words in an axis: the first of them must be able to say no."""
    for axis in AXES:
        for entries in readings((axis,)).values():
            by_phrase = defaultdict(list)
            for entry in entries:
                by_phrase[entry.phrase].append(entry)
            for same in by_phrase.values():
                assert all(entry.rule != "always" for entry in same[:-1]), same


def test_no_two_files_claim_a_word_but_for_known_ones():
    words = {axis: {entry.phrase.words for entry in all_readings(axis)} for axis in AXES}
    assert words["gender"] & words["race"] == {("latino",), ("latina",), ("latinos",), ("latinas",)}
    assert not words["race"] & words["religion"]
    assert words["gender"] & words["religion"] <= {("abraham",)}


@pytest.mark.parametrize(
    ("noun", "plural"),
    [("woman", "women"), ("lady", "ladies"), ("boy", "boys"), ("actress", "actresses"),
     ("church", "churches"), ("mosque", "mosques")],
)  # fmt: skip
def test_plurals(noun, plural):
    assert pluralise(noun) == plural


def test_protected_phrases_are_many_and_unique():
    phrases = [phrase for entries in protected_phrases().values() for phrase, _ in entries]
    assert len(phrases) > 400
    names = {phrase for entries in protected_phrases().values() for phrase, cap in entries if cap}
    assert len(names) > 250


def census(sex: str) -> dict[str, float]:
    path = shared("data", "reference_words", "names", f"dist.{sex}.first.txt")
    fields = (line.split() for line in path.read_text().splitlines())
    return {name.title(): float(percent) for name, percent, *_ in fields}


def test_names_are_matched_by_census_frequency():
    male, female = census("male"), census("female")
    rows = {
        e.row for e in all_readings("gender") if e.sense in {"census_names", "names_that_are_words"}
    }
    ratios = [male[man] / female[woman] for man, woman in rows]
    worst = [max(ratio, 1 / ratio) for ratio in ratios]
    assert median(worst) < 1.6
    assert max(worst) < 3.2
    for man, woman in rows:
        assert male[man] >= 25 * female.get(man, 0.0)
        assert female[woman] >= 25 * male.get(woman, 0.0)


def test_the_lexicon_covers_most_words_of_a_published_list():
    """Coverage of the 124 pairs of Hall Maudslay et al. 2019; the list is no source of ours."""
    import json

    path = shared("data", "cda_word_pairs", "cds", "cda_default_pairs.json")
    pairs = {frozenset(map(str.lower, pair)) for pair in json.loads(path.read_text())}
    ours = {word for entry in all_readings("gender") for word in (entry.spelling.lower(),)}
    theirs = {word for pair in pairs for word in pair}
    assert len(theirs & ours) / len(theirs) > 0.6
