"""``fairaudit cda``: every file type, every mistake, nothing half written."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys

import pytest

from fairaudit.__main__ import main
from tests.cli.test_cli import fairaudit, one_line_error

LINES = ["She met her uncle.", "", "It rains.", "“The king’s son,” he said, “is a Hindu.”"]
TWINS = ["He met his aunt.", "“The queen’s daughter,” she said, “is a Hindu.”"]


@pytest.fixture
def here(monkeypatch, capsys):
    """Run the program in this process: quicker, with the same output and exit code."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["fairaudit", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            main()
        shown = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, done.value.code or 0, shown.out, shown.err)

    return run


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "in.txt"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return path


def test_a_text_file_gets_twins_after_their_lines(text_file, tmp_path):
    output = tmp_path / "new" / "out.txt"
    done = fairaudit("cda", text_file, "--axes", "gender", "--output", output)
    assert done.returncode == 0, done.stderr
    expected = [LINES[0], TWINS[0], *LINES[1:], TWINS[1]]
    assert output.read_text(encoding="utf-8") == "\n".join(expected) + "\n"
    shown = " ".join(done.stdout.split())
    assert "3, 2 with a twin (66.7%)" in shown
    assert "gender/subject pronouns 2" in shown
    assert "100.00% of the records come back as they were" in shown
    assert "- She met her uncle. + He met his aunt." in shown
    assert "5 records written to" in shown
    assert [path.name for path in output.parent.iterdir()] == ["out.txt"]


def test_two_runs_write_the_same_bytes(tmp_path):
    text_file = tmp_path / "in.txt"
    text_file.write_text("".join(f"Room {n}: a Hindu met his son.\n" for n in range(20)))
    files = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for output, seed in zip(files, (1, 1, 2), strict=True):
        done = fairaudit(
            "cda", text_file, "--axes", "religion,gender", "--output", output, "--seed", seed
        )
        assert done.returncode == 0, done.stderr
    first, second, third = (path.read_bytes() for path in files)
    assert first == second != third


def test_modes_and_quiet(text_file, tmp_path):
    output = tmp_path / "out.txt"
    done = fairaudit("-q", "cda", text_file, "--output", output, "--mode", "one-sided")
    assert (done.returncode, done.stdout) == (0, "")
    assert output.read_text(encoding="utf-8").splitlines() == [TWINS[0], *LINES[1:3], TWINS[1]]
    fairaudit("-q", "cda", text_file, "--output", output, "--mode", "substitution")
    assert len(output.read_text(encoding="utf-8").splitlines()) == 4


def test_line_ends_and_byte_order_mark(tmp_path):
    source, output = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_bytes("\ufeffHe left.\r\nA son\u2028x\r\nher".encode())
    assert fairaudit("cda", source, "--output", output).returncode == 0
    assert (
        output.read_bytes()
        == ("He left.\r\nShe left.\r\nA son\u2028x\r\nA daughter\u2028x\r\nher\nhim\n").encode()
    )


def test_jsonl_keeps_other_fields_and_names_record_and_variant(tmp_path):
    source, output = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl"
    rows = [{"id": 7, "body": "his sister"}, {"id": 8, "body": "nothing"}]
    with gzip.open(source, "wt", encoding="utf-8") as stream:
        stream.write("\n\n".join(map(json.dumps, rows)))
    done = fairaudit("cda", source, "--output", output, "--column", "body")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in output.read_text().splitlines()] == [
        {"id": 7, "body": "his sister", "cda_record": 0, "cda_variant": 0},
        {"id": 7, "body": "her brother", "cda_record": 0, "cda_variant": 1},
        {"id": 8, "body": "nothing", "cda_record": 1, "cda_variant": 0},
    ]


def test_csv_keeps_quoting_and_can_be_compressed(tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv.gz"
    source.write_text('text,n\n"He said ""no"",\nand left.",1\nNA,2\n', encoding="utf-8")
    done = fairaudit("cda", source, "--output", output)
    assert done.returncode == 0, done.stderr
    with gzip.open(output, "rt", encoding="utf-8", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["text", "n", "cda_record", "cda_variant"],
            ['He said "no",\nand left.', "1", "0", "0"],
            ['She said "no",\nand left.', "1", "0", "1"],
            ["NA", "2", "1", "0"],
        ]


def test_nothing_to_swap_is_said(tmp_path):
    source = tmp_path / "in.txt"
    source.write_text("It rains.\n")
    done = fairaudit("cda", source, "--output", tmp_path / "out.txt")
    assert done.returncode == 0
    assert "no record has a word to swap" in done.stdout


@pytest.mark.parametrize(
    ("name", "content", "options", "message"),
    [
        ("none.txt", None, [], r"none\.txt: no such file"),
        ("empty.txt", b"", [], "holds no record"),
        ("blank.txt", b"\n \n", [], "holds no record"),
        ("in.txt", b"a son\n", ["--axes", "gender,age"], "axis 'age' has no lexicon; use gender"),
        ("in.txt", b"a son\n", ["--axes", ""], "name at least one axis"),
        ("in.txt", b"a son\n", ["--mode", "both"], "mode 'both' is unknown; use two-sided"),
        ("in.txt", b"a son\n", ["--shifts", "x"], "shifts 'x' is unknown"),
        ("in.txt", b"a son\nfa\xffther\n", [], "line 2 is not UTF-8"),
        ("in.doc", b"a son\n", [], r"must end in \.txt, \.jsonl, \.csv"),
        ("in.jsonl", b'{"a": "son"}\n', [], "line 1 has no column 'text'; there are a; name one"),
        ("in.jsonl", b'{"text": 5}\n', [], "line 1: column 'text' is not text"),
        ("in.jsonl", b'{"text": "a"}\n{"text"\n', [], "line 2 is not JSON"),
        ("in.jsonl", b"[1]\n", [], "line 1 is not a JSON object"),
        ("in.jsonl", b'{"text": "a", "cda_record": 1}\n', [], "it was augmented before"),
        ("in.csv", b"text\n", [], "holds no record"),
        ("in.csv", b"a,b\n1,2\n", [], "no column 'text'; there are a, b"),
        ("in.csv", b"text,b\n1\n", [], "not as many cells as columns"),
        ("in.csv", b'text\n"a\n', [], "is not CSV"),
        ("in.txt.gz", b"a son\n", [], r"in\.txt\.gz"),
    ],
)
def test_bad_input_is_one_line_and_leaves_the_old_output(
    here, tmp_path, name, content, options, message
):
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    suffix = ".txt" if name.endswith((".doc", ".gz")) else source.suffix
    output = tmp_path / f"out{suffix}"
    output.write_text("as it was")
    one_line_error(here("cda", source, "--output", output, *options), 2, message)
    assert output.read_text() == "as it was"
    assert {path.name for path in tmp_path.iterdir()} <= {name, output.name}


def test_the_input_is_never_overwritten(here, text_file, tmp_path):
    before = text_file.read_bytes()
    link = tmp_path / "link.txt"
    link.symlink_to(text_file)
    for output in (text_file, link, tmp_path / "." / "in.txt"):
        one_line_error(here("cda", text_file, "--output", output), 2, "is the input")
    assert text_file.read_bytes() == before


def test_outputs_that_cannot_be(here, text_file, tmp_path):
    one_line_error(here("cda", tmp_path, "--output", tmp_path / "x.txt"), 2, "must end in")
    other = tmp_path / "out.csv"
    one_line_error(here("cda", text_file, "--output", other), 2, r"must end in \.txt like")
    folder = tmp_path / "folder.txt"
    folder.mkdir()
    one_line_error(here("cda", text_file, "--output", folder), 2, "is a folder")
    below = text_file / "out.txt"
    one_line_error(here("cda", text_file, "--output", below), 2, "Not a directory|exists")
    assert not other.exists()
