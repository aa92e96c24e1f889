"""GGUF files on the command line: audited, compared with their source, refused in one line."""

from __future__ import annotations

import pytest

from fairaudit.report.escape import escape
from fairaudit.results import AuditResult, ComparisonResult
from tests.cli.program import fairaudit
from tests.gguf_files import write_gguf

NAMES = ("nurse", "clerk", "baker", "cook", "tailor", "doctor")
SUITE = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in NAMES
)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(SUITE)
    return path


@pytest.fixture
def folder(tmp_path):
    """Two GGUF files, as repositories of quantised models have them."""
    pytest.importorskip("gguf")
    folder = tmp_path / "files"
    folder.mkdir()
    write_gguf(folder / "plain.gguf")
    write_gguf(folder / "packed.gguf", quantised="Q8_0")
    return folder


def test_a_model_and_its_quantised_form_are_audited_and_compared(folder, suite, tmp_path):
    for name in ("plain", "packed"):
        asked = ("audit", folder, "--gguf-file", f"{name}.gguf", "--suites", suite)
        done = fairaudit(*asked, "--label", name, "-o", tmp_path / name)
        assert done.returncode == 0, done.stderr
        assert "it/s" not in done.stderr
    packed = AuditResult.load(tmp_path / "packed")
    how = packed.provenance.model.stored_as
    assert how.startswith("gguf Q8_0, 8.")
    assert packed.provenance.model.quantization == how
    assert any("no weight was rounded" in note for note in packed.notes)
    assert f"Stored as {escape(how)}; computed in float32." in (
        tmp_path / "packed" / "model_card.md"
    ).read_text(encoding="utf-8")
    assert how in (tmp_path / "packed" / "report.html").read_text(encoding="utf-8")
    done = fairaudit("compare", tmp_path / "plain", tmp_path / "packed", "-o", tmp_path / "both")
    assert done.returncode == 0, done.stderr
    both = ComparisonResult.load(tmp_path / "both")
    assert {one.n for one in both.comparisons if one.axis == "gender"} == {len(NAMES)}
    assert both.provenance.candidates["packed"].model.stored_as == how


def test_gguf_files_are_refused_in_one_line(folder, suite, tmp_path):
    cut = folder / "cut.gguf"
    cut.write_bytes((folder / "plain.gguf").read_bytes()[:-100])
    odd = write_gguf(folder / "odd.gguf", architecture="odd")
    other = write_gguf(folder / "other.gguf", tokens=123)
    for model, words in (
        ([folder], "GGUF files; choose one with --gguf-file"),
        ([folder, "--gguf-file", "none.gguf"], "no file none.gguf"),
        ([folder / "none.gguf"], "no such file"),
        ([cut], "damaged, cut short, or no GGUF file"),
        ([odd], "architecture odd"),
        ([other], "its tokenizer has 123 tokens"),
    ):
        done = fairaudit("audit", *model, "--suites", suite, "-o", tmp_path / "out")
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        assert (done.returncode, len(lines)) == (2, 1), done
        assert words in lines[0]
        assert not (tmp_path / "out").exists()
