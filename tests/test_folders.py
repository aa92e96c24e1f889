"""An output folder with files of others is refused; another result is replaced only on request.

Issue 28.7.
"""

from __future__ import annotations

import pytest

from fairaudit.errors import ResultError
from fairaudit.results import AuditResult, ComparisonResult
from tests.cli.program import fairaudit
from tests.diagnostics import test_report as diagnoses
from tests.report import audits, comparisons

RESULTS = {
    "audit": audits.whole_audit,
    "comparison": comparisons.whole_comparison,
    "diagnosis": diagnoses.result,
}


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["report.html", "notes.txt", "items/templates.parquet"])
def test_files_of_others_are_refused_and_kept(kind, overwrite, name, tmp_path):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(ResultError, match=r"not from fairaudit .*choose a new or empty folder"):
        RESULTS[kind]().save(tmp_path, overwrite=overwrite)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", RESULTS)
def test_hidden_files_and_a_diagnosis_beside_it_are_no_obstacle(kind, tmp_path):
    (tmp_path / ".gitkeep").touch()
    (tmp_path / "diagnostics").mkdir()
    RESULTS[kind]().save(tmp_path)
    assert (tmp_path / "result.json").is_file()


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_json_of_others_is_kept_whatever_is_asked(kind, tmp_path):
    (tmp_path / "result.json").write_text('{"schema": "another/tool"}')
    for overwrite in (False, True):
        with pytest.raises(ResultError):
            RESULTS[kind]().save(tmp_path, overwrite=overwrite)
    assert "another/tool" in (tmp_path / "result.json").read_text()


def test_another_result_is_replaced_only_on_request_and_leaves_nothing_behind(tmp_path):
    comparisons.whole_comparison().save(tmp_path)
    (tmp_path / "gate.json").write_text("{}")
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "seat.parquet").write_bytes(b"old")
    changed = comparisons.whole_comparison(3)
    with pytest.raises(ResultError, match=r"holds another result; .*--overwrite"):
        changed.save(tmp_path)
    assert ComparisonResult.load(tmp_path) == comparisons.whole_comparison()
    changed.save(tmp_path, overwrite=True)
    assert ComparisonResult.load(tmp_path) == changed
    assert not (tmp_path / "gate.json").exists()
    assert not (tmp_path / "items" / "seat.parquet").exists()
    audits.whole_audit().save(tmp_path, overwrite=True)
    assert AuditResult.load(tmp_path).to_json() == audits.whole_audit().to_json()


def test_a_retrained_model_is_audited_into_the_same_folder(checkpoint, tmp_path):
    suite = tmp_path / "mine.csv"
    suite.write_text(
        "axis,group,stereotype,anti_stereotype\n"
        "gender,female,The nurse said she was tired.,The nurse said he was tired.\n"
    )
    output = tmp_path / "audit"
    common = ("--suites", suite, "--output", output, "--label", "mine")
    assert fairaudit("audit", checkpoint("gpt2"), *common).returncode == 0
    before = contents(output)
    refused = fairaudit("audit", checkpoint("gpt2-pad"), *common)
    assert refused.returncode == 2
    assert "--overwrite" in refused.stderr
    assert contents(output) == before
    done = fairaudit("audit", checkpoint("gpt2-pad"), *common, "--overwrite")
    assert done.returncode == 0, done.stderr
    assert contents(output) != before


@pytest.mark.parametrize("verb", ["audit", "diagnose", "finetune"])
def test_an_unrelated_report_is_refused_before_any_work(verb, checkpoint, tmp_path):
    output = tmp_path / "site"
    output.mkdir()
    (output / "report.html").write_text("quarterly figures")
    text = tmp_path / "text.txt"
    text.write_text("The nurse said she was tired.\n" * 4)
    more = ("--train", text, "--steps", "1", "--batch-size", "2") if verb == "finetune" else ()
    done = fairaudit(verb, checkpoint("gpt2"), *more, "--output", output)
    assert done.returncode == 2
    assert "report.html" in done.stderr
    assert contents(output) == {output / "report.html": b"quarterly figures"}
