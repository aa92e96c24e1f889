"""The command line as a stranger would use it: real runs, one-line errors, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile

import pandas as pd
import pytest

from fairaudit.items import SCORE_COLUMNS
from fairaudit.results import AuditResult

SUITE = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in ("nurse", "teacher", "clerk", "singer", "doctor", "baker", "tailor", "driver",
                 "writer", "painter", "farmer", "cook")
)  # fmt: skip


def fairaudit(*arguments, **environment):
    """Run the program in a process of its own, without scores that another call stored."""
    with tempfile.TemporaryDirectory() as cache:
        own = {"FAIRAUDIT_CACHE": cache, "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "fairaudit", *map(str, arguments)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | own | environment,
        )


@pytest.fixture(scope="module")
def suite_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "mine.csv"
    path.write_text(SUITE)
    return path


@pytest.fixture(scope="module")
def audited(checkpoint, suite_file, tmp_path_factory):
    """One audit by the program, and its folder."""
    folder = tmp_path_factory.mktemp("audits") / "gpt2"
    done = fairaudit(
        "audit", checkpoint("gpt2"), "--suites", suite_file, "--output", folder, "--label", "<b>me"
    )
    assert done.returncode == 0, done.stderr
    return folder, done


def one_line_error(done, code, message):
    """Check the exit code and that the error is one line without a traceback."""
    assert done.returncode == code, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert re.search(message, lines[0]), done.stderr


def test_an_audit_writes_the_whole_folder(audited):
    folder, done = audited
    assert "report.html" in done.stdout
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {
        "result.json",
        "items/mine.parquet",
        "items/probe.parquet",
        "report.html",
        "summary.md",
    } <= written
    assert any(name.startswith("figures/") for name in written)
    assert not [path for path in folder.parent.iterdir() if "partial" in path.name]


def test_every_estimate_has_an_interval_or_a_reason(audited):
    result = AuditResult.load(audited[0])
    assert result.label == "<b>me"
    assert {estimate.name for estimate in result.estimates} >= {
        "stereotype_preference_rate",
        "mean_log_odds",
        "perplexity",
        "token_accuracy",
    }
    for estimate in result.estimates:
        assert estimate.interval is not None or estimate.reason


def test_items_have_the_columns_of_the_schema(audited):
    table = pd.read_parquet(audited[0] / "items" / "mine.parquet")
    assert tuple(table.columns[: len(SCORE_COLUMNS)]) == SCORE_COLUMNS
    assert not table.duplicated(["item_id", "protocol", "role"]).any()
    assert len(table) == 24
    probe = pd.read_parquet(audited[0] / "items" / "probe.parquet")
    assert {"position", "token_id", "top1"} <= set(probe.columns)


@pytest.mark.long
def test_two_runs_give_the_same_result_except_run(audited, checkpoint, suite_file, tmp_path):
    again = fairaudit(
        "audit", checkpoint("gpt2"), "--suites", suite_file, "--output", tmp_path / "x",
        "--label", "<b>me",
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    first, second = (
        json.loads((folder / "result.json").read_text()) for folder in (audited[0], tmp_path / "x")
    )
    assert first.pop("run").keys() == second.pop("run").keys()
    assert first == second


@pytest.mark.long
def test_the_same_audit_may_run_again_in_its_folder_but_no_other(audited, checkpoint, suite_file):
    folder, _ = audited
    options = ("audit", checkpoint("gpt2"), "--suites", suite_file, "--output", folder)
    quiet = fairaudit("--quiet", *options, "--label", "<b>me")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    before = (folder / "result.json").read_text()
    one_line_error(fairaudit(*options, "--label", "<b>me", "--seed", "7"), 2, "another result")
    assert (folder / "result.json").read_text() == before


@pytest.mark.long
def test_json_goes_to_standard_output(checkpoint, suite_file):
    done = fairaudit("audit", checkpoint("bert"), "--suites", suite_file, "--format", "json")
    content = json.loads(done.stdout)
    assert content["schema"] == "fairaudit/audit"
    assert content["provenance"]["settings"]["bos"] == "template"


@pytest.mark.long
def test_dry_run_says_what_it_would_do(checkpoint, suite_file, tmp_path):
    output = tmp_path / "x"
    done = fairaudit(
        "audit", checkpoint("gpt2"), "--suites", suite_file, "--dry-run", "--output", output
    )
    assert done.returncode == 0
    assert re.search(r"items, \d+ requests, [\d,]+ tokens in \d+ batches; about \d+ s", done.stdout)
    assert not output.exists()


@pytest.mark.long
def test_a_suite_that_cannot_be_had_is_not_run_and_named_ones_are_incomplete(checkpoint, tmp_path):
    done = fairaudit(
        "audit", checkpoint("gpt2"), "--suites", "crows_pairs", "--output", tmp_path / "x",
        FAIRAUDIT_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 4
    run = next(r for r in AuditResult.load(tmp_path / "x").suites if r.suite == "crows_pairs")
    assert run.status == "not_run"
    assert "offline" in run.reason


def test_report_renders_again(audited):
    folder, _ = audited
    (folder / "report.html").unlink()
    assert fairaudit("report", folder / "result.json").returncode == 0
    assert "&lt;b&gt;me" in (folder / "report.html").read_text()


@pytest.mark.long
def test_step_summary_is_written(checkpoint, suite_file, tmp_path):
    summary = tmp_path / "step.md"
    done = fairaudit(
        "audit", checkpoint("gpt2"), "--suites", suite_file, GITHUB_STEP_SUMMARY=str(summary)
    )
    assert done.returncode == 0
    assert "gender" in summary.read_text()


def test_suites_list_show_and_validate(suite_file):
    assert "stereoset" in fairaudit("suites", "list").stdout
    shown = fairaudit("suites", "show", "crows_pairs").stdout
    assert "crows_pairs/pll-nangia" in shown
    assert "Blodgett" in shown
    assert "12 pairs (gender 12)" in fairaudit("suites", "validate", suite_file).stdout


def test_version():
    assert fairaudit("--version").stdout.startswith("fairaudit 0.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "some/hub-id"], "while offline"),
        (["report", "/nowhere"], "no such file"),
        (["audit-scores", "/nowhere", "--suite", "stereoset", "--output", "x"], "no such file"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, message):
    one_line_error(fairaudit(*arguments), 2, message)


def test_usage_errors_exit_with_2():
    assert fairaudit("audit").returncode == 2
    assert fairaudit("nonsense").returncode == 2
    assert fairaudit("audit", "x", "--seed", "-1").returncode == 2
