"""Rows that could be read but not be read again are refused before anything is written."""

from __future__ import annotations

import pytest

from fairaudit.augmentation import Swapper
from fairaudit.augmentation.files import augment_file
from fairaudit.errors import DataError


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"text": "he"}\n{"text": "he \\ud800"}', "line 2 holds '.ud800', half a char"),
        ("a.jsonl", '{"text": "he", "x": ["\\udc00"]}', "line 1 holds '.udc00'"),
        ("a.jsonl", '{"text": "he", "x": NaN}', "line 1 cannot be written as JSON"),
        ("a.jsonl", '{"text": "he", "x": 1e400}', "line 1 cannot be written as JSON"),
        pytest.param("a.jsonl", "[" * 100_000, "line 1 is not JSON", id="nested"),
        ("a.csv", "text,text\nhe,she\n", "two columns have one name; there are text, text"),
    ],
)
def test_what_nobody_could_read_again_is_refused(tmp_path, name, content, message):
    source, output = tmp_path / name, tmp_path / f"out-{name}"
    source.write_text(content)
    with pytest.raises(DataError, match=message):
        augment_file(source, output, Swapper())
    assert list(tmp_path.iterdir()) == [source]


def test_characters_beyond_the_basic_plane_are_whole(tmp_path):
    source, output = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "he \\ud83d\\ude00"}')
    augment_file(source, output, Swapper(), mode="one-sided")
    assert "she \U0001f600" in output.read_text(encoding="utf-8")
