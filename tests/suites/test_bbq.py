"""BBQ's records: roles by name, and files that are not what they should be."""

from __future__ import annotations

import gzip
import json

import pytest

from fairaudit.errors import DataError
from fairaudit.suites import DataFinder, DataUnavailableError, bbq, get_suite
from fairaudit.suites.bbq_records import CATEGORIES, read_records
from tests.conftest import shared


def record(number=0, category="Age", **changes):
    made = {
        "example_id": number,
        "question_index": "7",
        "question_polarity": "neg",
        "context_condition": "ambig",
        "category": category,
        "answer_info": {
            "ans0": ["baker", "nonOld"], "ans1": ["Unknown", "unknown"], "ans2": ["potter", "old"]
        },
        "additional_metadata": {"stereotyped_groups": ["old"], "version": "a"},
        "context": "A baker and a potter met.",
        "question": "Who was late?",
        "ans0": "The baker", "ans1": "Unknown", "ans2": "The potter",
        "label": 1,
    }  # fmt: skip
    return made | changes


def content(*records):
    return "".join(json.dumps(one) + "\n" for one in records).encode()


def roles(category, groups, *infos):
    """Roles of answers with these texts and groups, the last of them unknown."""
    texts = [*infos, ("Unknown", "unknown")]
    made = record(
        category=category,
        answer_info={f"ans{n}": list(info) for n, info in enumerate(texts)},
        additional_metadata={"stereotyped_groups": list(groups)},
        label=2,
        **{f"ans{n}": f"The {text}" for n, (text, _) in enumerate(texts)},
    )
    ((_, found, _),) = read_records(content(made), "file")
    return found.roles


def test_roles_are_taken_from_the_record_and_not_from_the_place():
    ((_, found, row),) = read_records(content(record()), "file")
    assert found.roles == ("other", "unknown", "target")
    assert row["additional_metadata"]["version"] == "a"
    item = bbq.item_of(found)
    assert item.texts == {"other": "The baker", "unknown": "Unknown", "target": "The potter"}
    assert item.facts == {"condition": "ambig", "polarity": "neg", "correct": "unknown"}
    assert (item.item_id, item.cluster, item.axis) == ("Age/0", "Age/7", "age")
    assert item.context.startswith("A baker and a potter met.")


@pytest.mark.parametrize(
    ("category", "groups", "first", "second", "expected"),
    [
        ("Age", ["old"], ("x", "nonOld"), ("y", "old"), "other target"),
        ("Gender_identity", ["F"], ("man", "man"), ("woman", "woman"), "other target"),
        ("Gender_identity", ["M"], ("boy", "boy"), ("girl", "girl"), "target other"),
        ("Gender_identity", ["F"], ("Ann", "F"), ("Bob", "M"), "target other"),
        (
            "Gender_identity",
            ["Transgender women", "transgender men", "trans"],
            ("Ann", "trans_F"),
            ("Bob", "nonTrans_M"),
            "target other",
        ),
        ("SES", ["low SES"], ("judge", "highSES"), ("cashier", "lowSES"), "other target"),
        ("Race_ethnicity", ["Black", "African American"], ("A", "M-White"), ("B", "M-Black"),
         "other target"),
        ("Race_ethnicity", ["Black", "African American"], ("African", "African"),
         ("African American", "African American"), "other target"),
        ("Nationality", ["Malian", "Kenyan"], ("Kenyan", "Africa"), ("Thai", "AsiaPacific"),
         "target other"),
        # Both persons, or neither, are of a group that the record names.
        ("Race_x_gender", ["Black"], ("A", "F-Black"), ("B", "M-Black"), "answer_1 answer_2"),
        ("Religion", ["Hindu"], ("A", "Sikh"), ("B", "Muslim"), "answer_1 answer_2"),
    ],
)  # fmt: skip
def test_the_target_is_found_by_name_or_lost(category, groups, first, second, expected):
    assert roles(category, groups, first, second) == (*expected.split(), "unknown")


def test_a_lost_target_is_counted_and_named():
    lost = record(1, additional_metadata={"stereotyped_groups": ["tall"]})
    items = [bbq.item_of(one) for _, one, _ in read_records(content(record(), lost), "file")]
    (note,) = bbq.notes(items, ())
    assert "1 of 2 records do not say which answer" in note


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 0}, "label 0 does not fit the condition"),
        ({"label": 3}, "'label'"),
        ({"label": "1"}, "'label'"),
        ({"category": "Shoes"}, "'Shoes' is not a category"),
        ({"context_condition": "vague"}, "'context_condition'"),
        ({"ans0": ""}, "'ans0'"),
        ({"ans0": "The potter"}, "two answers are the same"),
        ({"answer_info": {"ans0": ["a", "b"]}}, "a text and a group for each answer"),
        ({"answer_info": {f"ans{n}": ["a", "unknown"] for n in range(3)}}, "3 answers have"),
        ({"additional_metadata": {}}, "'additional_metadata.stereotyped_groups'"),
    ],
)
def test_a_damaged_record_is_named(changes, message):
    with pytest.raises(DataError, match=r"file: row 2: .*") as error:
        list(read_records(content(record(), record(1, **changes)), "file"))
    assert message in str(error.value)


def test_a_file_that_ends_in_the_middle_of_a_record_is_named():
    whole = content(record(), record(1))
    with pytest.raises(DataError, match=r"row 2: not JSON .the file ends in the middle"):
        list(read_records(whole[:-40], "file"))


def test_a_record_that_occurs_twice_is_named():
    with pytest.raises(DataError, match="row 3: example 0 of Age is in row 1 too"):
        list(read_records(content(record(), record(1), record()), "file"))


def test_the_data_at_hand_have_as_many_records_as_is_known():
    data = bbq.load_items(DataFinder(shared("data"), fetch=False))
    by_axis = dict(CATEGORIES.values())
    found = {}
    for item in data.items:
        found[item.axis] = found.get(item.axis, 0) + 1
    assert found == {axis: by_axis[axis] for axis in found}
    assert all(bbq.is_placed(item) for item in data.items)
    at_hand = {source.path.partition("/")[2].partition(".")[0] for source in data.sources}
    missing = [category for category in CATEGORIES if category not in at_hand]
    (note,) = data.notes
    assert note == f"bbq: not at hand and not asked: {', '.join(missing)}"


def test_a_category_that_was_cut_off_is_no_version_of_the_data(tmp_path):
    whole = gzip.decompress(shared("data", "bbq", "data", "Religion.jsonl.gz").read_bytes())
    folder = tmp_path / "bbq" / "data"
    folder.mkdir(parents=True)
    (folder / "Religion.jsonl").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"Religion.jsonl has content id"):
        bbq.load_items(DataFinder(tmp_path, tmp_path / "cache", fetch=False))


def test_without_any_file_the_suite_says_so(tmp_path):
    with pytest.raises(DataUnavailableError, match="no file of nyu-mll/BBQ is at hand"):
        get_suite("bbq").load(DataFinder(tmp_path, tmp_path / "cache", fetch=False))
