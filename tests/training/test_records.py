"""Records from every kind of file, units and their cap, and what is refused."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest
from datasets import Dataset

from fairaudit.errors import DataError
from fairaudit.training.records import read_records

TEXTS = ["She was tired.", "NA", "None", 'He said: "so,\tno".']
ROWS = [{"who": f"u{place % 2}", "text": text} for place, text in enumerate(TEXTS)]


def write(path, rows):
    """Write rows as the kind of file that the name says."""
    opener = gzip.open if path.suffix == ".gz" else open
    kind = path.name.removesuffix(".gz").rsplit(".", 1)[1]
    if kind == "parquet":
        pd.DataFrame(rows).to_parquet(path)
        return path
    with opener(path, "wt", encoding="utf-8", newline="") as stream:
        if kind == "txt":
            stream.write("\n".join(row["text"] for row in rows) + "\n\n   \n")
        elif kind == "jsonl":
            stream.write("\n".join(json.dumps(row) for row in rows))
        else:
            pd.DataFrame(rows).to_csv(stream, index=False, sep="\t" if kind == "tsv" else ",")
    return path


@pytest.mark.parametrize(
    "name",
    ["a.txt", "a.txt.gz", "a.jsonl", "a.jsonl.gz", "a.csv", "a.csv.gz", "a.tsv", "a.parquet"],
)
def test_every_kind_of_file_gives_the_same_records(tmp_path, name):
    records = read_records(write(tmp_path / name, ROWS))
    assert records.rows == tuple((text,) for text in TEXTS)
    assert records.data_hash == read_records(TEXTS).data_hash
    assert (records.unit, records.n_overflow) == ("record", 0)
    assert records.n_empty == (2 if ".txt" in name else 0)


def test_a_data_set_gives_the_same_records():
    from datasets import Dataset

    data = Dataset.from_list(ROWS)
    assert read_records(data).rows == tuple((text,) for text in TEXTS)
    assert read_records(data, text_column="who").rows == (("u0",), ("u1",), ("u0",), ("u1",))


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.parquet"])
def test_rows_of_a_unit_are_one_record_within_the_cap(tmp_path, name):
    path = write(tmp_path / name, [*ROWS, {"who": "u0", "text": "More."}])
    records = read_records(path, unit_column="who", max_rows_per_unit=2)
    assert records.rows == ((TEXTS[0], TEXTS[2]), (TEXTS[1], TEXTS[3]))
    assert (records.unit, records.n_overflow) == ("user", 1)


def test_empty_rows_are_no_records():
    records = read_records(["", "  \t", "One."])
    assert (records.rows, records.n_empty) == ((("One.",),), 2)


def test_the_hash_tells_grouping_order_and_text():
    hashes = {
        read_records(texts).data_hash for texts in (["a", "b"], ["b", "a"], ["ab"], ["a", "b "])
    }
    assert len(hashes) == 3


def test_the_only_other_column_is_the_text(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1, "sentence": "One."}\n')
    assert read_records(path, unit_column="id").rows == (("One.",),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "no training text"),
        ("a.txt", b"\n \n", "all 2 rows are empty"),
        ("a.txt", b"\xff\xfe\x00", "not UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{', "line 2: not JSON"),
        ("a.jsonl", b"[1]", "line 1: not a JSON object"),
        ("a.jsonl", b'{"text": "a"}\n{"text": "he \\ud800 is"}', "row 2: '.ud800' is half a char"),
        pytest.param("a.jsonl", b"[" * 100_000, "line 1: not JSON", id="nested"),
        ("a.jsonl", b'{"text": 3}', "row 1: the text is int"),
        ("a.jsonl", b'{"text": "a"}\n{"txt": "b"}', "row 2: column 'text'"),
        ("a.jsonl", b'{"a": "a", "b": "b"}', "which column holds the text"),
        ("a.csv", b"text\na,b\n", "line 2: more cells than columns"),
        ("a.csv", b'text\n"a', "line 1: unexpected end of data"),
        ("a.parquet", b"no", "not a readable Parquet"),
        ("a.txt.gz", b"no", "cannot be read"),
        ("a.docx", b"no", "unknown kind of file '.docx'"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("/nowhere.txt", {}, "no such file"),
        (["a"], {"unit_column": "who"}, "has no unit column"),
        (["a", 3], {}, "text 1 of the list is int"),
        (["a", "b \udc00"], {}, "text 1 of the list: '.udc00' is half a character"),
        (7, {}, "must be a file"),
    ],
)
def test_bad_sources_are_refused(source, options, message):
    with pytest.raises(DataError, match=message):
        read_records(source, **options)


def test_a_row_without_owner_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"who": null, "text": "One."}\n')
    with pytest.raises(DataError, match="whose it is"):
        read_records(path, unit_column="who")
    with pytest.raises(DataError, match="no column 'user'"):
        read_records(path, unit_column="user")


def test_a_data_set_with_splits_is_refused():
    from datasets import Dataset, DatasetDict

    with pytest.raises(DataError, match="splits train, test"):
        read_records(DatasetDict({name: Dataset.from_list(ROWS) for name in ("train", "test")}))


def test_names_of_persons_are_told_apart_as_a_reader_would(tmp_path):
    """Issue 22: "alice" and "alice " were two persons, and so were 1 and 1.0."""
    path = tmp_path / "rows.jsonl"
    names = [
        "alice",
        "alice ",
        "\talice",
        "Alice",
        1,
        1.0,
        "1",
        "1.00",
        "Zo\u0065\u0301",
        "Zo\u00e9",
    ]
    rows = [{"who": name, "text": f"text {place}"} for place, name in enumerate(names)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = read_records(path, unit_column="who")
    assert [len(rows) for rows in found.rows] == [3, 1, 3, 1, 2]
    assert found.alike == (("alice", "Alice"), ("1", "1.00"))


def test_a_missing_number_is_no_person():
    frame = Dataset.from_dict({"text": ["a", "b"], "who": [1.0, float("nan")]})
    with pytest.raises(DataError, match="no value in the unit column"):
        read_records(frame, unit_column="who")


def test_the_most_frequent_record_is_counted():
    assert read_records(["a", "b"]).most_copies == 1
    assert read_records(["a", "b", " a ", "a"]).most_copies == 3
