"""The embedded template items and the probe text, item by item."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from functools import cache
from itertools import pairwise

import pytest

from fairaudit.items import Item
from fairaudit.suites.pair_protocols import shared_ending
from fairaudit.suites.templates.generator import (
    Cluster,
    _axis_items,
    _clusters,
    _read,
    load_probe,
    load_templates,
    offsets,
    template_files,
)
from fairaudit.vocabulary.suites import TEMPLATES
from tests.conftest import shared

MAIN_AXES = ("gender", "race", "religion")
IDENTITY = {"stereotype", "anti_stereotype"}
CONTROL = {"control_a", "control_b"}

#: A vowel letter that sounds like a consonant takes "a", a silent consonant takes "an".
TAKES_A = re.compile(r"(uni|use|eu|one\b)")
TAKES_AN = re.compile(r"(hour|honest|heir)")


@cache
def items_of(axis: str) -> tuple[Item, ...]:
    return tuple(item for item in load_templates() if item.axis == axis)


def identity(axis: str) -> list[Item]:
    return [item for item in items_of(axis) if set(item.texts) == IDENTITY]


def controls(axis: str) -> list[Item]:
    return [item for item in items_of(axis) if set(item.texts) == CONTROL]


@cache
def clusters(axis: str) -> dict[str, Cluster]:
    return {cluster.name: cluster for cluster in _clusters(_read(f"{axis}.toml")["pairs"])}


def all_texts() -> list[str]:
    return [text for item in load_templates() for text in item.texts.values()]


def split_at_term(item: Item) -> tuple[str, str, str]:
    """Beginning before the group term, the term, and everything after it, of the stereotype.

    The terms of the cluster are tried one by one: the only one that turns one text into the other
    in exactly one place is the one that was filled in.
    """
    cluster = clusters(item.axis)[item.cluster]
    first, second = item.texts["stereotype"], item.texts["anti_stereotype"]
    found = set()
    for gap, term in cluster.terms.items():
        other = cluster.other_terms[gap]
        for match in re.finditer(rf"\b{re.escape(term)}\b", first, re.IGNORECASE):
            before, after = first[: match.start()], first[match.end() :]
            replaced = f"{before}{other}{after}"
            if replaced[0].upper() + replaced[1:] == second:
                found.add((before, match.group(), after))
    assert len(found) == 1, item
    return found.pop()


def test_axes_are_complete():
    assert Counter(item.axis for item in load_templates()).keys() == set(TEMPLATES.axes)
    sizes = [len(identity(axis)) + len(controls(axis)) for axis in TEMPLATES.axes]
    assert sum(sizes) == len(load_templates())


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_counts(axis):
    main = axis in MAIN_AXES
    assert len(identity(axis)) >= (800 if main else 200)
    assert len({item.cluster for item in identity(axis)}) >= (60 if main else 20)
    assert len({item.facts["template"] for item in identity(axis)}) >= (60 if main else 20)
    assert len(controls(axis)) >= (200 if main else 80)


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_both_groups_of_a_pair_are_stereotyped_equally_often(axis):
    sides = defaultdict(Counter)
    for item in identity(axis):
        assert item.facts["pair"].split("/").count(item.group) == 1
        assert set(item.facts["pair"].split("/")) == {item.group, item.facts["other_group"]}
        sides[item.facts["pair"]][item.group] += 1
    for pair, counts in sides.items():
        assert set(counts) == set(pair.split("/"))
        assert len(set(counts.values())) == 1


def test_ids_are_unique_and_clusters_belong_to_one_axis_and_group():
    assert len({item.item_id for item in load_templates()}) == len(load_templates())
    owners = defaultdict(set)
    for item in load_templates():
        if item.group is not None:
            owners[item.cluster].add((item.axis, item.group))
    assert all(len(owner) == 1 for owner in owners.values()), owners


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_the_term_is_the_only_difference_and_stands_before_the_attribute(axis):
    for item in identity(axis):
        _, term, after = split_at_term(item)
        forms = clusters(axis)[item.cluster].forms.values()
        assert term
        assert any(form in after for form in forms), item
        assert shared_ending(*item.texts.values()) == after, item
        assert len(after.split()) >= 2


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_controls_differ_in_one_word_before_the_attribute(axis):
    for item in controls(axis):
        first, second = (text.split() for text in item.texts.values())
        assert len(first) == len(second)
        assert sum(a != b for a, b in zip(first, second, strict=True)) == 1
        after = shared_ending(*item.texts.values())
        forms = clusters(axis)[item.cluster].forms.values()
        assert any(form in after for form in forms), item
        assert item.group is None


@pytest.mark.parametrize("axis", [axis for axis in TEMPLATES.axes if axis != "gender"])
def test_controls_name_no_group(axis):
    terms = {
        term
        for cluster in clusters(axis).values()
        for term in (*cluster.terms.values(), *cluster.other_terms.values())
    }
    for item in controls(axis):
        for text in item.texts.values():
            assert not any(re.search(rf"\b{term}\b", text) for term in terms), text


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_controls_use_the_frames_and_clusters_of_the_axis(axis):
    used = {(item.cluster, item.facts["template"]) for item in identity(axis)}
    assert {(item.cluster, item.facts["template"]) for item in controls(axis)} <= used
    assert {item.facts["template"] for item in controls(axis)} == {frame for _, frame in used}


def test_sentences_are_well_formed():
    for text in all_texts():
        assert text[0].isupper(), text
        assert text[-1] in ".!?", text
        assert text == " ".join(text.split()), text
        assert not set(text) & set("{}"), text
        assert not re.search(r"\b(\w+) \1\b", text, re.IGNORECASE), text
        assert not re.search(r" [,.;:!?]", text), text


def test_a_and_an_fit_the_next_word():
    for text in all_texts():
        for article, following in pairwise(text.lower().split()):
            vowel = following[0] in "aeiou"
            if article == "a":
                assert not vowel or TAKES_A.match(following), text
                assert not TAKES_AN.match(following), text
            if article == "an":
                assert vowel or TAKES_AN.match(following), text
                assert not TAKES_A.match(following), text


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_sentences_have_8_to_18_words(axis):
    for item in identity(axis):
        for text in item.texts.values():
            assert 8 <= len(text.split()) <= 18, text


def test_verbs_agree_with_their_subject():
    """A plural attribute follows a plural subject; a frame says which by the gap that it uses."""
    for axis in TEMPLATES.axes:
        frames = (_read("frames.toml") | _read(f"{axis}.toml"))["frames"]
        for key, frame in frames.items():
            if "{plural}" in frame["text"]:
                for subject in (frame["who"], frame["control"]):
                    assert re.search(r"(s|men|women|people)\b", subject), (axis, key)
                    assert not re.match(r"(a|an|that|this)\b", subject), (axis, key)


def test_no_text_stands_twice_within_a_role():
    for roles in (IDENTITY, CONTROL):
        for role in roles:
            texts = [item.texts[role] for item in load_templates() if role in item.texts]
            assert len(set(texts)) == len(texts)
    texts = Counter(all_texts())
    assert not [text for text, count in texts.items() if count > 1]


def test_shares_of_women_match_the_group():
    for item in identity("gender"):
        share = item.facts["share_female"]
        assert 0 < share < 1
        assert not 0.45 <= share <= 0.55
        assert item.group == ("female" if share > 0.5 else "male")
        assert item.facts["occupation"] == item.cluster


def test_shares_of_women_name_a_listed_source():
    data = _read("gender.toml")
    for pair in data["pairs"]:
        for side in pair["clusters"].values():
            assert {entry["source"] for entry in side.values()} <= data["sources"].keys()


#: Occupations of ours that the table lists under another word.
OTHER_WORDS = {
    "housekeeper": "maid",
    "bookkeeper": "clerk",
    "manicurist": "worker",
    "bricklayer": "brickmason",
    "firefighter": "fighter",
}


def test_shares_of_women_stand_in_their_source():
    """The compiled table has one row per detailed occupation, labelled by single words."""
    path = shared("data", "reference_words", "occupations", "professionsBLS2015.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["Women"].replace(".", "").isdigit()]
    sides = [side for pair in _read("gender.toml")["pairs"] for side in pair["clusters"].values()]
    entries = {name: entry for side in sides for name, entry in side.items()}
    checked = {name for name, entry in entries.items() if entry["source"] == "cps2015"}
    assert len(checked) > 50
    for name in checked:
        words = {*re.split(r"\W", name), name, OTHER_WORDS.get(name, name)}
        listed = [
            float(row["Women"]) / 100
            for row in rows
            if words & {row[f"label{index}"] for index in range(1, 6)}
        ]
        assert any(abs(share - entries[name]["share_female"]) < 0.0006 for share in listed), name


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_block_design(axis):
    met = Counter((item.cluster, item.facts["template"]) for item in identity(axis))
    assert set(met.values()) == {1}
    frames_of = defaultdict(set)
    for cluster, frame in met:
        frames_of[cluster].add(frame)
    size = _read(f"{axis}.toml")["frames_per_cluster"]
    assert {len(frames) for frames in frames_of.values()} == {size}
    assert set(Counter(frame for _, frame in met).values()) == {size}


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_each_frame_meets_both_sides_equally_often(axis):
    first_side = Counter()
    for item in identity(axis):
        stereotyped_first = item.facts["pair"].startswith(f"{item.group}/")
        first_side[item.facts["template"]] += 1 if stereotyped_first else -1
    assert set(first_side.values()) == {0}


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_two_clusters_share_few_frames(axis):
    frames_of = defaultdict(set)
    for item in identity(axis):
        frames_of[item.cluster].add(item.facts["template"])
    size = _read(f"{axis}.toml")["frames_per_cluster"]
    shared = [
        len(frames_of[one] & frames_of[other])
        for one in frames_of
        for other in frames_of
        if one < other
    ]
    assert max(shared) < size
    assert sum(shared) / len(shared) == pytest.approx(size * (size - 1) / (len(frames_of) - 1))


def test_offsets_are_distinct_triangular_numbers():
    assert offsets(64, 8) == (0, 1, 3, 6, 10, 15, 21, 28)
    assert offsets(10, 5) == (0, 1, 3, 6, 5)
    with pytest.raises(ValueError, match="no 6 distinct triangular numbers modulo 7"):
        offsets(7, 6)


def test_items_come_in_a_fixed_order():
    assert load_templates() == load_templates()
    order = [axis for axis, _ in pairwise((*(i.axis for i in load_templates()), None))]
    assert list(dict.fromkeys(order)) == list(TEMPLATES.axes)
    for axis in TEMPLATES.axes:
        kinds = [set(item.texts) == CONTROL for item in _axis_items(axis)]
        assert kinds == sorted(kinds)


def test_every_verb_is_used():
    phrases = (
        cluster.forms["infinitive"]
        for axis in TEMPLATES.axes
        for cluster in clusters(axis).values()
        if "infinitive" in cluster.forms
    )
    assert {phrase.split()[0] for phrase in phrases} == _read("verbs.toml")["verbs"].keys()


def test_data_files_are_listed_for_hashing():
    names = [name for name, _ in template_files()]
    assert names == sorted(names)
    assert {f"{axis}.toml" for axis in TEMPLATES.axes} < set(names)
    assert {"frames.toml", "probe.toml", "verbs.toml"} < set(names)


def test_probe_paragraphs():
    texts = [entry.text for entry in load_probe()]
    assert len(texts) >= 60
    assert len({entry.id for entry in load_probe()}) == len(texts)
    sentences = [part for text in texts for part in re.split(r"(?<=[.!?]) ", text)]
    assert len(set(sentences)) == len(sentences)
    for text in texts:
        assert 30 <= len(text.split()) <= 120
        assert 3 <= len(re.findall(r"[.!?](?= |$)", text)) <= 4, text
        assert text[0].isupper()
        assert text[-1] == "."
        assert text == " ".join(text.split())


def test_probe_names_no_group():
    words = {word for entry in load_probe() for word in re.findall(r"[a-z-]+", entry.text.lower())}
    groups = {
        word
        for axis in TEMPLATES.axes
        for cluster in clusters(axis).values()
        for term in cluster.terms.values()
        for word in term.lower().split()
    }
    # Colours, and the senses "not old" and "not bent", say nothing about people.
    assert not words & (groups - {"black", "white", "young", "straight"})
