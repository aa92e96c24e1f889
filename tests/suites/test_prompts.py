"""Prompts to be continued: our own, those of public benchmarks, a user's; and samples of them."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict

import pytest

from fairaudit.errors import DataError, SuiteFileError
from fairaudit.items import Item
from fairaudit.suites import SUITES, DataFinder, bold, get_suite, honest, regard
from fairaudit.suites.custom import load_suite
from fairaudit.suites.generation import detectable, size_note
from fairaudit.suites.prompts.loader import load_prompts
from tests.conftest import shared

GENERATION = [suite for suite in SUITES if suite.generation is not None]


def by_group(items):
    groups = defaultdict(list)
    for item in items:
        groups[item.axis, item.group].append(item)
    return groups


def test_our_prompts_are_many_enough_and_matched():
    groups = by_group(load_prompts())
    sizes = {key: len(items) for key, items in groups.items()}
    assert set(sizes) >= {("gender", "male"), ("gender", "female")}
    assert Counter(axis for axis, _ in sizes) == {"gender": 2, "race": 5, "religion": 6}
    assert min(sizes.values()) >= 40
    for axis in ("gender", "race", "religion"):
        designs = {
            tuple((item.cluster, item.item_id.rsplit("/", 1)[1]) for item in items)
            for (of_axis, _), items in groups.items()
            if of_axis == axis
        }
        assert len(designs) == 1
        assert len({cluster for cluster, _ in designs.pop()}) == 60


def test_matched_prompts_differ_in_the_mention_alone():
    openings = defaultdict(set)
    for item in load_prompts():
        prompt, mention = item.texts["prompt"], item.facts["mention"]
        assert prompt.count(mention) == 1
        openings[item.cluster].add(prompt.replace(mention, "{who}"))
    assert all(len(texts) == 1 for texts in openings.values())
    assert len(openings) == 180


def test_our_prompts_are_well_formed_and_leave_the_group_to_the_mention():
    items = load_prompts()
    assert len({item.item_id for item in items}) == len(items)
    assert len({item.texts["prompt"] for item in items}) == len(items)
    for item in items:
        prompt = item.texts["prompt"]
        assert prompt[0].isupper()
        assert prompt == prompt.strip()
        assert prompt[-1] not in ".!?"
        assert not set(prompt) & set("{}")
        opening = prompt.replace(item.facts["mention"], "")
        assert not re.search(r"\b(he|she|his|her|him|hers|man|woman)\b", opening, re.IGNORECASE)


def test_words_for_people_of_the_two_genders_are_pairs():
    words = {
        group: list(dict.fromkeys(item.facts["mention"].lower() for item in items))
        for (axis, group), items in by_group(load_prompts()).items()
        if axis == "gender"
    }
    assert len(words["male"]) == len(words["female"]) == 6
    assert not set(words["male"]) & set(words["female"])
    for first, second in zip(words["female"], words["male"], strict=True):
        assert first.split()[0] == second.split()[0]


def test_bold_has_its_published_counts():
    data = bold.SUITE.load(DataFinder(shared("data")))
    assert Counter(item.axis for item in data.items) == {
        "gender": 3204,
        "race": 7657,
        "profession": 10195,
        "religion": 639,
        "political_ideology": 1984,
    }
    assert len({item.item_id for item in data.items}) == 23_679
    assert len(data.sources) == 5
    groups = by_group(data.items)
    assert Counter(axis for axis, _ in groups) == {
        "gender": 2,
        "race": 4,
        "profession": 18,
        "religion": 7,
        "political_ideology": 12,
    }
    assert len(groups["gender", "male"]) == 2048
    assert all(item.facts["mention"] in item.texts["prompt"] for item in data.items)
    assert sum(item.texts["prompt"].startswith(item.facts["person"]) for item in data.items) > 5000
    assert not any(item.texts["prompt"].endswith(" ") for item in data.items)


@pytest.mark.parametrize(
    "content", [b"[1]", b"{", b'{"a": {"b": 1}}', b'{"a": {"b": [1]}}', b"\xff"]
)
def test_a_malformed_file_of_bold_is_an_error(content):
    with pytest.raises(DataError, match=r"here: not a file of BOLD's prompts"):
        bold.parse(content, "gender", "here")


def test_honest_has_its_published_counts():
    data = honest.SUITE.load(DataFinder(shared("data")))
    sizes = {key: len(items) for key, items in by_group(data.items).items()}
    assert sizes["gender", "male"] == sizes["gender", "female"] == 405
    assert sum(n for (axis, _), n in sizes.items() if axis == "queer_identity") == 705
    assert {group for axis, group in sizes if axis == "queer_identity"} == {"queer", "nonqueer"}
    assert len({item.item_id for item in data.items}) == 1515
    for item in data.items:
        assert "[M]" not in item.texts["prompt"]
        assert not item.texts["prompt"].endswith((" ", "."))
    first = data.items[0]
    assert (first.cluster, first.facts["type"]) == ("gender/[I] should work as a [M]", "occupation")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"template_masked\traw\n", "column 'identity' is missing"),
        (
            b"template_masked\traw\tidentity\tcategory\ttype\n[M]\ta\tb\tc\td\n",
            "row 2: column 'template_masked' lacks words",
        ),
        (b"\xff", "not a table"),
    ],
)
def test_a_malformed_file_of_honest_is_an_error(content, message):
    with pytest.raises(DataError, match=re.escape(message)):
        honest.parse(content, "gender", "here")


def test_regard_is_the_cross_product_that_its_authors_samples_show():
    items = regard.load_items()
    sample = shared("data", "nlg_bias", "generated_samples", "small_gpt2_generated_samples.tsv")
    lines = sample.read_text(encoding="utf-8").splitlines()
    prompts = {item.texts["prompt"] for item in items}
    assert len(prompts) == len(items) == 60
    found = Counter(
        max((p for p in prompts if line.startswith(p + " ")), key=len) for line in lines if line
    )
    assert found == dict.fromkeys(prompts, 100)


@pytest.mark.parametrize("suite", GENERATION, ids=lambda suite: suite.name)
def test_every_suite_of_prompts_says_how_it_is_scored(suite):
    assert suite.protocols == ()
    assert suite.generation.scorers
    assert set(suite.generation.required) <= set(suite.generation.scorers)
    assert set(suite.generation.lexicons) <= set(suite.generation.scorers)


CSV = """prompt,axis,group,cluster
The tall nurse,height,tall,nurse
The short nurse,height,short,nurse
"""
TOML = """
[[items]]
prompt = "The tall nurse"
axis = "height"
group = "tall"
cluster = "nurse"
[[items]]
prompt = "The short nurse"
axis = "height"
group = "short"
cluster = "nurse"
"""


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".csv", CSV),
        (
            ".jsonl",
            '{"prompt": "The tall nurse", "axis": "height", "group": "tall", "cluster": "nurse"}\n'
            '{"prompt": "The short nurse", "axis": "height", "group": "short", "cluster": "nurse"}',
        ),
        (".toml", TOML),
    ],
)
def test_own_prompts_are_read(tmp_path, suffix, text):
    path = tmp_path / f"mine{suffix}"
    path.write_text(text)
    suite = get_suite(str(path))
    items = suite.load(DataFinder()).items
    assert suite.generation is not None
    assert suite.card.axes == ("height",)
    assert [item.texts for item in items] == [
        {"prompt": "The tall nurse"},
        {"prompt": "The short nurse"},
    ]
    assert [item.group for item in items] == ["tall", "short"]
    assert {item.cluster for item in items} == {"nurse"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompt,axis\nHe,gender\n", "row 2: column 'group'"),
        ("prompt,axis,group\nHe,all,male\n", "row 2: column 'axis'"),
        ("prompt,axis,group\nHe,gender,male\n ,gender,male\n", "row 3: column 'prompt'"),
        ("prompt,axis,group,stereotype\nHe,gender,male,x\n", "row 2: column 'stereotype'"),
        ("prompt,axis,group,mention\nHe,gender,male,She\n", "row 2: column 'mention'"),
        ("prompt,axis,group\n", "holds no pairs and no prompts"),
    ],
)
def test_malformed_prompts_name_row_and_column(tmp_path, text, message):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(SuiteFileError, match=re.escape(message)):
        load_suite(path)


def items_of(sizes, *, matched):
    return [
        Item(f"{group}/{n}", "axis", group, f"c{n}" if matched else f"{group}/{n}", {"prompt": "x"})
        for group, size in sizes.items()
        for n in range(size)
    ]


def test_the_size_is_stated_with_what_it_can_show():
    """2.8016 · ½ · √(2/200) = 0.140 for two groups of 200."""
    items = items_of({"a": 200, "b": 200, "c": 300}, matched=False)
    assert detectable(items)["axis"] == pytest.approx(0.1401, abs=1e-4)
    assert size_note(bold.SUITE, items, 23_679) == (
        "BOLD: 700 of 23,679 prompts, sampled by axis and group, 1 completion each of up "
        "to 24 tokens; difference of shares between the two smallest groups that is detectable at "
        "80 % power: 14 points (axis)"
    )
    assert size_note(bold.SUITE, items[:200], 200).startswith("BOLD: all 200 prompts, 1 ")


def test_items_of_a_generation_suite_can_be_written_as_lines():
    for suite in (get_suite("toxicity"), get_suite("regard")):
        for item in suite.load(DataFinder()).items:
            json.dumps({"item_id": item.item_id, **item.texts, **item.facts})
