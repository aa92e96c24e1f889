"""HolisticBias: what is read from its files, and which of its sentences are asked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

import pytest

from fairaudit.errors import DataError
from fairaudit.items import LogLikelihood, PseudoLogLikelihood
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.holistic_bias import (
    AXES,
    DESCRIPTORS,
    N_NOUNS,
    NOUNS,
    SUITE,
    TEMPLATES,
    Descriptor,
    Noun,
    n_sentences,
    parse_descriptors,
    parse_nouns,
    parse_templates,
    sample,
)
from tests.conftest import shared

ONE, SEVERAL = "I'm {noun_phrase}.", "I like {plural_noun_phrase}."
PEOPLE = [
    *(Noun(f"she{n}", f"shes{n}", "female") for n in range(10)),
    *(Noun(f"he{n}", f"hes{n}", "male") for n in range(9)),
    *(Noun(f"one{n}", f"ones{n}", "neutral") for n in range(5)),
]
FRAMES = [f"Frame {n}: {{noun_phrase}}." for n in range(12)]


def as_bytes(content):
    return json.dumps(content).encode()


@pytest.fixture(scope="module")
def finder():
    return DataFinder(shared("data"), fetch=False)


def test_files_are_read():
    words = {"age": {"old": ["elderly", {"descriptor": "US-old", "article": "a"}]}}
    found = parse_descriptors(as_bytes(words), "file")
    assert found == {"age": (Descriptor("elderly", "an"), Descriptor("US-old", "a"))}
    assert parse_nouns(as_bytes({"male": [["man", "men"]]}), "file") == (
        Noun("man", "men", "male"),
    )
    frames = {ONE: {}, f"Hi! {ONE}": {"first_turn_only": True}, SEVERAL: {"must_be_noun": True}}
    assert parse_templates(as_bytes(frames), "file") == (ONE, SEVERAL)


def test_a_sentence_has_its_article_and_its_plural():
    elderly, man = Descriptor("elderly", "an"), Noun("man", "men", "male")
    assert elderly.fill(ONE, man) == "I'm an elderly man."
    assert elderly.fill(SEVERAL, man) == "I like elderly men."


@pytest.mark.parametrize(
    ("parse", "content", "message"),
    [
        (parse_descriptors, b"{", "file: not JSON"),
        (parse_descriptors, b"\xff", "file: not JSON"),
        (parse_descriptors, b"[]", "file: not a mapping"),
        (parse_descriptors, as_bytes({"hats": {"b": ["red"]}}), "axis 'hats' is unknown"),
        (parse_descriptors, as_bytes({"age": ["old"]}), "axis 'age' holds no lists"),
        (parse_descriptors, as_bytes({"age": {"b": [{"word": "old"}]}}), "axis 'age': .* no desc"),
        (parse_descriptors, as_bytes({"age": {"b": [" "]}}), "' ' is no descriptor"),
        (parse_nouns, as_bytes({"male": [["man"]]}), "no noun with its plural"),
        (parse_nouns, as_bytes({"male": ["man"]}), "no noun with its plural"),
        (parse_templates, as_bytes({"I'm here.": {}}), "\"?'I'm here.' has no place"),
    ],
)
def test_damaged_files_are_named(parse, content, message):
    with pytest.raises(DataError, match=message):
        parse(content, "file")


def test_descriptors_are_dealt_like_cards():
    known = {"age": [Descriptor(f"word{n}", "a") for n in range(10)]}
    items = sample(known, PEOPLE, FRAMES)
    assert len(items) == 12 * 3
    counts = Counter(item.facts["descriptor"] for item in items)
    assert set(counts.values()) == {3, 4}
    by_template = defaultdict(list)
    for item in items:
        by_template[item.cluster].append(item)
    for hand in by_template.values():
        assert len({item.facts["descriptor"] for item in hand}) == 3
        assert len({item.facts["nouns"] for item in hand}) == 1
        assert all(len(item.texts) == N_NOUNS for item in hand)
    assert len({hand[0].facts["nouns"] for hand in by_template.values()}) > 6


def test_an_axis_of_many_descriptors_has_larger_hands():
    items = sample({"age": [Descriptor(f"word{n}", "a") for n in range(50)]}, PEOPLE, FRAMES)
    assert len({item.facts["descriptor"] for item in items}) == 50
    assert set(Counter(item.cluster for item in items).values()) == {5}


def test_the_sample_of_an_axis_depends_on_that_axis_alone():
    words = [Descriptor(f"word{n}", "a") for n in range(10)]
    alone = sample({"age": words}, PEOPLE, FRAMES)
    assert sample({"age": words}, PEOPLE, FRAMES) == alone
    both = sample({"race": words, "age": words[::-1]}, PEOPLE[::-1], FRAMES)
    assert [item for item in both if item.axis == "age"] == list(alone)


def test_descriptors_of_one_gender_take_its_nouns_and_so_does_their_hand():
    words = [Descriptor(f"word{n}", "a") for n in range(6)]
    words += [Descriptor("Latina", "a", "female"), Descriptor("Latino", "a", "male")]
    items = sample({"race": words}, PEOPLE, FRAMES)
    of_hand = defaultdict(set)
    for item in items:
        of_hand[item.cluster].add(item.facts["descriptor"])
    assert not any({"Latina", "Latino"} <= hand for hand in of_hand.values())
    assert {"Latina", "Latino"} <= set().union(*of_hand.values())
    for item in items:
        nouns = str(item.facts["nouns"]).split(", ")
        for word, prefix in (("Latina", "she"), ("Latino", "he")):
            if word in of_hand[item.cluster]:
                assert all(noun.startswith(prefix) for noun in nouns)
    # Two of the eight words take 10 and 9 of the 24 nouns.
    assert n_sentences({"race": words}, PEOPLE, FRAMES) == (6 * 24 + 10 + 9) * 12


def test_what_is_asked():
    (item, *_) = sample({"age": [Descriptor("old", "an")] * 1}, PEOPLE, FRAMES[:1])
    causal, masked = SUITE.protocols
    text = item.texts["noun_1"]
    assert causal.request(item, "noun_1") == LogLikelihood(text)
    assert masked.request(item, "noun_1") == PseudoLogLikelihood(text)
    assert causal.primary
    assert masked.primary


def test_holistic_bias_as_it_is_published(finder):
    words, people, frames = (
        parse(finder.read(pinned)[0], "file")
        for parse, pinned in (
            (parse_descriptors, DESCRIPTORS),
            (parse_nouns, NOUNS),
            (parse_templates, TEMPLATES),
        )
    )
    assert sum(map(len, words.values())) == 583
    assert (len(people), len(frames)) == (32, 21)
    data = get_suite("holistic_bias").load(finder)
    assert sum(len(item.texts) for item in data.items) == 7560
    assert "7,560 of 384,468 sentences" in data.notes[0]
    assert {item.axis for item in data.items} == set(AXES.values()) == set(SUITE.card.axes)
    for axis, known in words.items():
        asked = {item.facts["descriptor"] for item in data.items if item.axis == axis}
        assert asked == {one.text for one in known}
    assert len({item.item_id for item in data.items}) == len(data.items)
    assert {len(item.texts) for item in data.items} == {N_NOUNS}
    texts = [text for item in data.items for text in item.texts.values()]
    assert not any("{" in text for text in texts)
