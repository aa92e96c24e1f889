"""A line ends at a line feed or a carriage return, and nowhere else (issue 22)."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.augmentation import Swapper
from fairaudit.augmentation.files import augment_file
from fairaudit.diagnostics.sources import _table
from fairaudit.lines import first_line, lines_of, lines_with_ends
from fairaudit.recorded.recorded_rows import read_rows
from fairaudit.scoring.texts.polarity import _vectors
from fairaudit.suites import DataFinder
from fairaudit.suites.custom import load_suite
from fairaudit.training.tables import read_rows as training_rows

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"
#: What `str.splitlines` takes for the end of a line beside line feed and carriage return.
INSIDE = "\u2028\u2029\u0085\x0b\x0c\x1c\x1d\x1e"
TEXT = f"He was{INSIDE}tired."


def test_no_reader_splits_where_texts_may_not_end():
    assert [str(path) for path in sorted(PACKAGE.rglob("*.py")) if splits_lines(path)] == []


def splits_lines(path: Path) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return "splitlines" in names


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))))
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_come_back(end, lines):
    text = "".join(line + end for line in lines)
    assert lines_of(text) == lines
    assert lines_with_ends(text) == [line + end for line in lines]


@given(st.text())
def test_nothing_is_lost(text):
    assert "".join(lines_with_ends(text)) == text


def test_the_first_line_of_an_error():
    assert first_line(ValueError("a\u2028b\nc")) == "a\u2028b"
    assert first_line(ValueError()) == "ValueError"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_reader_of_lines_reads_the_same(tmp_path, end):
    path = tmp_path / "a.txt"
    path.write_bytes((TEXT + end + "She slept." + end).encode())
    expected = [TEXT, "She slept."]
    assert [text for _, text in training_rows(path, None, None)] == expected
    assert list(_table(path, "text")["text"]) == expected
    kept = tmp_path / "twins.txt"
    augment_file(path, kept, Swapper(["gender"]), mode="substitution")
    assert len(lines_of(kept.read_bytes().decode())) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_json_and_word_vectors(tmp_path, end):
    row = json.dumps({"prompt": TEXT, "completion": "a"}, ensure_ascii=False)
    assert [one.prompt for one in read_rows((row + end + row).encode(), "x")] == [TEXT, TEXT]
    vectors = _vectors(f"she\u2028 1 2{end}he 2 1".encode())
    assert list(vectors) == ["she\u2028", "he"]
    pairs = [{"axis": "gender", "stereotype": f"{TEXT}{n}", "anti_stereotype": f"b{n}"}
             for n in range(3)]  # fmt: skip
    path = tmp_path / "own.jsonl"
    path.write_bytes(end.join(json.dumps(pair, ensure_ascii=False) for pair in pairs).encode())
    assert len(load_suite(path).load(DataFinder()).items) == 3
