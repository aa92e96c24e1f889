"""Probe texts of all sources, and one clear line for each that makes no sense."""

from __future__ import annotations

import pandas as pd
import pytest

from fairaudit.diagnostics.groups_by_words import NONE_NAMED, WordListClassifier
from fairaudit.diagnostics.probes import AXES, built_in
from fairaudit.diagnostics.records import ProbeRecord, probe_texts
from fairaudit.diagnostics.sources import from_texts
from fairaudit.errors import DataError, UsageError


def record(number, group="a", template=None, text="Some text."):
    return ProbeRecord(str(number), text, "axis", group, template or f"t{number}")


def many(group, count, start=0):
    return [record(start + number, group) for number in range(count)]


def build(records):
    return probe_texts(records, source="mine", public=False)


def test_built_in_texts_come_in_threes_of_one_template():
    texts = built_in()
    assert [group.n for group in texts.groups] == [24] * 9
    by_template = {}
    for entry in texts.records:
        by_template.setdefault((entry.axis, entry.template), []).append(entry)
    assert len(by_template) == 72
    for entries in by_template.values():
        assert sorted(entry.group for entry in entries) == [
            "anti_stereotype", "neutral", "stereotype",
        ]  # fmt: skip
        assert len({entry.text for entry in entries}) == 3
    assert len({entry.text for entry in texts.records}) == len(texts.records)
    assert texts.public
    assert built_in(["race"]).hash != texts.hash


def test_both_sides_act_equally_often_in_both_groups_of_gender():
    # Twelve stereotyped texts are about men and twelve about women; so are the opposed ones.
    classifier = WordListClassifier("gender")
    for wanted in ("stereotype", "anti_stereotype"):
        found = [
            classifier.group_of(entry.text)
            for entry in built_in(["gender"]).records
            if entry.group == wanted
        ]
        assert abs(found.count("male") - found.count("female")) <= 2
        assert NONE_NAMED not in found


def test_neutral_texts_name_no_group():
    for axis in AXES:
        classifier = WordListClassifier(axis)
        named = [
            entry.text
            for entry in built_in([axis]).records
            if entry.group == "neutral" and classifier.group_of(entry.text) != NONE_NAMED
        ]
        # "a guest at the church" names a faith, whoever the guest is.
        assert len(named) <= 6, named


def test_small_groups_are_left_out_and_said_so():
    texts = build([*many("a", 6), *many("b", 5, 10), *many("c", 4, 20)])
    reasons = {group.group: group.reason for group in texts.groups}
    assert reasons == {"a": None, "b": None, "c": "fewer than 5 templates"}
    assert {entry.group for entry in texts.records} == {"a", "b"}


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "there are no texts"),
        (many("a", 8), "all records are in one group, 'a' of axis"),
        ([*many("a", 8), *many("b", 3, 10)], "fewer than two groups of axis have 5 templates"),
        ([record(1), record(1)], "two records are called '1'"),
        ([record(1, text="  ")], "the text of record 1 is empty"),
    ],
)
def test_bad_records_are_named(records, message):
    with pytest.raises(DataError, match=message):
        build(records)


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_column_gives_the_groups(tmp_path, suffix):
    table = pd.DataFrame(
        {
            "text": [f"Text {number} says None." for number in range(12)],
            "dialect": ["a", "b"] * 6,
            "story": [number // 2 for number in range(12)],
        }
    )
    path = tmp_path / f"texts.{suffix}"
    writer = {"csv": table.to_csv, "tsv": lambda p, index: table.to_csv(p, sep="\t", index=index)}
    if suffix in writer:
        writer[suffix](path, index=False)
    elif suffix == "jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_parquet(path)
    texts = from_texts(path, group_column="dialect", template_column="story")
    assert [(g.axis, g.group, g.n, g.n_templates) for g in texts.groups] == [
        ("dialect", "a", 6, 6), ("dialect", "b", 6, 6),
    ]  # fmt: skip
    assert not texts.public
    assert texts.source == f"texts.{suffix}"


def test_words_give_the_groups_where_there_is_no_column():
    texts = from_texts(
        [f"He saw the river {n} times." for n in range(5)]
        + [f"She saw the river {n} times." for n in range(6)]
        + ["The river was cold.", "She and her brother saw it."]
    )
    sizes = {group.group: group.n for group in texts.groups}
    assert sizes == {"male": 5, "female": 6, NONE_NAMED: 1}
    assert any("1 texts name several groups" in note for note in texts.notes)


@pytest.mark.parametrize(
    ("table", "options", "error", "message"),
    [
        ({"text": ["a"]}, {"group_column": "side"}, DataError, "no column 'side'; there are text"),
        ({"text": ["a", ""], "g": [1, 2]}, {"group_column": "g"}, DataError, "row 2: the text is"),
        ({"text": ["a", "b"], "g": ["x", " "]}, {"group_column": "g"}, DataError, "row 2: no val"),
        ({"words": ["a"]}, {}, DataError, "no column 'text'"),
        ({"text": ["He."]}, {"axis": "age"}, UsageError, "axis 'age' has no word list"),
    ],
)
def test_bad_tables_are_one_line(table, options, error, message):
    with pytest.raises(error, match=message):
        from_texts(pd.DataFrame(table), **options)


def test_files_that_cannot_be_read_are_one_line(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        from_texts(tmp_path / "none.csv", group_column="g")
    (tmp_path / "texts.doc").write_text("x")
    with pytest.raises(UsageError, match=r"texts are read from \.txt, \.csv"):
        from_texts(tmp_path / "texts.doc")
    (tmp_path / "broken.jsonl").write_text("{not json")
    with pytest.raises(DataError, match="not readable"):
        from_texts(tmp_path / "broken.jsonl", group_column="g")
    with pytest.raises(UsageError, match="no probe texts for axis 'age'"):
        built_in(["age"])
